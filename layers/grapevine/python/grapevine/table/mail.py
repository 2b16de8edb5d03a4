"""E-mails that are to be sent, the texts that several of them share, and addresses that get none.

An e-mail is one item from the fact that asks for it until long after it was sent: so no fact is
told twice. It names its recipient and never holds an address.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, ClassVar, Literal

from grapevine.table import keys
from grapevine.table.entity import Entity, as_json
from grapevine.table.keys import Key

MailKind = Literal["invite", "program", "freeform"]
MailState = Literal["QUEUED", "SENDING", "SENT", "FAILED", "SUPPRESSED"]
SuppressionReason = Literal["BOUNCE", "COMPLAINT", "UNSUBSCRIBED"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Mail(Entity):
    """`participant_id` is who gets it, and for an invite who sends it: an invite goes to the
    address of the Invite with `address_hash`. `template` is the key of a program e-mail, `text_id`
    names a MailText, and `data` holds what else the text needs: ids and numbers, nothing personal.

    Times in ms. No attempt begins before `next_attempt_at`; while one is under way that is the end
    of its lease. `address_hash` says from the first attempt on where it went. `reason` is why it
    failed or was suppressed. It goes away by its `expires_at` (seconds).
    """

    TYPE: ClassVar[str] = "Mail"

    campaign_id: str
    mail_id: str
    version: int = 0
    kind: MailKind
    template: str | None = None
    participant_id: str
    address_hash: str | None = None
    text_id: str | None = None
    data: dict[str, Any] = as_json()
    state: MailState = "QUEUED"
    reason: str | None = None
    attempts: int = 0
    created_at: int
    next_attempt_at: int
    ses_message_id: str | None = None
    sent_at: int | None = None
    delivered_at: int | None = None
    bounced_at: int | None = None
    complained_at: int | None = None
    due_shard: str | None = None
    due_at: int | None = None
    expires_at: int

    @property
    def key(self) -> Key:
        return keys.mail(self.campaign_id, self.mail_id)

    @property
    def is_waiting(self) -> bool:
        """Whether it may still have to be sent."""
        return self.state in {"QUEUED", "SENDING"}


@dataclass(frozen=True, slots=True, kw_only=True)
class MailText(Entity):
    """A subject and a message as they were sent to the API, for all e-mails of that request; gone
    by its `expires_at` (seconds), when none of them can be sent any more."""

    TYPE: ClassVar[str] = "MailText"

    campaign_id: str
    text_id: str
    subject: str
    message: str
    preheader: str | None = None
    expires_at: int

    @property
    def key(self) -> Key:
        return keys.mail_text(self.campaign_id, self.text_id)


@dataclass(frozen=True, slots=True, kw_only=True)
class Suppression(Entity):
    """An address that gets no e-mail of this campaign any more, by its hash; `at` in ms.
    `wish_of`: the participant who unsubscribed, as a hash; None where the address itself did."""

    TYPE: ClassVar[str] = "Suppression"

    campaign_id: str
    address_hash: str
    reason: SuppressionReason
    wish_of: str | None = None
    at: int

    @property
    def key(self) -> Key:
        return keys.suppression(self.campaign_id, self.address_hash)
