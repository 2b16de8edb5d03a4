"""Events that have come without a campaign, until every campaign has taken them."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, ClassVar

from grapevine.table import event_keys
from grapevine.table.entity import Entity, as_exact_json
from grapevine.table.keys import Key
from grapevine.table.ledger import Trust


@dataclass(frozen=True, slots=True, kw_only=True)
class InboxEvent(Entity):
    """An event as it was sent, `at` (ms) when it was. Never changed; `expires_at` in seconds."""

    TYPE: ClassVar[str] = "InboxEvent"

    account_id: str
    inbox_id: str
    user_id: str
    event_type: str
    metadata: dict[str, Any] = as_exact_json()
    display_name: str | None = None
    trust: Trust
    at: int
    expires_at: int

    @property
    def key(self) -> Key:
        return event_keys.inbox_event(self.account_id, self.inbox_id)


@dataclass(frozen=True, slots=True, kw_only=True)
class InboxReceipt(Entity):
    """That a request was taken whose client had named it; `fingerprint` says what it was."""

    TYPE: ClassVar[str] = "InboxReceipt"

    account_id: str
    key_hash: str
    fingerprint: str
    expires_at: int

    @property
    def key(self) -> Key:
        return event_keys.inbox_receipt(self.account_id, self.key_hash)
