"""What is kept about fraud: who was seen with a trait, why somebody was flagged, and the campaign's
lists.

A trait is an IP address, a device or a mailbox, known by a keyed hash. Its item lists the last
participants who had it, and nothing of them but their ids. It is written in the transaction in
which somebody joins, under its version, so that two who come at once see each other;
whoever leaves is taken out in the transaction of the deletion.
"""

from __future__ import annotations

import hashlib
import hmac
from collections.abc import Iterable
from dataclasses import dataclass, replace
from typing import Any, ClassVar, Literal, NamedTuple

from grapevine.table import fraud_keys
from grapevine.table.entity import Entity
from grapevine.table.keys import Key

Level = Literal["LOW", "MEDIUM", "HIGH"]
Kind = Literal["email", "fingerprint", "instance", "ip"]
ListName = Literal["allowedEmails", "allowedIps", "blockedEmails", "blockedIps"]

MOST_SIGHTINGS = 128
"""More than any cap on sign-ups; whoever was seen before them is forgotten."""

_NOBODY = "-"


class Sighting(NamedTuple):
    """That a participant was seen with a trait, when it joined (ms), and who had referred it."""

    at: int
    participant_id: str
    referrer_id: str | None = None


def hash_of_trait(secret: str, kind: Kind, value: str) -> str:
    """Another one in every campaign. It is keyed with the campaign's secret, as there are few
    enough IP addresses to try all of them."""
    text = f"{kind}\n{value}".encode("utf-8", "replace")
    return hmac.new(secret.encode(), text, hashlib.sha256).hexdigest()[:32]


@dataclass(frozen=True, slots=True, kw_only=True)
class Trait(Entity):
    """`seen` has the oldest first, each as time, participant and referrer."""

    TYPE: ClassVar[str] = "Trait"

    campaign_id: str
    trait_hash: str
    version: int = 0
    seen: tuple[str, ...] = ()

    @property
    def key(self) -> Key:
        return fraud_keys.trait(self.campaign_id, self.trait_hash)

    @property
    def sightings(self) -> tuple[Sighting, ...]:
        return tuple(_sighting(text) for text in self.seen)

    def without(self, participant_id: str) -> Trait:
        return self._with(each for each in self.sightings if each.participant_id != participant_id)

    def including(self, sighting: Sighting) -> Trait:
        """With the newest one at the end; an older one of the same participant is replaced."""
        others = self.without(sighting.participant_id).sightings
        return self._with(sorted([*others, sighting])[-MOST_SIGHTINGS:])

    def _with(self, sightings: Iterable[Sighting]) -> Trait:
        seen = tuple(
            f"{each.at} {each.participant_id} {each.referrer_id or _NOBODY}" for each in sightings
        )
        return replace(self, seen=seen)


def _sighting(text: str) -> Sighting:
    at, participant_id, referrer_id = text.split(" ")
    return Sighting(int(at), participant_id, None if referrer_id == _NOBODY else referrer_id)


@dataclass(frozen=True, slots=True, kw_only=True)
class FraudReport(Entity):
    """Why a participant has its level: there once a rule has found something, or somebody has
    decided. `findings` are of the last screening that found them, `history` has every change of
    level or reason, oldest first. `changed_at` (ms) is when the level last became another one than
    the participant joined with; no two changes have the same."""

    TYPE: ClassVar[str] = "FraudReport"

    campaign_id: str
    participant_id: str
    version: int = 0
    screened_at: int
    findings: tuple[dict[str, Any], ...] = ()
    history: tuple[dict[str, Any], ...] = ()
    changed_at: int | None = None

    @property
    def key(self) -> Key:
        return fraud_keys.fraud_report(self.campaign_id, self.participant_id)


@dataclass(frozen=True, slots=True, kw_only=True)
class FraudList(Entity):
    """One of the campaign's lists; its version is that of the campaign it was written with."""

    TYPE: ClassVar[str] = "FraudList"

    campaign_id: str
    name: ListName
    version: int
    entries: tuple[str, ...]

    @property
    def key(self) -> Key:
        return fraud_keys.fraud_list(self.campaign_id, self.name)
