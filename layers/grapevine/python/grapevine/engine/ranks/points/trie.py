"""Counting better positions: the arithmetic of the counted trie.

A position is spelled in digits, each the greater the better: first how many bits the points have,
then these bits after the leading one, eight at a time, then the time, counted backwards: twelve and
a half days, seventeen minutes, a second, a millisecond. Positions that begin with the same digits
belong to one **node**, whose name these digits are: so all nodes that can tell of a position are
known before any of them has been read. The root is in the head of the index.

A node is a **bucket**, which says how many players have each position, until there are more than 64
different ones in it. Then it becomes **inner** and says how many there are for each next digit, and
its positions go to the buckets of its children, which bear the next digit in their names. It stays
inner while it counts anybody; a node that counts nobody is an empty bucket, and so are all below
it. A bucket with one digit left to tell its positions apart never becomes inner: it holds no more
than a thousand.

Why these digits: with the number of bits first, few points have a short path and many points no
longer one than they need, whatever the largest total is. A digit of eight bits makes an inner node
of some 500 bytes, one write unit; those of the time are larger, as players who are as many at the
same total mostly came in one after the other, and one level less is a read less.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import NamedTuple

from grapevine.engine.ranks.boards import Boards, added_up
from grapevine.table.points_board import UNIT

Digits = tuple[int, ...]

MEMBERS, CHILDREN = 0, 1
"""The boards of a node: how many have each position, or how many come with each next digit."""


class Shape(NamedTuple):
    """How many positions a bucket takes, how many bits of the points are a digit, and how many of
    the time each of its digits has. The last one must not be large: see above."""

    bucket: int = 64
    points_bits: int = 8
    time_bits: tuple[int, ...] = (18, 10, 10, 10)

    @property
    def moments(self) -> int:
        """Times (ms) are below this."""
        return int(1 << sum(self.time_bits))


_LIKELY_CHILDREN = 32

SHAPE = Shape()
"""Of every index: another one would need a new generation."""


def digits_of(position: int, shape: Shape) -> Digits:
    points, backwards = divmod(position, UNIT)
    digits = [points.bit_length()]
    left = max(points.bit_length() - 1, 0)
    while left:
        bits = min(shape.points_bits, left)
        left -= bits
        digits.append(points >> left & (1 << bits) - 1)
    time = backwards - UNIT + shape.moments
    left = sum(shape.time_bits)
    for bits in shape.time_bits:
        left -= bits
        digits.append(time >> left & (1 << bits) - 1)
    return tuple(digits)


def path_of(digits: Digits) -> list[Digits]:
    """All nodes that can tell of a position, the root aside, from the top."""
    return [digits[:length] for length in range(1, len(digits))]


def likely_depth(members: int, shape: Shape) -> int:
    """How many nodes of a path will have to be read where its first one counts so many. Players are
    not spread evenly over totals, so that a node which is inner tends to have a child that is."""
    if members <= shape.bucket:
        return 1
    depth = 3
    while members > shape.bucket * _LIKELY_CHILDREN:
        members //= _LIKELY_CHILDREN
        depth += 1
    return depth


@dataclass(frozen=True, slots=True)
class Spread:
    """What differences do to one node: its new `values` in the places that change, and what is left
    to do to its children."""

    values: Boards
    below: dict[Digits, dict[int, int]]


def spread(node: Digits, before: Boards, differences: Mapping[int, int], shape: Shape) -> Spread:
    """`differences` says by position how many more have it, none of them 0."""
    if CHILDREN in before:
        return through(node, before, differences, shape)
    values = added_up(before, {MEMBERS: dict(differences)})
    members = before.get(MEMBERS, {}) | values[MEMBERS]
    there = {position: count for position, count in members.items() if count}
    if len(there) <= shape.bucket or _is_last(node, there, shape):
        return Spread(values, {})
    burst = through(node, {}, there, shape)
    emptied = {MEMBERS: dict.fromkeys(before.get(MEMBERS, {}), 0)}
    return Spread({**emptied, **burst.values}, burst.below)


def through(node: Digits, before: Boards, differences: Mapping[int, int], shape: Shape) -> Spread:
    """The same where the node is inner, which the root always is."""
    below: dict[Digits, dict[int, int]] = {}
    for position, difference in differences.items():
        child = digits_of(position, shape)[: len(node) + 1]
        below.setdefault(child, {})[position] = difference
    sums = {child[-1]: sum(each.values()) for child, each in below.items()}
    changed = {digit: difference for digit, difference in sums.items() if difference}
    return Spread(added_up(before, {CHILDREN: changed}) if changed else {}, below)


def _is_last(node: Digits, members: Mapping[int, int], shape: Shape) -> bool:
    return len(node) + 1 == len(digits_of(next(iter(members)), shape))


def better_children(boards: Boards, digit: int) -> int:
    return sum(count for other, count in boards.get(CHILDREN, {}).items() if other > digit)


def better_members(boards: Boards, position: int) -> int:
    return sum(count for other, count in boards.get(MEMBERS, {}).items() if other > position)
