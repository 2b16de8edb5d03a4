"""What the rules look at, and what a rule says: values without behaviour, read before rules run.

Nothing here is of another campaign: all of it is read by keys of the campaign of who is screened.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Literal

from grapevine.engine.fraud.patterns import NOBODY, Lists
from grapevine.table.fraud import Kind, Level, Sighting

Code = Literal[
    "UNIQUE_IDENTITY",
    "WHITELISTED",
    "BLACKLIST_MATCH",
    "BLOCKED_IP",
    "REFERRER_HIGH_RISK",
    "DUPLICATE_EMAIL",
    "SIMILAR_EMAIL",
    "EMAIL_FRAUD",
    "DUPLICATE_IDENTITY",
    "DUPLICATE_IDENTITY_EXCESSIVE",
    "SIMILAR_FIRST_NAME",
    "SIMILAR_LAST_NAME",
    "REFERRAL_EMAIL_PATTERN",
    "DOMAIN_CLUSTERING_FRAUD",
    "REFERRAL_CHAIN_FRAUD",
    "REFERRAL_VELOCITY_FRAUD",
]
LEVELS: tuple[Level, ...] = ("LOW", "MEDIUM", "HIGH")
"""From harmless to very likely a fraudster."""

MOST_MATCHED = 10
"""How many participants a finding names."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Person:
    """A participant as the rules see one. `ip_address` is as it came, or None where it says nothing
    or must not be looked at."""

    participant_id: str
    email: str
    first_name: str | None = None
    last_name: str | None = None
    created_at: int = 0
    ip_address: str | None = None
    fingerprint: str | None = None
    mobile_instance_id: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Recommender(Person):
    """Who referred the one who is screened, with its own level and its own referrer."""

    level: Level = "LOW"
    referrer_id: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Policy:
    """The campaign's switches that rules ask for. A cap of None is no cap."""

    block_burner_emails: bool = False
    block_high_risk_referrers: bool = False
    max_signups_per_ip_2_min: int | None = None
    max_signups_per_ip_10_min: int | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Evidence:
    """`siblings` are the referrer's other friends, newest first, a bounded number. `seen` has who
    else was seen with the same trait. `listed_ip` is the address for the lists alone: in GDPR mode
    it is all that is looked at of it, and it is written down nowhere. `is_signup`: somebody joins
    now; otherwise a participant is looked at again, and how fast others joined says nothing."""

    at: int
    who: Person
    referrer: Recommender | None = None
    siblings: tuple[Person, ...] = ()
    seen: Mapping[Kind, tuple[Sighting, ...]] = field(default_factory=dict)
    lists: Lists = NOBODY
    policy: Policy = field(default_factory=Policy)
    listed_ip: str | None = None
    is_signup: bool = True

    def others(self, kind: Kind) -> tuple[Sighting, ...]:
        """Everybody else who was seen with the trait."""
        own = self.who.participant_id
        return tuple(each for each in self.seen.get(kind, ()) if each.participant_id != own)


@dataclass(frozen=True, slots=True, kw_only=True)
class Finding:
    """What a rule found. `message` and `values` explain it to the campaign's owner and hold no
    address of anybody else; `catches_referrer`: the referrer must have had a hand in it."""

    rule: str
    level: Level
    code: Code
    message: str
    matched: tuple[str, ...] = ()
    values: Mapping[str, str | int] = field(default_factory=dict)
    catches_referrer: bool = False
