"""A generation of the rank index that has been replaced, and what was wrong with it.

Nothing is published in it any more, so it can be read whole as of its last batch: where a worker is
still at the next one, which nobody will ever see, the undo leads back.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping

from grapevine.engine.ranks.batch import Batch, effects
from grapevine.engine.ranks.boards import (
    ALIVE,
    ALL_TIME,
    VERSIONS,
    Boards,
    added_up,
    is_month,
    laid_over,
    values_at,
)
from grapevine.engine.ranks.codec import decode
from grapevine.engine.ranks.tree import SHAPE, Node
from grapevine.engine.rebuild.draft import Draft
from grapevine.engine.rebuild.findings import Findings, Kind
from grapevine.engine.rebuild.generations import Current
from grapevine.table.attributes import Item
from grapevine.table.ranks import RankBlock, RankNode, RankPart
from grapevine.table.standings import Standing

_UNREADABLE = (IndexError, KeyError, TypeError, ValueError)


def blocks_in(items: Iterable[Item]) -> dict[int, Boards]:
    """What the blocks among these items hold; those that cannot be read are left out."""
    blocks: dict[int, Boards] = {}
    for item in items:
        try:
            block = RankBlock.from_item(item)
            blocks[block.number] = decode(block.content)
        except _UNREADABLE:
            continue
    return blocks


class Replaced:
    """Says in `findings` what was wrong with the items of the generation; `before` is its head."""

    def __init__(self, before: Current, items: list[Item], findings: Findings) -> None:
        self._head, self._findings = before.head, findings
        self.blocks: dict[int, Boards] = {}
        self._nodes: dict[Node, Boards] = {}
        for item in items:
            if item["type"] in {RankBlock.TYPE, RankNode.TYPE}:
                self._take(item)
        if before.is_missing and items:
            findings.add(Kind.PART, "the head was missing")

    def _take(self, item: Item) -> None:
        try:
            if item["type"] == RankBlock.TYPE:
                block = RankBlock.from_item(item)
                self.blocks[block.number] = self._content(block)
            else:
                node = RankNode.from_item(item)
                self._nodes[Node(node.score, node.level, node.number)] = self._content(node)
        except _UNREADABLE:
            self._findings.add(Kind.PART, f"{item['sort']} could not be read")

    def _content(self, part: RankPart) -> Boards:
        content = decode(part.content)
        if part.version <= self._head.version:
            return content
        if part.version > self._head.version + 1:
            text = f"batch {part.version}, {self._head.version} had been published"
            self._findings.add(Kind.PART, f"{part.key.sort} held {text}")
        return laid_over(content, decode(part.undo))

    def compare(self, draft: Draft, now: Iterable[Standing]) -> None:
        """Finds whom the generation counted otherwise than the draft in the same version, and
        where it did not add up. `now` are the standings of whoever it counts in a later one, read
        after it was replaced."""
        newest = {one.join_sequence: one for one in now}
        for number in sorted({*self.blocks, *draft.blocks}):
            old = self._recent(self.blocks.get(number, {}))
            new = self._recent(draft.block(number))
            for offset in sorted({each for boards in (old, new) for each in _offsets(boards)}):
                sequence = number * SHAPE.block_size + offset
                name = draft.ids.get(sequence, f"the one who joined as number {sequence}")
                self._compare_one(name, _of(old, offset), _of(new, offset), newest.get(sequence))
        self._add_up()

    def _compare_one(
        self, name: str, old: Mapping[int, int], new: Mapping[int, int], now: Standing | None
    ) -> None:
        was, is_ = old.get(VERSIONS, 0), new.get(VERSIONS, 0)
        if not old or (new and was < is_):
            if ALIVE in new or old:
                counted = f"version {was} was counted, not {is_}" if old else "was not counted"
                self._findings.add(Kind.BEHIND, f"{name}: {counted}")
        elif now and (was > is_ or not new):
            # The draft was made before it. That is as it should be, if there is such a standing.
            is_there = now.deleted_at is None or ALIVE not in old or now.version > was
            if now.version < was or not is_there:
                text = f"version {was} was counted ({_told(old)}), there is {_version_of(now)}"
                self._findings.add(Kind.PARTICIPANT, f"{name}: {text}")
        elif old != new:
            self._findings.add(Kind.PARTICIPANT, f"{name}: {_told(old)}, should be {_told(new)}")

    def _add_up(self) -> None:
        nodes, histograms = _recount(self.blocks)
        for node in sorted({*nodes, *self._nodes}):
            if self._recent(self._nodes.get(node, {})) != self._recent(nodes.get(node, {})):
                where = f"node {node.number} of level {node.level}"
                self._findings.add(Kind.PART, f"{where} for score {node.score}")
        try:
            head = decode(self._head.histograms)
        except _UNREADABLE:
            head = {}
        if self._recent(head) != self._recent(histograms):
            self._findings.add(Kind.PART, "the histograms in the head")

    def _recent(self, boards: Boards) -> Boards:
        return _recent(boards, self._head.month)


def _recent(boards: Boards, month: int) -> Boards:
    """What is asked for: older months are dropped from each item whenever it is written."""
    return {
        board: entries
        for board, entries in boards.items()
        if entries and (not is_month(board) or board >= month - 1)
    }


def _offsets(block: Boards) -> set[int]:
    return {offset for entries in block.values() for offset in entries}


def _of(block: Boards, offset: int) -> dict[int, int]:
    return {board: entries[offset] for board, entries in block.items() if offset in entries}


def _version_of(now: Standing) -> str:
    return "nobody" if now.deleted_at is not None else f"version {now.version}"


def _told(numbers: Mapping[int, int]) -> str:
    if ALIVE not in numbers:
        return "not counted"
    months = [f"{numbers[board]} in month {board}" for board in sorted(numbers) if is_month(board)]
    return ", ".join([f"{numbers.get(ALL_TIME, 0)} referrals", *months])


def _recount(blocks: Mapping[int, Boards]) -> tuple[dict[Node, Boards], Boards]:
    """Nodes and histograms, from the blocks alone."""
    nodes: dict[Node, Boards] = {}
    histograms: Boards = {}
    for number, block in blocks.items():
        first = number * SHAPE.block_size
        after = {
            board: {first + offset: value for offset, value in entries.items()}
            for board, entries in block.items()
        }
        work = effects(Batch(values_at({}, after), after), SHAPE)
        for node, differences in work.nodes.items():
            known = nodes.get(node, {})
            nodes[node] = laid_over(known, added_up(known, differences))
        histograms = laid_over(histograms, added_up(histograms, work.histograms))
    return nodes, histograms
