"""What a batch of standings changes in the index, worked out without touching the table.

Each participant's version decides whether there is anything to do: a standing that is not newer
than the one that is counted changes nothing, however often and in whatever order it comes.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field

from grapevine.engine.ranks.boards import (
    ALIVE,
    ALL_TIME,
    FIRST_MONTH,
    VERSIONS,
    Boards,
    is_month,
)
from grapevine.engine.ranks.tree import Node, Shape, nodes_over
from grapevine.table.standings import Standing

KEPT_MONTHS = 2
"""Months before the latest one that the index still keeps: one is asked for, and one is for
readers whose clock is behind."""


@dataclass(frozen=True, slots=True)
class Batch:
    """By board and join sequence, what is counted of the participants, before and after."""

    before: Boards = field(default_factory=dict)
    after: Boards = field(default_factory=dict)

    def __bool__(self) -> bool:
        return bool(self.after)

    @property
    def last_sequence(self) -> int:
        """The highest join sequence that it changes."""
        return max(max(entries) for entries in self.after.values())


@dataclass(frozen=True, slots=True)
class Effects:
    """What a batch does: new numbers in blocks, by block and offset; differences in the nodes, by
    child, and in the histograms, by score."""

    blocks: dict[int, Boards]
    nodes: dict[Node, Boards]
    histograms: Boards


def checked(standing: Standing) -> Standing:
    """The standing, if it can be counted: a prepared batch is carried out by whoever finds it, so
    nothing impossible may get into one.

    Raises:
        ValueError
    """
    slots = [slot for slot in (standing.even_month, standing.odd_month) if slot]
    counts = [standing.referral_count, *(count for _, count in slots)]
    months = [month for month, _ in slots]
    numbers = [standing.join_sequence, standing.version, *counts, *months]
    if not all(isinstance(number, int) for number in numbers):
        raise ValueError("a standing holds something else than an integer")
    if standing.join_sequence < 1 or standing.version < 0 or min(counts) < 0:
        raise ValueError("a standing counts below zero")
    if any(month < FIRST_MONTH for month in months):
        raise ValueError("a standing counts in a month that is none")
    return standing


def plan(
    standings: Iterable[Standing], blocks: Mapping[int, Boards], month: int, shape: Shape
) -> Batch:
    """What must change for the index to count these standings, one of each participant, if they
    are newer than what the blocks say. `month` is the latest that anybody counts in."""
    batch = Batch()
    for standing in standings:
        block, offset = shape.place_of(standing.join_sequence)
        known = {
            board: entries[offset] for board, entries in blocks[block].items() if offset in entries
        }
        if not _is_news(standing, known):
            continue
        for board, after in _wanted(standing, known, month - KEPT_MONTHS).items():
            before = known.get(board, 0)
            if before != after:
                batch.before.setdefault(board, {})[standing.join_sequence] = before
                batch.after.setdefault(board, {})[standing.join_sequence] = after
    return batch


def _is_news(standing: Standing, known: Mapping[int, int]) -> bool:
    return standing.version > known.get(VERSIONS, -1)


def _wanted(standing: Standing, known: Mapping[int, int], oldest_month: int) -> dict[int, int]:
    is_alive = standing.deleted_at is None
    wanted = {
        ALIVE: int(is_alive),
        VERSIONS: standing.version,
        ALL_TIME: standing.referral_count if is_alive else 0,
    }
    slots = (standing.even_month, standing.odd_month)
    months = {slot[0] for slot in slots if slot} | {board for board in known if is_month(board)}
    for month in months:
        slot = slots[month % 2]
        # A slot that has gone on to a later month says nothing of this one any more.
        forgotten = slot is not None and slot[0] > month
        if month >= oldest_month and not forgotten:
            wanted[month] = standing.count_in(month)
    return wanted


def effects(batch: Batch, shape: Shape) -> Effects:
    """The same for whoever carries the batch out."""
    result = Effects({}, {}, {})
    for board, entries in batch.after.items():
        for sequence, after in entries.items():
            block, offset = shape.place_of(sequence)
            result.blocks.setdefault(block, {}).setdefault(board, {})[offset] = after
            if board == VERSIONS:
                continue
            before = batch.before[board][sequence]
            for score, difference in _class_changes(board, before, after):
                for node, child in nodes_over(score, block, shape).items():
                    _add(result.nodes.setdefault(node, {}), board, child, difference)
            for score, difference in ((before, -1), (after, 1)):
                if score:
                    _add(result.histograms, board, score, difference)
    return result


def _class_changes(board: int, before: int, after: int) -> Iterable[tuple[int, int]]:
    """By how much the nodes of which scores change. Those of score 0 count whoever has any; who
    is alive is counted there and nowhere else."""
    if not before:
        yield 0, 1
    if not after:
        yield 0, -1
    if board != ALIVE:
        if before:
            yield before, -1
        if after:
            yield after, 1


def _add(boards: Boards, board: int, position: int, difference: int) -> None:
    entries = boards.setdefault(board, {})
    entries[position] = entries.get(position, 0) + difference
