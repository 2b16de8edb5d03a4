"""Walks along the indexes of a list: an order as streams of entries, merged.

Each stream is read a stretch at a time, no further than is asked for. What a page reads does not
depend on how deep it is, except for `offset`, which skips entry by entry.
"""

from __future__ import annotations

import heapq
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import partial
from itertools import islice
from typing import NamedTuple, Protocol

from grapevine.engine.parallel import in_parallel
from grapevine.engine.referral_lists.orders import Order, Start
from grapevine.engine.referral_lists.patience import Patience
from grapevine.table import referral_rows
from grapevine.table.referral_lists import RowStatus
from grapevine.table.referral_rows import Entry, Place, Scope

_MOST_AT_ONCE = 1000


class Step(NamedTuple):
    """An entry, and the segment of the order that it is in."""

    segment: int
    entry: Entry

    @property
    def start(self) -> Start:
        return Start(self.segment, self.entry.place)


class Reader(Protocol):
    """Reads a stretch of one stream."""

    def __call__(
        self, scope: Scope, limit: int, *, descending: bool, start: Place | None = None
    ) -> list[Entry]: ...


def can_walk(order: Order, status: RowStatus | None) -> bool:
    """Whether the order has an index, and with a filter on the status one by status."""
    if order.name in {"firstName", "lastName"}:
        return False
    return status is None or order.name not in {"createdAt", "email"}


@dataclass(frozen=True, slots=True, kw_only=True)
class Walk:
    """One order of a scope, in one direction; with a status, only the rows that have it."""

    scope: Scope
    order: Order
    descending: bool
    status: RowStatus | None
    patience: Patience

    def steps(self, start: Start | None, offset: int, limit: int) -> list[Step]:
        """Up to `limit` steps, from a place on (inclusive) or from the beginning, without the first
        `offset`. A row that changes while they are read may be in two of them.

        Raises:
            InvalidRequest: it takes too long.
        """
        turn = self.order.in_turn(descending=self.descending)
        ahead = turn[turn.index(start.segment) :] if start else turn
        steps = (
            Step(segment, entry)
            for segment in ahead
            for entry in self._entries(
                segment,
                start.place if start and segment == start.segment else None,
                min(offset + limit, _MOST_AT_ONCE),
            )
        )
        return list(islice(steps, offset, offset + limit))

    def _entries(self, segment: int, start: Place | None, size: int) -> Iterator[Entry]:
        """The streams of a segment as one: the first stretch of all is read at once."""
        readers = self._readers(segment)
        firsts = in_parallel([partial(self._read, each, size, start) for each in readers])
        streams = [
            self._stream(reader, first, size) for reader, first in zip(readers, firsts, strict=True)
        ]
        return heapq.merge(*streams, key=lambda entry: entry.place, reverse=self.descending)

    def _readers(self, segment: int) -> list[Reader]:
        match self.order.name:
            case "createdAt":
                return [referral_rows.by_created]
            case "email":
                return [referral_rows.by_email]
        statuses = self.order.segments[segment]
        return [_of_status(each) for each in statuses if self.status in (None, each)]

    def _read(self, reader: Reader, size: int, start: Place | None) -> list[Entry]:
        """A stretch, and one entry more: where the next one begins."""
        return reader(self.scope, size + 1, descending=self.descending, start=start)

    def _stream(self, reader: Reader, entries: list[Entry], size: int) -> Iterator[Entry]:
        while True:
            yield from entries[:size]
            if len(entries) <= size:
                return
            self.patience.check()
            start, size = entries[size].place, _MOST_AT_ONCE
            entries = self._read(reader, size, start)


def _of_status(status: RowStatus) -> Reader:
    def read(
        scope: Scope, limit: int, *, descending: bool, start: Place | None = None
    ) -> list[Entry]:
        return referral_rows.by_status(scope, status, limit, descending=descending, start=start)

    return read


def each_once(steps: Sequence[Step]) -> list[Entry]:
    """The entries, without the older one of a row that changed while they were read."""
    entries = [step.entry for step in steps]
    newest: dict[str, Entry] = {}
    for entry in entries:
        known = newest.get(entry.place.row_id)
        if known is None or known.place < entry.place:
            newest[entry.place.row_id] = entry
    return [entry for entry in entries if newest[entry.place.row_id] is entry]
