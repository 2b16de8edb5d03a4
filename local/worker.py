"""Moves the stack forward: streams, queues and schedules, one thing after the other."""

from __future__ import annotations

import logging
import threading
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Self

from local.agenda import Agenda, Jump
from local.clock import BackwardMove, Clock
from local.queue_consumer import QueueConsumer
from local.queues import Queues
from local.stream_consumer import StreamConsumer
from local.stream_log import StreamLog

logger = logging.getLogger(__name__)

# A sweep that takes one page of what is due is called again until it finds nothing; this bounds
# a consumer that feeds itself.
_MOST_ROUNDS = 1_000


class NeverDone(RuntimeError):
    """Work begets work without end: a consumer writes what it consumes."""


@dataclass(slots=True)
class Work:
    """How much was delivered and is done with; retries do not count."""

    stream_records: int = 0
    queue_messages: int = 0

    def __iadd__(self, other: Work) -> Self:
        self.stream_records += other.stream_records
        self.queue_messages += other.queue_messages
        return self

    def __bool__(self) -> bool:
        return bool(self.stream_records or self.queue_messages)


class Worker:
    def __init__(
        self,
        clock: Clock,
        agenda: Agenda,
        logs: Sequence[StreamLog],
        stream_consumers: Sequence[StreamConsumer],
        queue_consumers: Sequence[QueueConsumer],
        queues: Queues,
    ) -> None:
        self._clock = clock
        self._agenda = agenda
        self._logs = logs
        self._stream_consumers = stream_consumers
        self._queue_consumers = queue_consumers
        self._queues = queues
        self._sources = [each.mapping.source_arn for each in queue_consumers]
        self._lock = threading.RLock()

    def catch_up(self) -> Work:
        """Do what real time has made due, and everything that is pending."""
        with self._lock:
            return self._move_to(self._clock.now_ms())

    def move_to(self, target_ms: int) -> Work:
        """Move the clock forward, stopping wherever something is due.

        Raises:
            BackwardMove: the target lies in the past.
        """
        with self._lock:
            if target_ms < self._clock.now_ms():
                raise BackwardMove(f"the clock is past {target_ms} and never goes back")
            work = self.catch_up()
            # Real time went on meanwhile; a move by nothing must not fail for that.
            target_ms = max(target_ms, self._clock.now_ms())
            try:
                work += self._move_to(target_ms)
            finally:
                self._clock.run_from(max(target_ms, self._clock.now_ms()))
            work += self._work_off()
            return work

    def move_by(self, distance_ms: int) -> Work:
        with self._lock:
            return self.move_to(self._clock.now_ms() + distance_ms)

    def drain(self) -> Work:
        """Do everything that is pending or due, calling every rate() schedule once a round."""
        with self._lock:
            work = self.catch_up()
            for _ in range(_MOST_ROUNDS):
                self._agenda.fire_rates()
                round_of_work = self._work_off()
                if not round_of_work:
                    return work
                work += round_of_work
            raise NeverDone("every sweep finds more to do")

    def _move_to(self, target_ms: int) -> Work:
        jump = Jump(self._clock.now_ms(), target_ms)
        self._agenda.enter(jump)
        work = self._work_off()
        while (moment := self._next_moment()) is not None and moment <= target_ms:
            if moment > self._clock.now_ms():
                self._clock.stand_at(moment)
            self._agenda.fire_due(moment, jump)
            work += self._work_off()
        return work

    def _next_moment(self) -> int | None:
        moments = [self._agenda.next_at(), self._queues.next_visible_at(self._sources)]
        return min((each for each in moments if each is not None), default=None)

    def _work_off(self) -> Work:
        """Deliver records and messages until none is left that can be delivered now."""
        work = Work()
        for _ in range(_MOST_ROUNDS):
            round_of_work, again = self._round()
            work += round_of_work
            if not again:
                return work
        raise NeverDone("streams and queues never run dry")

    def _round(self) -> tuple[Work, bool]:
        for log in self._logs:
            log.poll()
        work, any_progress = Work(), False
        for consumer in self._stream_consumers:
            records, progressed = _run(consumer)
            work.stream_records += records
            any_progress |= progressed
        for queue_consumer in self._queue_consumers:
            messages, progressed = _run(queue_consumer)
            work.queue_messages += messages
            any_progress |= progressed
        return work, any_progress


def _run(consumer: StreamConsumer | QueueConsumer) -> tuple[int, bool]:
    """Let one consumer go on as far as it gets: what it is done with, and whether it moved."""
    done, progressed = 0, False
    while True:
        progress = consumer.step()
        done += progress.records
        if not progress.again:
            return done, progressed
        progressed = True


class Background:
    """Keeps a worker going from a thread of its own, several times a second."""

    def __init__(self, worker: Worker, every_s: float = 0.2) -> None:
        self._worker = worker
        self._every_s = every_s
        self._stopping = threading.Event()
        self._thread = threading.Thread(target=self._run, name="local-worker", daemon=True)
        self._thread.start()

    def stop(self) -> None:
        self._stopping.set()
        self._thread.join(timeout=10)

    def _run(self) -> None:
        while not self._stopping.wait(self._every_s):
            try:
                self._worker.catch_up()
            except Exception:
                logger.exception("the background work of the stack failed")
