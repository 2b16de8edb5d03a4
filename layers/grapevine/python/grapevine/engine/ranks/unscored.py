"""The participants without a score on a board, in join order: the end of every month's leaderboard.

They are in no index of the table. The nodes of score 0 say how many of them each block holds, so
blocks without one are not read, and no more blocks than the page needs.
"""

from __future__ import annotations

from collections.abc import Iterator

from grapevine.engine.ranks.boards import ALIVE
from grapevine.engine.ranks.snapshot import Snapshot, as_of_one_batch
from grapevine.engine.ranks.tree import SHAPE, Node, Shape, first_or_stored
from grapevine.table.ranks import RankHead


def unscored_from(
    campaign_id: str,
    board: int,
    join_sequence: int,
    limit: int,
    *,
    head: RankHead | None = None,
    shape: Shape = SHAPE,
) -> list[int]:
    """The join sequences of the first `limit` living participants, from this one on, who have no
    score on the board (ALL_TIME or a month), as of one published batch.

    Raises:
        Busy
    """

    def read(snapshot: Snapshot) -> list[int]:
        return _Walk(snapshot, board, join_sequence).first(limit)

    return as_of_one_batch(campaign_id, shape, head, read)


class _Walk:
    """Goes over the blocks in join order, a node of level 1 at a time."""

    def __init__(self, snapshot: Snapshot, board: int, join_sequence: int) -> None:
        self._snapshot, self._board, self._from = snapshot, board, join_sequence
        self._first_block = snapshot.shape.place_of(join_sequence)[0]

    def first(self, limit: int) -> list[int]:
        found: list[int] = []
        fan_out, blocks = self._snapshot.shape.fan_out, self._snapshot.blocks
        for upper in range(self._first_block // fan_out, -(-blocks // fan_out)):
            numbers = list(self._needed(upper, limit - len(found)))
            self._snapshot.load(numbers, [])
            found += [sequence for number in numbers for sequence in self._in_block(number)]
            if len(found) >= limit:
                break
        return found[:limit]

    def _needed(self, upper: int, limit: int) -> Iterator[int]:
        """The next blocks that hold an unscored participant, until they hold `limit` of them."""
        shape, blocks = self._snapshot.shape, self._snapshot.blocks
        level_1, level_2 = Node(0, 1, upper), Node(0, 2, 0)
        self._snapshot.load([], [level_1, level_2] if blocks > shape.fan_out else [level_1])
        total = self._snapshot.total(ALIVE, 0) - self._snapshot.total(self._board, 0)
        nodes = self._children(level_2) if blocks > shape.fan_out else {}
        inside, children = first_or_stored(total, nodes, upper), self._children(level_1)
        first = upper * shape.fan_out
        for number in range(max(first, self._first_block), min(first + shape.fan_out, blocks)):
            if limit <= 0:
                return
            held = first_or_stored(inside, children, number - first)
            if held:
                yield number
            # Of the first block only those behind the beginning count, and nobody knows how many.
            limit -= held if number > self._first_block else 0

    def _children(self, node: Node) -> dict[int, int]:
        """How many unscored participants each child holds."""
        boards = self._snapshot.node(node)
        scored = boards.get(self._board, {})
        return {
            child: alive - scored.get(child, 0) for child, alive in boards.get(ALIVE, {}).items()
        }

    def _in_block(self, number: int) -> Iterator[int]:
        boards, first = self._snapshot.block(number), number * self._snapshot.shape.block_size
        scored = boards.get(self._board, {})
        for offset in sorted(boards.get(ALIVE, {})):
            if offset not in scored and first + offset >= self._from:
                yield first + offset
