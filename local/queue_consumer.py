"""Delivers one queue to one function, as Lambda's event source mapping does.

What fails stays in the queue and comes back when its visibility timeout is over on the stack's
clock, until the queue's redrive policy moves it on. Messages that match no filter are deleted.
Batches are delivered side by side, up to the mapping's maximum concurrency; without one, one after
the other.
"""

from __future__ import annotations

import contextlib
import json
import math
from concurrent.futures import ThreadPoolExecutor
from typing import Any

from local.batches import WholeBatchFailed, failed_positions
from local.declarations import QueueMapping
from local.names import REGION
from local.queues import Message, Queues
from local.sqs_api import system_attributes
from local.stream_consumer import Invoke, Progress


class QueueConsumer:
    def __init__(self, mapping: QueueMapping, queues: Queues, invoke: Invoke) -> None:
        self.mapping = mapping
        self.batch_size = mapping.batch_size
        self.held = False
        self.last_delivered: list[dict[str, Any]] = []
        """The records of the latest batch, as they were given to the function."""
        self._queues = queues
        self._invoke = invoke

    def step(self) -> Progress:
        """Deliver one batch of visible messages, if there are any; where batches go side by side,
        all that are there."""
        if self.held:
            return Progress()
        batches = math.ceil(self._queues.count_visible(self.mapping.source_arn) / self.batch_size)
        workers = min(batches, self.mapping.max_concurrency)
        if workers < 2:
            return self._deliver_next()
        with ThreadPoolExecutor(workers) as pool:
            done = list(pool.map(lambda _: self._deliver_all(), range(workers)))
        return Progress(sum(done), again=True)

    def _deliver_all(self) -> int:
        """Deliver batches until no message is visible; how many messages there were."""
        done = 0
        while (progress := self._deliver_next()).again:
            done += progress.records
        return done

    def _deliver_next(self) -> Progress:
        received = self._queues.receive(self.mapping.source_arn, self.batch_size)
        wanted = [each for each in received if self._matches(each)]
        for message in received:
            if message not in wanted:
                self._delete(message)
        if wanted:
            self._deliver(wanted)
        return Progress(len(wanted), again=bool(received))

    def take_pending(self) -> list[dict[str, Any]]:
        """Take every visible message out of the queue, without delivering it."""
        received = self._queues.receive(self.mapping.source_arn, most=1_000_000)
        for message in received:
            self._delete(message)
        return [self._record(each) for each in received]

    def event(self, records: list[dict[str, Any]]) -> dict[str, Any]:
        return {"Records": records}

    def _deliver(self, messages: list[Message]) -> None:
        event = self.event([self._record(each) for each in messages])
        self.last_delivered = event["Records"]
        outcome = self._invoke(self.mapping.function_id, event)
        if outcome.failure is not None:
            return
        failed: list[int] = []
        if self.mapping.reports_item_failures:
            try:
                failed = failed_positions(outcome.payload, [each.message_id for each in messages])
            except WholeBatchFailed:
                return
        for position, message in enumerate(messages):
            if position not in failed:
                self._delete(message)

    def _delete(self, message: Message) -> None:
        assert message.receipt is not None
        self._queues.delete(self.mapping.source_arn, message.receipt)

    def _matches(self, message: Message) -> bool:
        if not self.mapping.filters:
            return True
        record = self._record(message)
        with contextlib.suppress(ValueError):
            record["body"] = json.loads(message.body)
        return self.mapping.filters(record)

    def _record(self, message: Message) -> dict[str, Any]:
        return {
            "messageId": message.message_id,
            "receiptHandle": message.receipt,
            "body": message.body,
            "attributes": system_attributes(message),
            "messageAttributes": {
                name: _attribute(each) for name, each in message.attributes.items()
            },
            "md5OfBody": message.body_md5,
            "eventSource": "aws:sqs",
            "eventSourceARN": self.mapping.source_arn,
            "awsRegion": REGION,
        }


def _attribute(attribute: dict[str, Any]) -> dict[str, Any]:
    """Lambda writes the names of a message attribute's parts with a small first letter."""
    return {name[0].lower() + name[1:]: value for name, value in attribute.items()}
