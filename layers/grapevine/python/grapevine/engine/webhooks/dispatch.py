"""Putting deliveries into the queue, now or after a short delay.

A message only names a delivery. The delivery itself is in the due index as well, a little later
than the message will arrive, so a message that is lost costs time and no event.
"""

from __future__ import annotations

from collections.abc import Sequence

from grapevine import runtime
from grapevine.engine import messages
from grapevine.table.keys import Key
from grapevine.table.webhooks import Delivery

FIRST_ATTEMPT_BY_MS = 2 * 60 * 1000
"""When the sweep takes up a delivery whose first message has not arrived."""

LONGEST_DELAY_SECONDS = 15 * 60
"""What a queue can delay a message by."""


def queue_now(deliveries: Sequence[Delivery]) -> None:
    queue_keys([delivery.key for delivery in deliveries])


def queue_keys(delivery_keys: Sequence[Key], delay_seconds: int = 0) -> None:
    """Raises RuntimeError when the queue did not take all; those fall due by themselves."""
    queue_url = runtime.settings().webhook_queue_url
    messages.send(queue_url, delivery_keys, delay_seconds=delay_seconds, group_of=_webhook_of)


def _webhook_of(delivery_key: Key) -> str:
    return delivery_key.partition
