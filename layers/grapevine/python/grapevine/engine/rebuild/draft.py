"""A whole rank index in memory, made of standings by the rules of every batch."""

from __future__ import annotations

from collections.abc import Iterable

from grapevine import runtime
from grapevine.engine.ranks.batch import checked, effects, plan
from grapevine.engine.ranks.boards import Boards, added_up, laid_over
from grapevine.engine.ranks.codec import decode, encode
from grapevine.engine.ranks.protocol import newest
from grapevine.engine.ranks.tree import SHAPE, Node
from grapevine.months import month_at
from grapevine.table.ranks import RankBlock, RankHead, RankNode, RankPart
from grapevine.table.standings import Standing


class Draft:
    """The index of a campaign that is being built; `ids` are those of the living and of whoever
    died since they were listed, by join sequence.

    Blocks are kept encoded: a million participants are a megabyte, and their ids a hundred.
    """

    def __init__(self, campaign_id: str, month: int) -> None:
        self.campaign_id = campaign_id
        self.ids: dict[int, str] = {}
        self._month = max(month, month_at(runtime.now_ms()))
        self._blocks: dict[int, bytes] = {}
        self._nodes: dict[Node, Boards] = {}
        self._histograms: Boards = {}
        self._last_sequence = 0

    def count(self, standings: Iterable[Standing]) -> None:
        """Brings these standings in, where they are newer than what is counted.

        Raises:
            ValueError: one of them cannot be counted at all.
        """
        found = newest(map(checked, standings), lambda one: one.join_sequence)
        numbers = {SHAPE.place_of(one.join_sequence)[0] for one in found}
        blocks = {number: self.block(number) for number in numbers}
        batch = plan(found, blocks, self._month, SHAPE)
        if not batch:
            return
        work = effects(batch, SHAPE)
        for number, values in work.blocks.items():
            self._blocks[number] = encode(laid_over(blocks[number], values))
        for node, differences in work.nodes.items():
            self._nodes[node] = _with(self._nodes.get(node, {}), differences)
        self._histograms = _with(self._histograms, work.histograms)
        self._last_sequence = max(self._last_sequence, batch.last_sequence)

    def block(self, number: int) -> Boards:
        return decode(self._blocks.get(number, b""))

    @property
    def blocks(self) -> set[int]:
        return set(self._blocks)

    @property
    def nodes(self) -> dict[Node, Boards]:
        return self._nodes

    @property
    def histograms(self) -> Boards:
        return self._histograms

    def head(self, generation: int, oldest: int) -> RankHead:
        empty = RankHead.new(self.campaign_id, generation)
        return RankHead(
            campaign_id=self.campaign_id,
            generation=generation,
            version=empty.version,
            month=self._month,
            last_sequence=self._last_sequence,
            histograms=encode(self._histograms),
            taken_over_at=runtime.now_ms(),
            oldest=oldest,
        )

    def parts(self, generation: int) -> list[RankPart]:
        """All items of the generation but head and journal."""
        first = RankHead.new(self.campaign_id, generation).version
        blocks = [
            RankBlock(
                campaign_id=self.campaign_id,
                generation=generation,
                number=number,
                version=first,
                content=content,
            )
            for number, content in self._blocks.items()
        ]
        nodes = [
            RankNode(
                campaign_id=self.campaign_id,
                generation=generation,
                **node._asdict(),
                version=first,
                content=encode(boards),
            )
            for node, boards in self._nodes.items()
            if boards
        ]
        return [*blocks, *nodes]


def _with(boards: Boards, differences: Boards) -> Boards:
    return laid_over(boards, added_up(boards, differences))
