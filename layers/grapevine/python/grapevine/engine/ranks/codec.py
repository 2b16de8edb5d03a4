"""Boards as bytes: small enough that most items of the index cost one write unit.

Each board is a section: its number, then either runs of equal numbers (where a run begins, how
long it is, the number) or, where that is shorter, all numbers from the first position to the last.
All integers are in base 128, least significant digits first (LEB128).
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from grapevine.engine.ranks.boards import Boards


def encode(boards: Boards) -> bytes:
    """Raises ValueError for a negative number: a count that has gone wrong is never stored."""
    sections = bytearray()
    for board, entries in sorted(boards.items()):
        if entries:
            runs, row = _as_runs(entries), _as_row(entries)
            is_row = row is not None and len(row) < len(runs)
            content = row if row is not None and is_row else runs
            sections += _integer(board) + _integer(len(content) << 1 | is_row) + content
    return bytes(sections)


def decode(data: bytes) -> Boards:
    """What `encode` was given, without boards that had no entry."""
    boards: Boards = {}
    reader = _Reader(data)
    while not reader.at_end:
        board, header = reader.integer(), reader.integer()
        end = reader.position + (header >> 1)
        boards[board] = dict(_row(reader, end) if header & 1 else _runs(reader, end))
    return boards


def _as_runs(entries: Mapping[int, int]) -> bytes:
    content = bytearray()
    end = 0
    for start, length, value in _runs_of(entries):
        content += _integer((start - end) << 1 | (length > 1))
        if length > 1:
            content += _integer(length)
        content += _integer(value)
        end = start + length
    return bytes(content)


def _runs_of(entries: Mapping[int, int]) -> Iterator[tuple[int, int, int]]:
    start, length, value = 0, 0, 0
    for position in sorted(entries):
        if length and position == start + length and entries[position] == value:
            length += 1
            continue
        if length:
            yield start, length, value
        start, length, value = position, 1, entries[position]
    if length:
        yield start, length, value


def _runs(reader: _Reader, end: int) -> Iterator[tuple[int, int]]:
    position = 0
    while reader.position < end:
        head = reader.integer()
        length = reader.integer() if head & 1 else 1
        value = reader.integer()
        start = position + (head >> 1)
        position = start + length
        for each in range(start, position):
            yield each, value


_WIDEST_ROW = 4


def _as_row(entries: Mapping[int, int]) -> bytes | None:
    """None where most places would be empty. A number stands for one less, 0 for an empty place."""
    first, last = min(entries), max(entries)
    if last - first >= len(entries) * _WIDEST_ROW:
        return None
    numbers = [first, *(entries.get(each, -1) + 1 for each in range(first, last + 1))]
    return b"".join(map(_integer, numbers))


def _row(reader: _Reader, end: int) -> Iterator[tuple[int, int]]:
    position = reader.integer()
    while reader.position < end:
        number = reader.integer()
        if number:
            yield position, number - 1
        position += 1


def _integer(number: int) -> bytes:
    if number < 0:
        raise ValueError("the rank index holds no negative numbers")
    digits = bytearray()
    while number >= 0x80:
        digits.append(number & 0x7F | 0x80)
        number >>= 7
    digits.append(number)
    return bytes(digits)


class _Reader:
    def __init__(self, data: bytes) -> None:
        self._data = data
        self.position = 0

    @property
    def at_end(self) -> bool:
        return self.position >= len(self._data)

    def integer(self) -> int:
        number = shift = 0
        while True:
            digit = self._data[self.position]
            self.position += 1
            number |= (digit & 0x7F) << shift
            if digit < 0x80:
                return number
            shift += 7
