"""Delivers one table stream to one function, as Lambda's event source mapping does.

Records of a stream are delivered in order, one batch at a time: a batch that fails stays at the
head of its stream. These are Lambda's documented rules, where they leave room the harsher reading:

- An answer with `batchItemFailures` is a partial success up to its lowest sequence number. The
  rest, from that record on, is a new batch whose retries are counted anew.
- An answer that names the batch's first record is no progress, and no reason to bisect ("the
  batch is bisected at the returned sequence number": nothing lies before it). The whole batch is
  retried, and lost together when its retries are used up. A consumer that wants the records
  behind a poison record saved must raise when the first record of a batch fails.
- A batch whose invocation fails, or whose answer makes no sense, is bisected if the mapping says
  so and it has more than one record; halves count their retries anew.
- Without delay between retries, because nothing else moves while the stack is drained.
- A mapping without a limit of retries tries a failing batch once each time that the stack is
  worked off, or else it would never be done.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from local.batches import WholeBatchFailed, failed_positions
from local.declarations import StreamMapping
from local.destinations import stream_failure
from local.functions import Outcome
from local.stream_log import Entry, StreamLog

Invoke = Callable[[str, Any], Outcome]
SendFailure = Callable[[str, str], object]


@dataclass(slots=True)
class _Batch:
    entries: list[Entry]
    attempts: int = 0


@dataclass(frozen=True, slots=True)
class Progress:
    """How many records are done with, and whether to come back at once."""

    records: int = 0
    again: bool = False


class StreamConsumer:
    def __init__(
        self,
        mapping: StreamMapping,
        log: StreamLog,
        function_arn: str,
        invoke: Invoke,
        send_failure: SendFailure,
        now_ms: Callable[[], int],
    ) -> None:
        self.mapping = mapping
        self.batch_size = mapping.batch_size
        self.held = False
        self.last_delivered: list[dict[str, Any]] = []
        """The records of the latest batch, as they were given to the function."""
        self._log = log
        self._reader = log.reader()
        self._function_arn = function_arn
        self._invoke = invoke
        self._send_failure = send_failure
        self._now_ms = now_ms
        self._waiting: deque[_Batch] = deque()

    def step(self) -> Progress:
        """Deliver the batch at the head of the stream, if there is one."""
        if self.held:
            return Progress()
        if not self._waiting:
            entries = self.take(self.batch_size)
            if not entries:
                return Progress()
            self._waiting.append(_Batch(entries))
        batch = self._waiting[0]
        expired = self._drop_expired(batch)
        if not batch.entries:
            self._waiting.popleft()
            return Progress(expired, again=True)
        progress = self._deliver(batch)
        return Progress(expired + progress.records, progress.again)

    def take(self, most: int | None = None) -> list[Entry]:
        """Take matching records off the stream; all of one shard."""
        taken: list[Entry] = []
        while most is None or len(taken) < most:
            entry = self._reader.peek()
            if entry is None or (taken and entry.shard_id != taken[0].shard_id):
                break
            self._reader.advance()
            if self.mapping.filters(entry.record):
                taken.append(entry)
        return taken

    def take_pending(self) -> list[dict[str, Any]]:
        """Take every matching record off the stream, without delivering it."""
        self._log.poll()
        batches = [batch.entries for batch in self._waiting]
        self._waiting.clear()
        while taken := self.take():
            batches.append(taken)
        return [entry.record for batch in batches for entry in batch]

    def event(self, records: list[dict[str, Any]]) -> dict[str, Any]:
        return {
            "Records": [{**each, "eventSourceARN": self.mapping.source_arn} for each in records]
        }

    def _deliver(self, batch: _Batch) -> Progress:
        event = self.event([entry.record for entry in batch.entries])
        self.last_delivered = event["Records"]
        outcome = self._invoke(self.mapping.function_id, event)
        batch.attempts += 1
        if outcome.failure is not None:
            return self._failed(batch, outcome)
        if not self.mapping.reports_item_failures:
            return self._succeeded(batch)
        try:
            numbers = [entry.sequence_number for entry in batch.entries]
            failed = failed_positions(outcome.payload, numbers)
        except WholeBatchFailed:
            return self._failed(batch, outcome)
        if not failed:
            return self._succeeded(batch)
        if failed[0] == 0:
            return self._retried(batch, outcome)
        self._waiting[0] = _Batch(batch.entries[failed[0] :])
        return Progress(failed[0], again=True)

    def _succeeded(self, batch: _Batch) -> Progress:
        self._waiting.popleft()
        return Progress(len(batch.entries), again=True)

    def _failed(self, batch: _Batch, outcome: Outcome) -> Progress:
        if not self.mapping.bisects or len(batch.entries) == 1:
            return self._retried(batch, outcome)
        middle = len(batch.entries) // 2
        self._waiting.popleft()
        self._waiting.appendleft(_Batch(batch.entries[middle:]))
        self._waiting.appendleft(_Batch(batch.entries[:middle]))
        return Progress(again=True)

    def _retried(self, batch: _Batch, outcome: Outcome) -> Progress:
        limit = self.mapping.max_retries
        if limit < 0:
            return Progress()
        if batch.attempts <= limit:
            return Progress(again=True)
        self._waiting.popleft()
        self._give_up(batch, "RetryAttemptsExhausted", outcome)
        return Progress(len(batch.entries), again=True)

    def _drop_expired(self, batch: _Batch) -> int:
        """Give up the records at the head that are too old; how many there were."""
        if self.mapping.max_age_s < 0:
            return 0
        oldest = self._now_ms() - self.mapping.max_age_s * 1000
        expired = [entry for entry in batch.entries if entry.arrived_at < oldest]
        if expired:
            batch.entries = batch.entries[len(expired) :]
            self._give_up(_Batch(expired, batch.attempts), "RecordAgeExceeded", None)
        return len(expired)

    def _give_up(self, batch: _Batch, condition: str, outcome: Outcome | None) -> None:
        if self.mapping.on_failure_arn is None:
            return
        message = stream_failure(
            entries=batch.entries,
            stream_arn=self.mapping.source_arn,
            function_arn=self._function_arn,
            condition=condition,
            attempts=batch.attempts,
            outcome=outcome,
            now_ms=self._now_ms(),
        )
        self._send_failure(self.mapping.on_failure_arn, message)
