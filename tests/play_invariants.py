"""What holds of the plays of a campaign at every moment, looked up in the table."""

from __future__ import annotations

from collections import Counter, defaultdict
from dataclasses import dataclass
from decimal import Decimal
from itertools import compress
from typing import TypeVar

from grapevine.engine.mechanics.win_codes import hash_of_code
from grapevine.table.attributes import Item
from grapevine.table.codes import Code, CodeSecret
from grapevine.table.entity import Entity
from grapevine.table.ledger import LedgerLine, MilestoneAward, PlayerEvent, Reversal, Win
from grapevine.table.mechanics import Mechanics, Stock
from grapevine.table.moments import HiddenPrize
from grapevine.table.players import Player
from tests.invariants import table_of
from tests.playing import Game

E = TypeVar("E", bound=Entity)


@dataclass(frozen=True)
class Written:
    """All that the table holds of the plays of one campaign. `hidden` are the prizes that can be
    won, now or later; `dead` what saves have left that were refused, or died."""

    players: list[Player]
    events: list[PlayerEvent]
    lines: list[LedgerLine]
    awards: list[MilestoneAward]
    wins: list[Win]
    reversals: list[Reversal]
    stocks: list[Stock]
    codes: list[Code]
    hidden: list[HiddenPrize]
    dead: list[HiddenPrize]
    code_secret: str | None

    @classmethod
    def of(cls, game: Game) -> Written:
        items = list(table_of(game.stack).values())
        own = [item for item in items if item.get("campaignId") == game.campaign_id]
        secrets = _all(CodeSecret, items)
        hiding = {name: until for one in _all(Mechanics, own) for name, until in one.hiding.items()}
        prizes = _all(HiddenPrize, own)
        can_be_won = [each.at <= hiding.get(each.save_id, -1) for each in prizes]
        return cls(
            players=_all(Player, own),
            events=_all(PlayerEvent, own),
            lines=_all(LedgerLine, own),
            awards=_all(MilestoneAward, own),
            wins=_all(Win, own),
            reversals=_all(Reversal, own),
            stocks=_all(Stock, own),
            codes=[code for code in _all(Code, own) if code.batch_id is None],
            hidden=list(compress(prizes, can_be_won)),
            dead=[each for each, can in zip(prizes, can_be_won, strict=True) if not can],
            code_secret=secrets[0].secret if secrets else None,
        )


def _all(kind: type[E], items: list[Item]) -> list[E]:
    return [kind.from_item(_whole(item)) for item in items if item["type"] == kind.TYPE]


def _whole(item: Item) -> Item:
    """All numbers of these items are whole ones."""
    return {
        name: int(value) if isinstance(value, Decimal) else value for name, value in item.items()
    }


def check(game: Game) -> Written:
    """The invariants that hold in every campaign at every moment, from the table: I1 (a total is
    the sum of its ledger, line by line, and what was taken back is what was given), I2 (no more
    prizes given than there are, and each one counted), I5 (each win has a code of its own). Gives
    what it has looked at."""
    written = Written.of(game)
    sums: dict[str, int] = defaultdict(int)
    for line in sorted(written.lines, key=lambda line: line.key.sort):
        sums[line.user_id] += line.points
        assert line.balance_after == sums[line.user_id] >= 0
    assert {each.user_id: each.total_points for each in written.players} == {
        each.user_id: sums[each.user_id] for each in written.players
    }
    assert sums.keys() <= {each.user_id for each in written.players}
    events = Counter(each.user_id for each in written.events)
    # Who is only linked has had none.
    assert events == Counter({each.user_id: each.events_count for each in written.players})
    earned: dict[str, int] = defaultdict(int)
    for line in written.lines:
        if line.reason != "reversal":
            earned[line.event_id] += line.points
    paid = {win.event_id: win.points for win in written.wins if win.credit == "immediate"}
    for event in written.events:
        assert earned[event.event_id] == event.points_earned + event.win_points
        assert event.win_points == paid.get(event.event_id, 0)
    _check_reversals(written)

    given = Counter(win.tier_id for win in written.wins)
    assert given == Counter(event.tier_won for event in written.events if event.tier_won)
    for stock in written.stocks:
        assert stock.awarded == given[stock.tier_id] <= stock.inventory

    assert len({win.code for win in written.wins}) == len(written.wins) == len(written.codes)
    if written.wins:
        assert written.code_secret is not None
    hashes = {hash_of_code(str(written.code_secret), win.code) for win in written.wins}
    assert {code.code_hash for code in written.codes} == hashes
    return written


def _check_reversals(written: Written) -> None:
    """Each event that was taken back, and no other one, has for each of its lines one that takes
    the points, or says how many there were not."""
    given: dict[str, list[tuple[str, int]]] = defaultdict(list)
    taken: dict[str, list[tuple[str, int]]] = defaultdict(list)
    for line in written.lines:
        if line.reason == "reversal":
            whole = (line.uncovered or 0) - line.points
            taken[line.event_id].append((line.source_id, whole))
        else:
            given[line.event_id].append((line.source_id, line.points))
    reversals = {each.event_id: each for each in written.reversals}
    assert reversals.keys() <= {each.event_id for each in written.events}
    assert taken.keys() <= reversals.keys()
    for event_id, reversal in reversals.items():
        assert sorted(taken[event_id]) == sorted(given[event_id])
        assert reversal.points + reversal.uncovered == sum(each for _, each in given[event_id])
