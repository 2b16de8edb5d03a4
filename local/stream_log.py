"""The changes of one table in order, read from the engine once and by each mapping on its own."""

from __future__ import annotations

import threading
from collections.abc import Callable
from typing import Any, NamedTuple

from local.engine import StreamSource


class Entry(NamedTuple):
    """`arrived_at` is when the stack first saw the record, in Unix milliseconds of its clock."""

    shard_id: str
    sequence_number: str
    arrived_at: int
    record: dict[str, Any]


class StreamLog:
    def __init__(self, source: StreamSource, now_ms: Callable[[], int]) -> None:
        self._source = source
        self._now_ms = now_ms
        self._entries: list[Entry] = []
        self._dropped = 0
        self._readers: list[Reader] = []
        self._lock = threading.RLock()

    def reader(self) -> Reader:
        """A new reader, which begins with what the log holds."""
        reader = Reader(self, self._dropped)
        self._readers.append(reader)
        return reader

    def poll(self) -> None:
        """Fetch what is new, and forget what every reader has behind it."""
        with self._lock:
            now = self._now_ms()
            for shard_id, record in self._source.take():
                number = record["dynamodb"]["SequenceNumber"]
                self._entries.append(Entry(shard_id, number, now, record))
            behind = min((reader.position for reader in self._readers), default=self._end)
            del self._entries[: behind - self._dropped]
            self._dropped = behind

    def at(self, position: int) -> Entry | None:
        with self._lock:
            return self._entries[position - self._dropped] if position < self._end else None

    @property
    def _end(self) -> int:
        return self._dropped + len(self._entries)


class Reader:
    """One mapping's place in the log."""

    def __init__(self, log: StreamLog, position: int) -> None:
        self._log = log
        self.position = position

    def peek(self) -> Entry | None:
        return self._log.at(self.position)

    def advance(self) -> None:
        self.position += 1
