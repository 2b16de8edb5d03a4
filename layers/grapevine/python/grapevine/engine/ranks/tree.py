"""Counting those who joined earlier: the arithmetic of the counted tree.

Participants lie in **blocks** by their join sequence, 1,024 to a block. For every score there is a
small tree of **nodes** over the blocks. A node of level 1 says how many participants with that
score each of 256 neighbouring blocks holds, per board; the node of level 2 says the same of each
node of level 1. So two nodes and a block count those with the same score who joined earlier. The
nodes of score 0 count who is alive (board ALIVE) and who has *any* score (the other boards): the
participants without a score are the difference, and a month without credits needs no item.

The first child of a node is never stored: it holds what the total has left. Totals are known, of
the top from the head's histograms. So a campaign of one block has no node at all, one of 256
blocks no level 2, and a tree grows a level without moving anything. Level 2 is as wide as it must
be: 10 million participants are 39 entries.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import NamedTuple


class Shape(NamedTuple):
    """How many participants a block takes, and how many blocks a node of level 1."""

    block_size: int = 1024
    fan_out: int = 256

    def place_of(self, join_sequence: int) -> tuple[int, int]:
        """The block, and the offset in it."""
        return divmod(join_sequence, self.block_size)


SHAPE = Shape()
"""Of every index: another one would need a new generation."""


class Node(NamedTuple):
    """`number` is the level 1 node's place among its level; level 2 has the one node 0."""

    score: int
    level: int
    number: int


def nodes_over(score: int, block: int, shape: Shape) -> dict[Node, int]:
    """The nodes that count the block for this score, with its place in each; not where it would
    be a first child."""
    upper, lower = divmod(block, shape.fan_out)
    places: dict[Node, int] = {}
    if lower:
        places[Node(score, 1, upper)] = lower
    if upper:
        places[Node(score, 2, 0)] = upper
    return places


def nodes_before(score: int, block: int, blocks: int, shape: Shape) -> list[Node]:
    """The nodes to read for `counted_before`; `blocks` is how many the index has."""
    upper, lower = divmod(block, shape.fan_out)
    nodes = [Node(score, 1, upper)] if lower else []
    if blocks > shape.fan_out and (upper or lower):
        nodes.append(Node(score, 2, 0))
    return nodes


def counted_before(
    total: int,
    block: int,
    level_1: Mapping[int, int],
    level_2: Mapping[int, int],
    shape: Shape,
) -> int:
    """How many of a `total` lie in the blocks before `block`, by the children of its two nodes."""
    upper, lower = divmod(block, shape.fan_out)
    before = 0
    inside = first_or_stored(total, level_2, upper)
    if upper:
        before += total - sum(count for child, count in level_2.items() if child >= upper)
    if lower:
        before += inside - sum(count for child, count in level_1.items() if child >= lower)
    return before


def first_or_stored(total: int, children: Mapping[int, int], child: int) -> int:
    """A child's count: the first one's is what the others leave of the total."""
    return children.get(child, 0) if child else total - sum(children.values())
