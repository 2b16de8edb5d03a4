"""The mechanics of a campaign as they are configured: what GET shows and PUT takes."""

from __future__ import annotations

import json
from collections.abc import Mapping
from functools import cached_property
from typing import Annotated, Any, Literal

from pydantic import Field, ValidationError

from grapevine.engine.mechanics.fields import Instant, Part, TimeZone
from grapevine.engine.mechanics.parts import (
    Dedupe,
    InstantWin,
    Leaderboard,
    Milestone,
    PointsRules,
    PointsTotal,
    ReferralRules,
    Tier,
)
from grapevine.errors import InvalidRequest, Problem
from grapevine.table import exact_json
from grapevine.table.ledger import Source

_SHOWN_ONLY = (
    "slug",
    "name",
    "status",
    "configVersion",
    "drawNumber",
    "drawCommitment",
    "drawSecret",
    "formerDraws",
)


class Configuration(Part):
    """`starts_at` and `ends_at` in ms, both included."""

    starts_at: Instant | None = None
    ends_at: Instant | None = None
    timezone: TimeZone = "UTC"
    sources: tuple[Source, ...] = ("gamifyhost", "internal")
    unknown_event_types: Literal["record", "reject"] = "record"
    dedupe: Annotated[tuple[Dedupe, ...], Field(max_length=50)] = ()
    points: PointsRules = PointsRules()
    milestones: Annotated[tuple[Milestone, ...], Field(max_length=10)] = ()
    instant_win: InstantWin | None = None
    leaderboard: Leaderboard = Leaderboard()
    referral: ReferralRules = ReferralRules()

    @cached_property
    def event_types(self) -> frozenset[str]:
        """The event types that a part of the configuration names."""
        named = {rule.event_type for rule in self.points.rules}
        named |= {dedupe.event_type for dedupe in self.dedupe}
        for milestone in self.milestones:
            if not isinstance(milestone.metric, PointsTotal):
                named.add(milestone.metric.event_type)
        for multiplier in self.points.multipliers:
            named.update(multiplier.event_types or ())
        if self.instant_win is not None:
            named.update(self.instant_win.event_types)
        if self.referral.qualifying_event is not None:
            named.add(self.referral.qualifying_event.event_type)
        return frozenset(named)

    @property
    def tiers(self) -> tuple[Tier, ...]:
        """Those of the instant win, none without one."""
        return self.instant_win.tiers if self.instant_win is not None else ()

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
    try:
        return Configuration.model_validate(without_shown(sent))
    except ValidationError as error:
        problems = [
            Problem("body", ".".join(str(part) for part in each["loc"]), each["type"], each["msg"])
            for each in error.errors(include_url=False, include_context=False)
        ]
        raise InvalidRequest("Invalid mechanics configuration.", *problems) from None


def without_shown(sent: Mapping[str, Any]) -> dict[str, Any]:
    """What was sent without what is only shown: whoever sends back what they have read may."""
    members = {name: value for name, value in sent.items() if name not in _SHOWN_ONLY}
    if isinstance(members.get("instantWin"), Mapping):
        instant_win: Mapping[str, Any] = members["instantWin"]
        members["instantWin"] = {
            name: value for name, value in instant_win.items() if name not in _SHOWN_ONLY
        }
    return members


def shown(configuration: Configuration) -> dict[str, Any]:
    """The configuration as JSON values, complete; fractions are Decimals."""
    return configuration.model_dump(mode="python", by_alias=True)


def to_text(configuration: Configuration) -> str:
    """How the configuration is stored."""
    return exact_json.dumps(shown(configuration))


def written_out(configuration: Configuration) -> str:
    """The configuration with all its defaults in the longest of the ways in which JSON libraries
    write a line: with spaces, and with all but ASCII escaped."""
    return json.dumps(json.loads(to_text(configuration), parse_float=str))


def from_text(text: str) -> Configuration:
    return parse(exact_json.loads(text))
