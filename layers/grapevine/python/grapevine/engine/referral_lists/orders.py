"""The orders of the lists, and the cursors that name a place in one: pure rules.

An order is a sequence of segments. Within one, rows stand by value and then by id, ascending or
descending; whatever has no value (no trigger time, no name) is a segment of its own and comes last
either way. The segments of `referralStatus` are the statuses in alphabetical order, so descending
they come the other way round.
"""

from __future__ import annotations

import base64
import binascii
import re
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import Literal, get_args

from grapevine.table.participants import normalise_email
from grapevine.table.referral_lists import MASKED_EMAIL, RowStatus
from grapevine.table.referral_rows import Place, Row

SortBy = Literal[
    "updatedAt",
    "createdAt",
    "email",
    "referralTriggeredAt",
    "referralStatus",
    "firstName",
    "lastName",
]
STATUSES: tuple[RowStatus, ...] = get_args(RowStatus)

_CURSOR = re.compile(r"([A-Za-z0-9_-]{1,100})\.([A-Za-z]+)\.([0-3])\.([A-Za-z0-9_-]{0,1200})")
_MOST_DIGITS = 15
_MOST_BYTES = 900
"""Of a value in a cursor: longer than any that is stored, shorter than an index key may be."""


@dataclass(frozen=True, slots=True)
class Order:
    """`segments` says which statuses each segment can hold."""

    name: SortBy
    segments: tuple[tuple[RowStatus, ...], ...]
    value_of: Callable[[Row], int | str | None]
    is_timed: bool = False
    is_reversible: bool = False

    def segment_of(self, row: Row) -> int:
        if self.value_of(row) is None:
            return len(self.segments) - 1
        return next(i for i, statuses in enumerate(self.segments) if row.status in statuses)

    def place_of(self, row: Row) -> Place:
        """Where the row stands in its segment."""
        return Place(_or_empty(self.value_of(row)), row.row_id)

    def in_turn(self, *, descending: bool) -> list[int]:
        """The segments as they follow each other."""
        numbers = list(range(len(self.segments)))
        return numbers[::-1] if descending and self.is_reversible else numbers


def _or_empty(value: int | str | None) -> int | str:
    return "" if value is None else value


def sorted_email(row: Row) -> str:
    return MASKED_EMAIL if row.status == "INVITE_SENT" else normalise_email(row.email)


def _folded(name: str | None) -> str | None:
    return name.casefold() if name else None


_ALL = (STATUSES,)
_BY_UPDATE: Callable[[Row], int] = lambda row: row.updated_at  # noqa: E731 - a value of the table
ORDERS: dict[SortBy, Order] = {
    order.name: order
    for order in (
        Order("updatedAt", _ALL, _BY_UPDATE, is_timed=True),
        Order("createdAt", _ALL, lambda row: row.created_at, is_timed=True),
        Order("email", _ALL, sorted_email),
        Order(
            "referralTriggeredAt",
            (("CREDIT_AWARDED",), ("CREDIT_PENDING", "CREDIT_EXPIRED", "INVITE_SENT")),
            _BY_UPDATE,
            is_timed=True,
        ),
        Order(
            "referralStatus",
            tuple((status,) for status in sorted(STATUSES)),
            _BY_UPDATE,
            is_timed=True,
            is_reversible=True,
        ),
        Order("firstName", (STATUSES, STATUSES), lambda row: _folded(row.first_name)),
        Order("lastName", (STATUSES, STATUSES), lambda row: _folded(row.last_name)),
    )
}


@dataclass(frozen=True, slots=True)
class Filters:
    """Only rows that have all that is named here; names are compared without case."""

    email: str | None = None
    first_name: str | None = None
    last_name: str | None = None
    status: RowStatus | None = None

    @property
    def names_anybody(self) -> bool:
        return not (self.email is None and self.first_name is None and self.last_name is None)

    def match(self, row: Row) -> bool:
        """An invite has no name and no address that could be asked for (growsurf)."""
        if self.status is not None and row.status != self.status:
            return False
        if not self.names_anybody:
            return True
        if row.status == "INVITE_SENT":
            return False
        return (
            (self.email is None or normalise_email(self.email) == normalise_email(row.email))
            and _same_name(self.first_name, row.first_name)
            and _same_name(self.last_name, row.last_name)
        )


def _same_name(wanted: str | None, name: str | None) -> bool:
    return wanted is None or (name or "").casefold() == wanted.casefold()


@dataclass(frozen=True, slots=True)
class Start:
    """A place in an order of segments."""

    segment: int
    place: Place


def start_of(order: Order, row: Row) -> Start:
    return Start(order.segment_of(row), order.place_of(row))


def cursor_of(order: Order, start: Start) -> str:
    """What a client sends back to go on at a place: the row's id first, then what stood there. It
    holds nothing that the list does not show."""
    value = start.place.value
    text = str(value) if order.is_timed else base64.urlsafe_b64encode(str(value).encode()).decode()
    return f"{start.place.row_id}.{order.name}.{start.segment}.{text.rstrip('=')}"


def start_in(order: Order, cursor: str) -> Start | None:
    """The place that a cursor of this order names; None for anything else."""
    match = _CURSOR.fullmatch(cursor)
    if match is None or match[2] != order.name or int(match[3]) >= len(order.segments):
        return None
    value = _value_in(order, match[4])
    return None if value is None else Start(int(match[3]), Place(value, match[1]))


def _value_in(order: Order, text: str) -> int | str | None:
    if order.is_timed:
        return int(text) if text.isdigit() and len(text) <= _MOST_DIGITS else None
    try:
        decoded = base64.urlsafe_b64decode(text + "=" * (-len(text) % 4)).decode()
    except (binascii.Error, UnicodeDecodeError):
        return None
    return decoded if len(decoded.encode()) <= _MOST_BYTES else None


def row_id_in(cursor: str) -> str:
    """The row that a cursor of any order names, or a bare row id."""
    match = _CURSOR.fullmatch(cursor)
    return match[1] if match else cursor


def in_order(
    rows: Iterable[Row], order: Order, *, descending: bool, start: Start | None
) -> list[Row]:
    """The rows of a list in memory, from a place on (inclusive)."""
    turn = order.in_turn(descending=descending)
    by_segment: dict[int, list[Row]] = {segment: [] for segment in turn}
    for row in rows:
        by_segment[order.segment_of(row)].append(row)
    ahead = turn[turn.index(start.segment) :] if start else turn
    return [
        row
        for segment in ahead
        for row in sorted(by_segment[segment], key=order.place_of, reverse=descending)
        if start is None
        or segment != start.segment
        or _is_behind(order.place_of(row), start.place, descending=descending)
    ]


def _is_behind(place: Place, start: Place, *, descending: bool) -> bool:
    return place <= start if descending else place >= start
