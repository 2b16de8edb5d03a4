"""The index of referral ranks as of one published batch."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import TypeVar

from grapevine.engine.ranks.boards import ALIVE, ALL_TIME, Boards
from grapevine.engine.ranks.codec import decode
from grapevine.engine.ranks.parts import Parts, in_one_batch
from grapevine.engine.ranks.tree import Node, Shape, counted_before, nodes_before
from grapevine.table import rank_keys, store
from grapevine.table.keys import Key
from grapevine.table.ranks import RankBlock, RankHead, RankNode

T = TypeVar("T")


def as_of_one_batch(
    campaign_id: str, shape: Shape, head: RankHead | None, read: Callable[[Snapshot], T]
) -> T:
    """What `read` makes of the index, from `head` if that has just been read, or else the newest.

    Raises:
        Busy: batches were published faster than a snapshot could be read.
    """

    def newest() -> RankHead:
        key = rank_keys.rank_head(campaign_id)
        return RankHead.found(campaign_id, store.get_many([key]).get(key))

    return in_one_batch(newest, head, lambda found: read(Snapshot(found, shape)))


class Snapshot:
    """`histograms` says how many participants have each score, `blocks` how many blocks there may
    be; parts must be loaded first. Whatever tells of a part may raise Overtaken."""

    def __init__(self, head: RankHead, shape: Shape) -> None:
        self.head, self.shape = head, shape
        self.histograms = decode(head.histograms)
        self.blocks = shape.place_of(head.last_sequence)[0] + 1
        self._parts = Parts(head.version, (RankBlock, RankNode))

    def load(self, blocks: Iterable[int], nodes: Iterable[Node]) -> None:
        """Reads what is not there yet, all at the same time."""
        self._parts.load([*map(self._block_key, blocks), *map(self._node_key, nodes)])

    def block(self, number: int) -> Boards:
        return self._parts.boards(self._block_key(number))

    def total(self, board: int, score: int) -> int:
        """How many have this score; with 0, how many have any."""
        histogram = self.histograms.get(board, {})
        return histogram.get(score, 0) if score else sum(histogram.values())

    def nodes_before(self, score: int, block: int) -> list[Node]:
        return nodes_before(score, block, self.blocks, self.shape)

    def before(self, board: int, score: int, join_sequence: int) -> int:
        """How many with this score (with 0: with any) on the board joined before; the block and
        its nodes must be loaded."""
        number, offset = self.shape.place_of(join_sequence)
        children: dict[int, dict[int, int]] = {1: {}, 2: {}}
        for node in self.nodes_before(score, number):
            children[node.level] = self.node(node).get(board, {})
        total = self.total(board, score)
        return counted_before(total, number, children[1], children[2], self.shape) + sum(
            1
            for place, value in self.block(number).get(board, {}).items()
            if place < offset and (value == score or not score)
        )

    def node(self, node: Node) -> Boards:
        return self._parts.boards(self._node_key(node))

    def _block_key(self, number: int) -> Key:
        return rank_keys.rank_block(self.head.campaign_id, self.head.generation, number)

    def _node_key(self, node: Node) -> Key:
        return rank_keys.rank_node(self.head.campaign_id, self.head.generation, *node)


def participants_in(head: RankHead) -> int:
    """How many participants are alive."""
    return sum(decode(head.histograms).get(ALIVE, {}).values())


def referrals_in(head: RankHead) -> int:
    """How many credited referrals the living participants have."""
    histogram = decode(head.histograms).get(ALL_TIME, {})
    return sum(score * members for score, members in histogram.items())
