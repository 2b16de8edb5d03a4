"""A participant's profile, and the guards that keep e-mail addresses and share keys unique.

A guard is written and removed in the same transaction as the profile that holds its value.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, ClassVar, Literal

from grapevine.table import keys
from grapevine.table.entity import Entity, as_json
from grapevine.table.keys import Key


def normalise_email(email: str) -> str:
    """Addresses are the same when they are equal after trim, without regard to case."""
    return email.strip().casefold()


@dataclass(frozen=True, slots=True, kw_only=True)
class Profile(Entity):
    """Who a participant is. What ranks are made of is in its standing.

    `referrer_id` stays when the referrer is deleted until the clean-up has run; whoever reads it
    must find the referrer alive.
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
