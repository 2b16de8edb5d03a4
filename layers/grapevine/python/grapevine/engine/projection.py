"""What is kept from the table's stream of a campaign's participants and players: the rank indexes,
the totals, and the boards of days, weeks and months.

All count each version of an item once, whatever is delivered again, late or in another order.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from grapevine.engine import totals
from grapevine.engine.mechanics import period_boards
from grapevine.engine.ranks.batch import checked
from grapevine.engine.ranks.maintenance import maintain
from grapevine.engine.ranks.points import maintenance as points
from grapevine.engine.ranks.points import places
from grapevine.engine.totals import SOURCES, Source
from grapevine.table.attributes import Change
from grapevine.table.players import Player
from grapevine.table.standings import Standing


@dataclass(frozen=True, slots=True)
class Projected:
    """What a stream record tells of."""

    item: Standing | Source | Player


def projected(change: Change) -> Projected:
    """The item in a stream record.

    Raises:
        KeyError, TypeError, ValueError: it is none of these kinds, or cannot be counted.
    """
    for source in SOURCES:
        if change.new["type"] == source.TYPE:
            return Projected(source.from_item(change.new))
    if change.new["type"] == Player.TYPE:
        player = Player.from_item(change.new)
        places.checked(places.place_of(player))
        return Projected(period_boards.checked(player))
    return Projected(checked(Standing.from_item(change.new)))


def campaign_of(changed: Projected) -> str:
    return changed.item.campaign_id


def project(campaign_id: str, changed: Iterable[Projected]) -> None:
    """Ranks and totals of the campaign contain these items, all its own, or newer versions of them.

    Raises:
        Busy: some may have been counted; repeating is safe.
    """
    items = [one.item for one in changed]
    maintain(campaign_id, [item for item in items if isinstance(item, Standing)])
    players = [item for item in items if isinstance(item, Player)]
    points.maintain(campaign_id, places.ALL_TIME, [places.place_of(each) for each in players])
    period_boards.keep(players)
    others = [item for item in items if not isinstance(item, Standing | Player)]
    totals.count(campaign_id, [totals.contribution(item) for item in others])
