"""Taking a delivery from the queue, attempting it, and writing down what came of it.

The delivery is claimed before the attempt, under its version, for as long as an attempt can take.
Dying between the attempt and its record repeats that attempt when the claim ends: the same bytes
under the same id, so a receiver can tell. That is the only way to get an event twice.
"""

from __future__ import annotations

import math
import random
from dataclasses import replace
from typing import Any

from grapevine import runtime
from grapevine.engine.attempts import attempts
from grapevine.engine.messages import key_in
from grapevine.engine.webhooks import health, schedule, secrets, signing
from grapevine.engine.webhooks.dispatch import LONGEST_DELAY_SECONDS, queue_keys
from grapevine.engine.webhooks.outcome import Outcome
from grapevine.engine.webhooks.sender import Sender
from grapevine.table import keys, store
from grapevine.table.due import shard_of
from grapevine.table.store import TransactionCanceled
from grapevine.table.webhooks import (
    Delivery,
    DeliveryStatus,
    Webhook,
    WebhookEvent,
    WebhookState,
    body_of,
    webhook_in,
    webhook_keys,
)
from grapevine.table.writes import Put, version

CLAIM_MS = 60 * 1000
"""Longer than an attempt and its record take together."""

_EARLY_BY_MS = 1000
"""A queue's clock is not ours: a message may come a little before its time."""

_LATE_BY_MS = 60 * 1000
"""When the sweep sees to an attempt whose message should have arrived."""

_LOGGED_ATTEMPTS = 30

_STATUS: dict[str, DeliveryStatus] = {
    "delivered": "DELIVERED",
    "gone": "FAILED",
    "refused_by_policy": "REFUSED",
    "failed": "FAILED",
}


def deliver(message: str) -> None:
    """Attempts the delivery that the message names, unless it is done, under way or not due yet.

    Raises:
        Busy
    """
    item = store.get(key_in(message))
    delivery = Delivery.from_item(item) if item else None
    if delivery is None or delivery.status != "PENDING" or _is_early(delivery):
        return
    state, event = _read(delivery)
    if state is None or event is None or not state.is_active:
        _finish(delivery, "FAILED")
        return
    claimed = _claimed(delivery)
    if claimed is None:
        return
    outcome = _attempt(state.webhook, event)
    _record(claimed, state, outcome)


def _is_early(delivery: Delivery) -> bool:
    return delivery.next_attempt_at - runtime.now_ms() > _EARLY_BY_MS


def _read(delivery: Delivery) -> tuple[WebhookState | None, WebhookEvent | None]:
    campaign_id, webhook_id = delivery.campaign_id, delivery.webhook_id
    event_key = keys.webhook_event(campaign_id, delivery.event_id)
    found = store.get_many([*webhook_keys(campaign_id, webhook_id), event_key])
    event = WebhookEvent.from_item(found[event_key]) if event_key in found else None
    state = webhook_in(found, campaign_id, webhook_id)
    if state is None or state.webhook.created_at != delivery.webhook_created_at:
        return None, event
    return state, event


def _finish(delivery: Delivery, status: DeliveryStatus) -> None:
    """Ends a delivery that there is no sense in attempting. Losing a race changes nothing."""
    ended = replace(
        delivery,
        version=delivery.version + 1,
        status=status,
        due_at=None,
        due_shard=None,
    )
    _put(delivery, ended)


def _put(before: Delivery, after: Delivery) -> bool:
    """False when somebody else has changed it. A mere conflict says nothing yet."""
    for _ in attempts():
        try:
            store.transact([Put(after.to_item(), version(before.version))])
        except TransactionCanceled as lost:
            if lost.failed:
                return False
            continue
        return True
    raise AssertionError("attempts() ends by raising Busy")


def _claimed(delivery: Delivery) -> Delivery | None:
    """The delivery under a claim; None when somebody else has it."""
    until = runtime.now_ms() + CLAIM_MS
    claimed = replace(
        delivery,
        version=delivery.version + 1,
        next_attempt_at=until,
        due_at=until,
        due_shard=shard_of(delivery.event_id),
    )
    return claimed if _put(delivery, claimed) else None


def sender() -> Sender:
    """The container's sender."""
    cache = runtime.current().cache
    if "sender" not in cache:
        cache["sender"] = Sender(local_hosts=runtime.settings().webhook_local_hosts)
    made: Sender = cache["sender"]
    return made


def _attempt(webhook: Webhook, event: WebhookEvent) -> Outcome:
    body = body_of(event)
    signed = signing.headers(event.event_id, runtime.now_ms(), body, secrets.in_force(webhook))
    return sender().attempt(webhook.payload_url, signed, body)


def _record(claimed: Delivery, state: WebhookState, outcome: Outcome) -> None:
    now = runtime.now_ms()
    made = claimed.attempts_in_round + 1
    next_at = schedule.next_attempt_at(
        outcome, attempts_made=made, now_ms=now, random=random.random
    )
    entry: dict[str, Any] = {
        "at": now,
        "outcome": outcome.kind,
        "status": outcome.status,
        "message": outcome.message,
        "response": outcome.response_snippet[:500],
        "durationMs": outcome.duration_ms,
    }
    recorded = replace(
        claimed,
        version=claimed.version + 1,
        status=_STATUS[outcome.kind],
        attempts={"log": [*claimed.log, entry][-_LOGGED_ATTEMPTS:]},
        attempts_in_round=made,
        due_at=None,
        due_shard=None,
    )
    if next_at is not None:
        recorded = replace(
            recorded,
            status="PENDING",
            next_attempt_at=next_at,
            due_at=next_at + (_LATE_BY_MS if _is_soon(next_at, now) else 0),
            due_shard=shard_of(claimed.event_id),
        )
    if _put(claimed, recorded) and next_at is not None and _is_soon(next_at, now):
        queue_keys([recorded.key], delay_seconds=math.ceil(max(0, next_at - now) / 1000))
    # Last: whatever hinders this must not repeat the attempt.
    match outcome.kind:
        case "delivered":
            health.record_success(state)
        case "failed" | "gone":
            health.record_failure(state.webhook, last_attempt=next_at is None)
        case "refused_by_policy":
            pass  # Our own policy's refusal says nothing of the endpoint's health.


def _is_soon(next_at: int, now: int) -> bool:
    """Soon enough for a queue to delay the message; later attempts are the sweep's."""
    return next_at - now <= LONGEST_DELAY_SECONDS * 1000
