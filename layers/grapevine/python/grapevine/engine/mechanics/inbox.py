"""Taking events that name no campaign: all of a request in one transaction, or none.

What they earn is found out later. The table's stream hands each of them to `engine/mechanics/
handing.py`, so what is answered is not lost, whatever dies next.
"""

from __future__ import annotations

import hashlib
import json
import secrets
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from grapevine import runtime
from grapevine.engine.attempts import attempts
from grapevine.engine.mechanics.receipts import fingerprint_of
from grapevine.errors import KeyReused
from grapevine.months import DAY_MS
from grapevine.table import store
from grapevine.table.inbox import InboxEvent, InboxReceipt
from grapevine.table.ledger import Trust
from grapevine.table.store import TransactionCanceled
from grapevine.table.writes import ABSENT, Put, Write, expiring_at

KEPT_MS = 30 * DAY_MS
"""How long an event waits at most, and how long a repeated request is known to be one."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Report:
    """What one user did: the metadata of each event, by the event's type. `key` is the client's
    own: the same request has the same. An app and a server have keys of their own, as anybody can
    guess keys and read the app's credentials."""

    user_id: str
    events: Mapping[str, Mapping[str, Any]]
    display_name: str | None
    trust: Trust
    key: str | None


def accept(account_id: str, report: Report) -> None:
    """All events of the report are stored when it returns. A report that was taken before is not
    taken again.

    Raises:
        KeyReused: the key came before with another report.
        Busy: nothing was written.
    """
    for _ in attempts():
        at = runtime.now_ms()
        receipt = _receipt(account_id, report, at)
        events = _events(account_id, report, at)
        writes: list[Write] = [Put(one.to_item(), ABSENT) for one in events]
        if receipt is not None:
            before = store.get(receipt.key)
            if before is not None and _knows(InboxReceipt.from_item(before), receipt, at):
                return
            unchanged = expiring_at(int(before["expiresAt"])) if before else ABSENT
            writes.append(Put(receipt.to_item(), unchanged))
        try:
            store.transact(writes)
        except TransactionCanceled:
            continue
        return
    raise AssertionError("attempts() ends by raising Busy")


def _knows(before: InboxReceipt, receipt: InboxReceipt, at: int) -> bool:
    """Not one that has expired: until the table deletes it, hours or days may pass."""
    if before.expires_at * 1000 <= at:
        return False
    if before.fingerprint != receipt.fingerprint:
        raise KeyReused
    return True


def _receipt(account_id: str, report: Report, at: int) -> InboxReceipt | None:
    if report.key is None:
        return None
    scope = [] if report.trust == "server" else [report.trust]
    told = {"events": report.events, "displayName": report.display_name}
    return InboxReceipt(
        account_id=account_id,
        key_hash=_hash(*scope, report.key),
        fingerprint=fingerprint_of(report.user_id, "", told),
        expires_at=(at + KEPT_MS) // 1000,
    )


def _events(account_id: str, report: Report, at: int) -> list[InboxEvent]:
    # Not of the key, which may name another request when its receipt is gone: the receipt, in the
    # same transaction, is all that makes a repeated request known.
    request = secrets.token_hex(16)
    # Others see a player's name: who has the app's key could give it to anybody.
    name = report.display_name if report.trust == "server" else None
    return [
        InboxEvent(
            account_id=account_id,
            inbox_id=f"inb_{_hash(request, event_type)}",
            user_id=report.user_id,
            event_type=event_type,
            metadata=dict(metadata),
            display_name=name,
            trust=report.trust,
            at=at,
            expires_at=(at + KEPT_MS) // 1000,
        )
        for event_type, metadata in report.events.items()
    ]


def _hash(*parts: str) -> str:
    return hashlib.sha256(json.dumps(parts).encode()).hexdigest()[:40]
