"""The mechanics of a campaign as they are configured: what GET shows and PUT takes."""

from __future__ import annotations

from collections.abc import Mapping
from decimal import Decimal
from typing import Annotated, Any, Literal

from pydantic import AfterValidator, BeforeValidator, Field, ValidationError
from pydantic_core import PydanticCustomError

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
    TimeZone,
    exact,
    whole,
)
from grapevine.errors import InvalidRequest, Problem
from grapevine.table import exact_json
from grapevine.table.ledger import Credit, Source, Trust

PPM = 1_000_000
"""Odds are parts of a million."""

Period = Literal["day", "week", "month"]
Op = Literal["eq", "neq", "in", "gt", "gte", "lt", "lte", "between", "contains", "exists"]

_SHOWN_ONLY = ("slug", "name", "status", "configVersion", "drawCommitment", "drawSecret")


def _operand(value: Any) -> Any:
    """Numbers become exact; nothing but texts, truth values, numbers and lists of them is let
    through."""
    match value:
        case bool() | str():
            return value
        case int() | float() | Decimal():
            return exact(value)
        case list() | tuple():
            return tuple(_operand(each) for each in value)
    raise PydanticCustomError("operand", "Must be a text, a number, a truth value or a list.")


class Condition(Part):
    """`field` is a path into the metadata. What `value` may be is up to `op`: see
    `validating.py`."""

    field: Path
    op: Op
    value: Annotated[Any, BeforeValidator(_operand)] = True


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


class Reward(Part):
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
    reward: Reward = Reward()
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
    enabled: bool = True
    exclude_users: Annotated[
        tuple[Annotated[str, Field(min_length=1, max_length=100)], ...], Field(max_length=100)
    ] = ()
    hide_names: bool = False


class Configuration(Part):
    """`starts_at` and `ends_at` in ms, both included."""

    starts_at: Instant | None = None
    ends_at: Instant | None = None
    timezone: TimeZone = "UTC"
    sources: tuple[Source, ...] = ("gamifyhost",)
    unknown_event_types: Literal["record", "reject"] = "record"
    dedupe: Annotated[tuple[Dedupe, ...], Field(max_length=50)] = ()
    points: PointsRules = PointsRules()
    milestones: Annotated[tuple[Milestone, ...], Field(max_length=10)] = ()
    instant_win: InstantWin | None = None
    leaderboard: Leaderboard = Leaderboard()

    def takes_events_at(self, at: int) -> bool:
        return (self.starts_at is None or self.starts_at <= at) and (
            self.ends_at is None or at <= self.ends_at
        )


def parse(sent: Mapping[str, Any]) -> Configuration:
    """The configuration in a body; what GET only shows is passed over. Numbers may be Decimals.

    It says what is wrong with single members. What needs more than one is in `validating.py`.

    Raises:
        InvalidRequest: with all that is wrong.
    """
    members = {name: value for name, value in sent.items() if name not in _SHOWN_ONLY}
    if isinstance(members.get("instantWin"), Mapping):
        instant_win: Mapping[str, Any] = members["instantWin"]
        members["instantWin"] = {
            name: value for name, value in instant_win.items() if name not in _SHOWN_ONLY
        }
    try:
        return Configuration.model_validate(members)
    except ValidationError as error:
        problems = [
            Problem("body", ".".join(str(part) for part in each["loc"]), each["type"], each["msg"])
            for each in error.errors(include_url=False, include_context=False)
        ]
        raise InvalidRequest("Invalid mechanics configuration.", *problems) from None


def shown(configuration: Configuration) -> dict[str, Any]:
    """The configuration as JSON values, complete; fractions are Decimals."""
    return configuration.model_dump(mode="python", by_alias=True)


def to_text(configuration: Configuration) -> str:
    """How the configuration is stored."""
    return exact_json.dumps(shown(configuration))


def from_text(text: str) -> Configuration:
    return parse(exact_json.loads(text))
