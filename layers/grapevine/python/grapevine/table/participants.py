"""A participant's profile, and the items that come and go with it: the guards that keep e-mail
addresses and share keys unique, and the entries by which metadata values are found.

They are written and removed in the same transaction as the profile that holds the value.
"""

from __future__ import annotations

import hashlib
import json
from dataclasses import dataclass
from typing import Any, ClassVar, Literal

from grapevine.table import keys, store
from grapevine.table.entity import Entity, as_json
from grapevine.table.keys import Key


def normalise_email(email: str) -> str:
    """Addresses are the same when they are equal after trim, without regard to case."""
    return email.strip().casefold()


@dataclass(frozen=True, slots=True, kw_only=True)
class Profile(Entity):
    """Who a participant is. What ranks are made of is in its standing.

    `referrer_id` stays when the referrer is deleted until the clean-up has run; whoever reads it
    must find the referrer alive. `fraud_changed_at` (ms) is when the fraud risk level last became
    another one; no two changes of a participant have the same, and none has it from the start.
    """

    TYPE: ClassVar[str] = "Profile"

    campaign_id: str
    participant_id: str
    version: int = 0
    email: str
    first_name: str | None = None
    last_name: str | None = None
    created_at: int
    referral_source: Literal["DIRECT", "PARTICIPANT", "DELETED_PARTICIPANT"] = "DIRECT"
    referrer_id: str | None = None
    metadata: dict[str, Any] = as_json()
    vanity_keys: tuple[str, ...] = ()
    notes: str | None = None
    unsubscribed: bool = False
    ip_address: str | None = None
    fingerprint: str | None = None
    mobile_instance_id: str | None = None
    paypal_email: str | None = None
    fraud_risk_level: Literal["LOW", "MEDIUM", "HIGH"] = "LOW"
    fraud_reason_code: str = "UNIQUE_IDENTITY"
    fraud_changed_at: int | None = None

    @property
    def key(self) -> Key:
        return keys.profile(self.campaign_id, self.participant_id)

    @property
    def email_guard(self) -> EmailGuard:
        return EmailGuard(
            campaign_id=self.campaign_id,
            email=normalise_email(self.email),
            participant_id=self.participant_id,
        )

    @property
    def key_guards(self) -> list[KeyGuard]:
        """One for the id and one for each vanity key: they share a namespace."""
        return [
            KeyGuard(
                campaign_id=self.campaign_id,
                share_key=share_key,
                participant_id=self.participant_id,
            )
            for share_key in dict.fromkeys(
                share_key.lower() for share_key in (self.participant_id, *self.vanity_keys)
            )
        ]

    @property
    def metadata_entries(self) -> list[MetadataEntry]:
        """One for each key and value, by which the participant is found."""
        return [
            MetadataEntry(
                campaign_id=self.campaign_id,
                pair_hash=hash_of_pair(key, text_of(value)),
                participant_id=self.participant_id,
            )
            for key, value in self.metadata.items()
        ]

    @property
    def companions(self) -> list[EmailGuard | KeyGuard | MetadataEntry]:
        """All items that come and go with what the profile says."""
        return [self.email_guard, *self.key_guards, *self.metadata_entries]


def text_of(value: object) -> str:
    """A metadata value as text: values are compared as such (growsurf)."""
    return value if isinstance(value, str) else json.dumps(value)


def hash_of_pair(key: str, text: str) -> str:
    return hashlib.sha256(json.dumps([key, text]).encode()).hexdigest()[:32]


@dataclass(frozen=True, slots=True, kw_only=True)
class MetadataEntry(Entity):
    TYPE: ClassVar[str] = "MetadataEntry"

    campaign_id: str
    pair_hash: str
    participant_id: str

    @property
    def key(self) -> Key:
        return keys.metadata_entry(self.campaign_id, self.pair_hash, self.participant_id)


def ids_with(
    campaign_id: str, pair_hash: str, limit: int, *, from_id: str | None = None
) -> list[str]:
    """Up to `limit` participants with a metadata value, by id, from `from_id` on."""
    first = keys.metadata_entry(campaign_id, pair_hash, from_id or "-").sort
    last = f"{keys.PARTICIPANT_PREFIX}~"
    entries = store.query(
        None,
        keys.metadata_pair(campaign_id, pair_hash),
        limit=limit,
        between=(first, last),
    )
    return [entry["participantId"] for entry in entries]


@dataclass(frozen=True, slots=True, kw_only=True)
class EmailGuard(Entity):
    """`email` is normalised."""

    TYPE: ClassVar[str] = "EmailGuard"

    campaign_id: str
    email: str
    participant_id: str

    @property
    def key(self) -> Key:
        return keys.email_guard(self.campaign_id, self.email)


@dataclass(frozen=True, slots=True, kw_only=True)
class KeyGuard(Entity):
    """`share_key` is a participant id or a vanity key, in lower case."""

    TYPE: ClassVar[str] = "KeyGuard"

    campaign_id: str
    share_key: str
    participant_id: str

    @property
    def key(self) -> Key:
        return keys.key_guard(self.campaign_id, self.share_key)
