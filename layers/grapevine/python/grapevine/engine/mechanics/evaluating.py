"""Judging one event: what a player gets for it, in the order that the configuration promises."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from grapevine.engine.mechanics.configuration import Configuration
from grapevine.engine.mechanics.moments import Moment
from grapevine.engine.mechanics.occurrences import Occurrence
from grapevine.table.ledger import (
    Credit,
    LedgerLine,
    MilestoneAward,
    PlayerEvent,
)
from grapevine.table.players import Player


@dataclass(frozen=True, slots=True, kw_only=True)
class Chance:
    """What fortune brings to an event that may draw.

    `draw_value` is its draw by odds (`draws.draw_value`), `moments` those that can be won now, the
    oldest first, where the campaign draws by moments. Without the one that its mode asks for
    nothing is drawn: a preview. `sold_out` names tiers whose stock was found empty, `onSoldOut`
    says what a hit of one becomes; `spent_today` those whose `perDay` was, a hit is a loss.
    """

    draw_value: int | None = None
    moments: Sequence[Moment] | None = None
    sold_out: frozenset[str] = frozenset()
    spent_today: frozenset[str] = frozenset()


@dataclass(frozen=True, slots=True, kw_only=True)
class Won:
    """A prize that was won. `points` are paid at once or by the code, as `credit` says; the code
    is worth `code_points` and can be used until `expires_at` (ms). `moment` is the one to claim,
    where the campaign draws by moments; `takes_stock` and `per_day` say which counters to take
    from."""

    tier_id: str
    tier_name: str
    points: int
    credit: Credit
    code_points: int
    message: str
    expires_at: int
    takes_stock: bool
    per_day: int | None
    day: int
    moment: Moment | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Reached:
    """A milestone that the event has reached, `times` of its multiples at once."""

    id: str
    name: str
    points_earned: int
    badge: str | None
    times: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Outcome:
    """What becomes of an event: the items to be written together, and the facts of the answer.

    `player` is the state afterwards, with the next version. `points_earned` is without the win.
    `has_instant_win` says whether the answer speaks of the instant win at all, `played` whether
    this event drew, and `message` is what it says of it.
    """

    player: Player
    event: PlayerEvent
    lines: tuple[LedgerLine, ...]
    awards: tuple[MilestoneAward, ...]
    win: Won | None
    points_earned: int
    total_points: int
    has_instant_win: bool
    played: bool
    message: str | None
    milestones: tuple[Reached, ...]


def evaluate(
    configuration: Configuration,
    config_version: int,
    player: Player,
    occurrence: Occurrence,
    chance: Chance = Chance(),
) -> Outcome:
    """What becomes of an event for a player (a `new_player` where there is none yet).

    Raises:
        PlayLimitReached: the event would draw, may not any more, and the campaign rejects it.
        UnknownEventType: the campaign takes only events that it knows.
    """
    raise NotImplementedError
