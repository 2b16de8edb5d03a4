"""Standard SQS queues in memory, driven by the stack's clock."""

from __future__ import annotations

import hashlib
import threading
import uuid
from collections import Counter
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field, replace
from typing import Any

from local.declarations import Queue as Declaration


class UnknownQueue(LookupError):
    """No queue of the template has this URL, ARN or logical id."""


class UnknownReceipt(LookupError):
    """The receipt handle never was one of this queue, or its message has been received again."""


@dataclass(slots=True)
class Message:
    """Times are Unix milliseconds on the stack's clock. Messages without a group are groups of
    their own."""

    message_id: str
    body: str
    attributes: Mapping[str, Any]
    sent_at: int
    visible_at: int
    group: str | None = None
    receive_count: int = 0
    first_received_at: int | None = None
    receipt: str | None = None

    @property
    def body_md5(self) -> str:
        return hashlib.md5(self.body.encode(), usedforsecurity=False).hexdigest()


@dataclass(slots=True)
class Queue:
    declaration: Declaration
    messages: list[Message] = field(default_factory=list)


class Queues:
    """All queues of a stack. Every method is safe to call from any thread."""

    def __init__(self, declared: Iterable[Declaration], now_ms: Callable[[], int]) -> None:
        self._queues = {each.logical_id: Queue(each) for each in declared}
        self._ids = {
            key: each.logical_id
            for each in (queue.declaration for queue in self._queues.values())
            for key in (each.logical_id, each.url, each.arn, each.name)
        }
        self._now_ms = now_ms
        self._lock = threading.RLock()

    def declaration(self, address: str) -> Declaration:
        """The queue with this URL, ARN, name or logical id."""
        return self._queue(address).declaration

    def send(
        self,
        address: str,
        body: str,
        *,
        delay_s: int | None = None,
        attributes: Mapping[str, Any] | None = None,
        group: str | None = None,
    ) -> Message:
        with self._lock:
            queue = self._queue(address)
            now = self._now_ms()
            delay = queue.declaration.delay_s if delay_s is None else delay_s
            message = Message(
                str(uuid.uuid4()),
                body,
                attributes or {},
                now,
                visible_at=now + delay * 1000,
                group=group,
            )
            queue.messages.append(message)
            return replace(message)

    def receive(
        self, address: str, most: int, visibility_timeout_s: int | None = None
    ) -> list[Message]:
        """Up to `most` visible messages, in the order of a fair queue: those of groups with fewer
        messages under way first, and the oldest of those. Received too often, they are moved on."""
        with self._lock:
            queue = self._queue(address)
            self._move_on(queue)
            now = self._now_ms()
            timeout = visibility_timeout_s
            if timeout is None:
                timeout = queue.declaration.visibility_timeout_s
            received = _in_fair_order(queue.messages, now)[:most]
            for message in received:
                message.visible_at = now + timeout * 1000
                message.receive_count += 1
                message.first_received_at = message.first_received_at or now
                message.receipt = str(uuid.uuid4())
            return [replace(each) for each in received]

    def delete(self, address: str, receipt: str) -> None:
        """Deleting twice is no error."""
        with self._lock:
            queue = self._queue(address)
            queue.messages = [each for each in queue.messages if each.receipt != receipt]

    def change_visibility(self, address: str, receipt: str, timeout_s: int) -> None:
        with self._lock:
            for message in self._queue(address).messages:
                if message.receipt == receipt:
                    message.visible_at = self._now_ms() + timeout_s * 1000
                    return
            raise UnknownReceipt(receipt)

    def messages(self, address: str) -> list[Message]:
        """Everything in the queue, visible or not; nothing counts as received."""
        with self._lock:
            queue = self._queue(address)
            self._expire(queue)
            return [replace(each) for each in queue.messages]

    def count_visible(self, address: str) -> int:
        with self._lock:
            now = self._now_ms()
            return sum(each.visible_at <= now for each in self._queue(address).messages)

    def next_visible_at(self, addresses: Iterable[str]) -> int | None:
        """The next moment after now at which a message of these queues becomes visible."""
        with self._lock:
            now = self._now_ms()
            moments = [
                message.visible_at
                for address in addresses
                for message in self._queue(address).messages
                if message.visible_at > now
            ]
            return min(moments, default=None)

    def _queue(self, address: str) -> Queue:
        try:
            return self._queues[self._ids[address]]
        except KeyError:
            raise UnknownQueue(address) from None

    def _expire(self, queue: Queue) -> None:
        oldest = self._now_ms() - queue.declaration.retention_s * 1000
        queue.messages = [each for each in queue.messages if each.sent_at > oldest]

    def _move_on(self, queue: Queue) -> None:
        """Expire what is too old, and hand what failed too often to the dead-letter queue."""
        self._expire(queue)
        redrive = queue.declaration.redrive
        if redrive is None:
            return
        now = self._now_ms()
        spent = [
            each
            for each in queue.messages
            if each.visible_at <= now and each.receive_count >= redrive.max_receive_count
        ]
        for message in spent:
            queue.messages.remove(message)
            # A standard queue keeps the time at which the message was first sent.
            self._queue(redrive.target_arn).messages.append(
                replace(message, visible_at=now, receipt=None)
            )


def _in_fair_order(messages: Iterable[Message], now: int) -> list[Message]:
    """The visible messages: each waits for as many of its group as are under way or before it."""
    before = Counter(
        each.group for each in messages if each.receipt is not None and each.visible_at > now
    )
    visible: list[tuple[int, Message]] = []
    for message in messages:
        if message.visible_at > now:
            continue
        visible.append((before[message.group] if message.group is not None else 0, message))
        before[message.group] += 1
    return [message for _, message in sorted(visible, key=lambda each: each[0])]
