"""Messages that name an item of the table, put into a queue and taken out of it.

A message says where the item is and nothing else: whoever takes it looks at the item as it is now.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Sequence
from typing import Any, Literal

from grapevine import runtime
from grapevine.table.keys import Key

_MESSAGES_PER_CALL = 10


class UnknownItem(Exception):
    """Something is due or named by a message that no code handles: a defect."""


class NotQueued(RuntimeError):
    """The queue did not take all messages."""


def send(
    queue_url: str,
    item_keys: Sequence[Key],
    *,
    delay_seconds: int = 0,
    group_of: Callable[[Key], str] | None = None,
) -> None:
    """`group_of`: which group of a fair queue an item belongs to, so that many of one group do not
    hold up the others.

    Raises:
        NotQueued: the queue did not take all. Every item is in the due index as well, so what
            was not taken falls due again.
    """
    for start in range(0, len(item_keys), _MESSAGES_PER_CALL):
        page = item_keys[start : start + _MESSAGES_PER_CALL]
        entries: list[Any] = [
            {"Id": str(index), "MessageBody": json.dumps(key._asdict())}
            | ({"DelaySeconds": delay_seconds} if delay_seconds else {})
            | ({"MessageGroupId": group_of(key)} if group_of else {})
            for index, key in enumerate(page)
        ]
        response = runtime.sqs().send_message_batch(QueueUrl=queue_url, Entries=entries)
        if response.get("Failed"):
            raise NotQueued(f"{len(response['Failed'])} messages could not be queued")


def count_waiting(queue_url: str) -> int:
    """About how many messages of the queue could be taken now: neither those under way nor those
    with a delay."""
    name: Literal["ApproximateNumberOfMessages"] = "ApproximateNumberOfMessages"
    answer = runtime.sqs().get_queue_attributes(QueueUrl=queue_url, AttributeNames=[name])
    return int(answer["Attributes"][name])


def key_in(message: str) -> Key:
    """Raises ValueError, KeyError or TypeError for a message that names nothing."""
    body = json.loads(message)
    return Key(body["partition"], body["sort"])
