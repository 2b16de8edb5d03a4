"""Exact ranks of participants, each from a block and a few nodes, however large the campaign is.

Whoever has more referrals is ahead, then the earlier joiner. A participant's own score comes from
its standing, so its own newest credit always counts; the others' come from the index, as of one
batch. What the index has of the participant itself is left out.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from grapevine.engine.ranks.boards import ALIVE, ALL_TIME
from grapevine.engine.ranks.snapshot import Snapshot, as_of_one_batch
from grapevine.engine.ranks.tree import SHAPE, Node, Shape
from grapevine.table.ranks import RankHead
from grapevine.table.standings import Standing

NO_RANK = -1
"""The previous month's rank of somebody who was not there yet (growsurf)."""


@dataclass(frozen=True, slots=True)
class Ranks:
    """From 1; `prev_monthly_rank` may be NO_RANK."""

    rank: int
    monthly_rank: int
    prev_monthly_rank: int


def ranks_of(
    campaign_id: str,
    standings: Sequence[Standing],
    month: int,
    *,
    head: RankHead | None = None,
    shape: Shape = SHAPE,
) -> list[Ranks]:
    """The ranks of these participants, all of them alive, in their order; `month` is the current
    one. One round of calls when `head` has just been read, or else two; one more if somebody's
    newest credit is not in the index yet.

    Raises:
        Busy
    """
    if not standings:
        return []
    return as_of_one_batch(
        campaign_id, shape, head, lambda snapshot: ranks_in(snapshot, standings, month)
    )


def ranks_in(snapshot: Snapshot, standings: Sequence[Standing], month: int) -> list[Ranks]:
    """The same as of one batch. Raises Overtaken."""
    asked = [_Asked(standing, month, snapshot) for standing in standings]
    snapshot.load([one.block for one in asked], [node for one in asked for node in one.nodes()])
    snapshot.load([], [node for one in asked for node in one.nodes_after_all()])
    return [one.ranks() for one in asked]


class _Asked:
    """One participant whose ranks are asked for."""

    def __init__(self, standing: Standing, month: int, snapshot: Snapshot) -> None:
        self._standing, self._month, self._snapshot = standing, month, snapshot
        self.block, self._offset = snapshot.shape.place_of(standing.join_sequence)
        self._scores = {ALL_TIME: standing.referral_count, month: standing.count_in(month)}
        if standing.joined_month < month:
            self._scores[month - 1] = standing.count_in(month - 1)

    def nodes(self) -> list[Node]:
        """What must be read beside the block. Nobody is looked for among those with a score that
        nobody has, or one alone: that is likely to be the participant itself."""
        return [
            node
            for board, score in self._scores.items()
            if not score or self._snapshot.total(board, score) > 1
            for node in self._snapshot.nodes_before(score, self.block)
        ]

    def nodes_after_all(self) -> list[Node]:
        """What must be read once the block is there: it was not the participant itself."""
        return [
            node
            for board, score in self._scores.items()
            if score and self._is_somebody_else(board, score)
            for node in self._snapshot.nodes_before(score, self.block)
        ]

    def _is_somebody_else(self, board: int, score: int) -> bool:
        return self._snapshot.total(board, score) == 1 and self._indexed(board) != score

    def _indexed(self, board: int) -> int:
        """The score that the index has of the participant."""
        return self._snapshot.block(self.block).get(board, {}).get(self._offset, 0)

    def ranks(self) -> Ranks:
        previous = self._month - 1
        return Ranks(
            rank=self._rank(ALL_TIME),
            monthly_rank=self._rank(self._month),
            prev_monthly_rank=self._rank(previous) if previous in self._scores else NO_RANK,
        )

    def _rank(self, board: int) -> int:
        score, histogram = self._scores[board], self._snapshot.histograms.get(board, {})
        ahead = sum(members for other, members in histogram.items() if other > score)
        if self._indexed(board) > score:
            ahead -= 1
        return ahead + self._earlier_with(board, score) + 1

    def _earlier_with(self, board: int, score: int) -> int:
        """How many with the same score joined earlier."""
        snapshot, sequence = self._snapshot, self._standing.join_sequence
        if not score:
            # Numbers behind the last one that is indexed are those of newcomers on their way there.
            newcomers = max(sequence - 1 - snapshot.head.last_sequence, 0)
            known = snapshot.before(ALIVE, 0, sequence) - snapshot.before(board, 0, sequence)
            return known + newcomers
        alone = snapshot.total(board, score) == 1 and self._indexed(board) == score
        nobody = not snapshot.total(board, score)
        return 0 if alone or nobody else snapshot.before(board, score, sequence)
