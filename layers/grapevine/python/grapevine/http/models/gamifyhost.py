"""Events and what they earn, as the GamifyHost API takes and shows them."""

from __future__ import annotations

from typing import Annotated, Any, Literal

from pydantic import Field

from grapevine.engine.mechanics.outcomes import Outcome, Reached
from grapevine.http.idempotency import LONGEST_KEY
from grapevine.http.models.event_fields import EventMetadata, EventType, Lenient, UserId
from grapevine.http.models.fields import Output
from grapevine.table.ledger import Win


class Repeatable(Lenient):
    """A body with `reference`, which may stand for the header Idempotency-Key."""

    reference: Annotated[str, Field(min_length=1, max_length=LONGEST_KEY)] | None = None


class RecordEvent(Repeatable):
    """Ids and types of events are compared exactly, small letters and capitals are different."""

    user_id: UserId
    event_type: EventType
    metadata: EventMetadata = Field(default_factory=dict)


class InstantWinResult(Output):
    """`played` is there, and false, where the event made no draw; the prize's fields are there
    where it `won` one."""

    won: bool
    played: bool | None = None
    prize_tier: str | None = None
    points_earned: int | None = None
    win_code: str | None = None
    message: str | None = None


class MilestoneReached(Output):
    id: str
    name: str
    points_earned: int
    badge: str | None

    @classmethod
    def of(cls, reached: Reached) -> MilestoneReached:
        return cls(
            id=reached.id,
            name=reached.name,
            points_earned=reached.points_earned,
            badge=reached.badge,
        )


class EventResult(Output):
    """`pointsEarned` is without the instant win's points. `instantWin` is there where the campaign
    has one, `milestones` where the event has reached any."""

    points_earned: int
    total_points: int
    instant_win: InstantWinResult | None = None
    milestones: list[MilestoneReached] | None = None
    message: str

    @classmethod
    def of(cls, outcome: Outcome, win: Win | None) -> EventResult:
        """`win` is the one that is stored with the outcome, with its code."""
        given: dict[str, Any] = {}
        if outcome.has_instant_win:
            given["instant_win"] = _instant_win(outcome, win)
        if outcome.milestones:
            given["milestones"] = [MilestoneReached.of(each) for each in outcome.milestones]
        return cls(
            points_earned=outcome.points_earned,
            total_points=outcome.total_points,
            message="Event recorded successfully",
            **given,
        )


def _instant_win(outcome: Outcome, win: Win | None) -> InstantWinResult:
    if win is not None:
        return InstantWinResult(
            won=True,
            prize_tier=win.tier_name,
            points_earned=win.points,
            win_code=win.code,
            message=outcome.message,
        )
    if outcome.played:
        return InstantWinResult(won=False, message=outcome.message)
    return InstantWinResult(won=False, played=False, message=outcome.message)


class FieldError(Output):
    field: str
    message: str


class GamifyHostError(Output):
    """`code` is the status; `errors` are there where fields are wrong."""

    message: str
    code: int
    status: Literal["error"]
    errors: list[FieldError] | None = None
