"""The parts of a mechanics configuration: rules, milestones, tiers and what they consist of."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import AfterValidator, BeforeValidator, Field
from pydantic_core import PydanticCustomError

from grapevine.engine.mechanics.conditions import Condition
from grapevine.engine.mechanics.fields import (
    Factor,
    Id,
    Instant,
    Message,
    Name,
    Part,
    Path,
    Points,
    PositiveExact,
    Times,
    whole,
)
from grapevine.table.ledger import Credit, Trust
from grapevine.table.points_board import Period

PPM = 1_000_000
"""Odds are parts of a million."""


class FixedAward(Part):
    type: Literal["fixed"]
    points: Points


class PerUnitAward(Part):
    """`value / unit x points`, at most `max` before multipliers."""

    type: Literal["per_unit"]
    field: Path
    unit: PositiveExact
    points: PositiveExact
    max: Points


class FromFieldAward(Part):
    """As many points as the field says, at most `max` before multipliers."""

    type: Literal["from_field"]
    field: Path
    max: Points


Award = Annotated[FixedAward | PerUnitAward | FromFieldAward, Field(discriminator="type")]


class AwardCounts(Part):
    """How often a rule may award one player; in a calendar day, week or month of the campaign."""

    total: Times | None = None
    day: Times | None = None
    week: Times | None = None
    month: Times | None = None


class RuleLimits(Part):
    per_user: AwardCounts = AwardCounts()
    cooldown_seconds: Annotated[int, BeforeValidator(whole), Field(ge=0, le=10**8)] = 0


class Rule(Part):
    id: Id
    event_type: Name
    when: Annotated[tuple[Condition, ...], Field(max_length=10)] = ()
    award: Award
    limits: RuleLimits = RuleLimits()
    require_trust: Trust = "client"


class QualifyingEvent(Part):
    """An event by which a referred friend earns the referrer the credit. What only an app vouches
    for does not, unless `requireTrust` says so."""

    event_type: Name
    when: Annotated[tuple[Condition, ...], Field(max_length=10)] = ()
    require_trust: Trust = "server"


class ReferralRules(Part):
    """What events mean for the referrals of the campaign."""

    qualifying_event: QualifyingEvent | None = None


class Multiplier(Part):
    """Applies from `starts_at` to `ends_at`, both included (ms); to all event types if none is
    named."""

    id: Id
    factor: Factor
    starts_at: Annotated[Instant | None, Field(alias="from")] = None
    ends_at: Annotated[Instant | None, Field(alias="to")] = None
    event_types: Annotated[tuple[Name, ...] | None, Field(min_length=1, max_length=50)] = None


class PointsCap(Part):
    """How many points all rules together may give one player."""

    day: Points | None = None
    total: Annotated[int, BeforeValidator(whole), Field(ge=0, le=10**15)] | None = None


class PointsRules(Part):
    stacking: Literal["all", "max", "first"] = "all"
    rounding: Literal["floor", "nearest", "ceil"] = "floor"
    cap_per_user: PointsCap = PointsCap()
    rules: Annotated[tuple[Rule, ...], Field(max_length=100)] = ()
    multipliers: Annotated[tuple[Multiplier, ...], Field(max_length=50)] = ()


class PointsTotal(Part):
    type: Literal["points_total"]


class EventCount(Part):
    type: Literal["event_count"]
    event_type: Name


class MetadataSum(Part):
    type: Literal["metadata_sum"]
    event_type: Name
    field: Path


class DistinctValues(Part):
    type: Literal["distinct_values"]
    event_type: Name
    field: Path


class Streak(Part):
    type: Literal["streak"]
    event_type: Name
    period: Period = "day"


Metric = Annotated[
    PointsTotal | EventCount | MetadataSum | DistinctValues | Streak, Field(discriminator="type")
]


class MilestoneReward(Part):
    points: Points = 0
    badge: Name | None = None
    extra_plays: Annotated[int, BeforeValidator(whole), Field(ge=0, le=1000)] = 0


class Milestone(Part):
    """`threshold` is whole but for a sum."""

    id: Id
    name: Name
    metric: Metric
    threshold: PositiveExact
    repeat: bool = False
    reward: MilestoneReward = MilestoneReward()
    require_trust: Trust = "client"


class PlayCounts(Part):
    total: Times | None = None
    day: Times | None = None


class WinCounts(Part):
    total: Times | None = None


class InstantWinLimits(Part):
    plays_per_user: PlayCounts = PlayCounts()
    wins_per_user: WinCounts = WinCounts()


class Tier(Part):
    """`inventory` None is unlimited."""

    id: Id
    name: Name
    odds_ppm: Annotated[int, BeforeValidator(whole), Field(ge=0, le=PPM)] = 0
    inventory: Annotated[int, BeforeValidator(whole), Field(ge=0, le=10**9)] | None = None
    per_day: Times | None = None
    per_user: Times | None = None
    points: Points = 0
    credit: Credit = "immediate"
    message: Message | None = None

    @property
    def won_message(self) -> str:
        return self.message or f"Congratulations! You won the {self.name} prize!"

    @property
    def paid_at_once(self) -> int:
        return self.points if self.credit == "immediate" else 0

    @property
    def paid_by_code(self) -> int:
        return self.points - self.paid_at_once


def _alphabet(text: str) -> str:
    if len(set(text)) != len(text) or not text.isascii() or not text.isalnum():
        raise PydanticCustomError("alphabet", "Must be different letters and digits.")
    if text != text.upper():
        raise PydanticCustomError("alphabet", "Must have no lower case: codes have none.")
    return text


class WinCode(Part):
    length: Annotated[int, BeforeValidator(whole), Field(ge=6, le=32)] = 8
    alphabet: Annotated[str, Field(min_length=10, max_length=36), AfterValidator(_alphabet)] = (
        "ABCDEFGHJKMNPQRSTUVWXYZ23456789"
    )
    expires_in_days: Annotated[int, BeforeValidator(whole), Field(ge=1, le=3650)] = 30


class InstantWin(Part):
    """`window_minutes`: how long a moment can be won; None is until somebody does."""

    enabled: bool = True
    event_types: Annotated[tuple[Name, ...], Field(min_length=1, max_length=50)]
    mode: Literal["odds", "moments"] = "odds"
    require_trust: Trust = "server"
    limits: InstantWinLimits = InstantWinLimits()
    on_play_limit: Literal["reject", "skip"] = "reject"
    on_sold_out: Literal["lose", "next_tier", "redistribute"] = "lose"
    window_minutes: Times | None = None
    tiers: Annotated[tuple[Tier, ...], Field(max_length=20)] = ()
    lose_message: Message = "Better luck next time!"
    win_code: WinCode = WinCode()


class Dedupe(Part):
    """What makes two events of a type the same one: `metadata.<path>` or `calendarDay`."""

    event_type: Name
    by: Annotated[str, Field(max_length=109, pattern=r"^(calendarDay|metadata\..+)$")]


class Leaderboard(Part):
    """`periods`: of which kinds of period a board is kept, besides the one of all time."""

    enabled: bool = True
    exclude_users: Annotated[
        tuple[Annotated[str, Field(min_length=1, max_length=100)], ...], Field(max_length=100)
    ] = ()
    hide_names: bool = False
    periods: Annotated[tuple[Period, ...], Field(max_length=3)] = ()
