"""Whether an endpoint works, over all its deliveries, and when it is disabled for not working.

Each failed attempt is counted by one atomic update, so that many that fail at once do not wait for
each other, and none is lost. An update whose answer was lost on the way is repeated by the client:
then one attempt may count twice. Nothing is recorded for a webhook that has been deleted.
"""

from __future__ import annotations

from grapevine import runtime
from grapevine.engine.attempts import attempts
from grapevine.table import store
from grapevine.table.store import TransactionCanceled
from grapevine.table.webhooks import Webhook, WebhookHealth, WebhookState

DISABLED_AFTER_MS = 5 * 24 * 60 * 60 * 1000
"""Longer than one delivery's attempts take: a single lost event disables nothing."""

_COUNT = (
    "SET lastFailureAt = :now, failingSince = if_not_exists(failingSince, :now) "
    "ADD failureCount :one, version :one"
)
_DISABLE = "SET autoDisabled = :true ADD version :one"
_CLEAR = "SET failureCount = :zero, autoDisabled = :false REMOVE failingSince ADD version :one"
_SAME_WEBHOOK = "webhookCreatedAt = :createdAt"
_STILL_FAILING = f"{_SAME_WEBHOOK} AND failingSince = :since"


def record_success(state: WebhookState) -> None:
    """Clears everything but the memory of the last failure, for a webhook that was read when the
    attempt began.

    Raises:
        Busy
    """
    health = state.health
    if health.failure_count or health.auto_disabled:
        _change(state.webhook, _CLEAR, {":zero": 0, ":false": False})


def record_failure(webhook: Webhook, *, last_attempt: bool) -> None:
    """Counts a failed attempt. `last_attempt` says that this delivery will not be attempted again:
    only then may the endpoint be disabled, for a delivery under way may yet succeed.

    Raises:
        Busy
    """
    now = runtime.now_ms()
    after = _change(webhook, _COUNT, {":now": now})
    if after is None or not last_attempt or not is_persistent(after.failing_since, now):
        return
    # A success in this moment clears what was counted: then it is not disabled.
    _change(webhook, _DISABLE, {":true": True, ":since": after.failing_since}, _STILL_FAILING)


def is_persistent(failing_since: int | None, now_ms: int) -> bool:
    """Whether every attempt has failed for more than five days."""
    return failing_since is not None and now_ms - failing_since > DISABLED_AFTER_MS


def _change(
    webhook: Webhook,
    expression: str,
    values: dict[str, object],
    condition: str = _SAME_WEBHOOK,
) -> WebhookHealth | None:
    """The health after the change; None when the condition does not hold."""
    values = {**values, ":one": 1, ":createdAt": webhook.created_at}
    for _ in attempts():
        try:
            item = store.change(webhook.health_key, expression, values, condition)
        except TransactionCanceled:
            continue
        return WebhookHealth.from_item(item) if item else None
    raise AssertionError("attempts() ends by raising Busy")
