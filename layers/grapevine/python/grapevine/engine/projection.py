"""What is kept from the table's stream of a campaign's participants: the rank index and the totals.

Both count each version of an item once, whatever is delivered again, late or in another order.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from grapevine.engine import totals
from grapevine.engine.ranks.batch import checked
from grapevine.engine.ranks.maintenance import maintain
from grapevine.engine.totals import SOURCES, Source
from grapevine.table.attributes import Change
from grapevine.table.standings import Standing


@dataclass(frozen=True, slots=True)
class Projected:
    """What a stream record tells of."""

    item: Standing | Source


def projected(change: Change) -> Projected:
    """The item in a stream record.

    Raises:
        KeyError, TypeError, ValueError: it is none of these kinds, or cannot be counted.
    """
    for source in SOURCES:
        if change.new["type"] == source.TYPE:
            return Projected(source.from_item(change.new))
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
    others = [item for item in items if not isinstance(item, Standing)]
    totals.count(campaign_id, [totals.contribution(item) for item in others])
