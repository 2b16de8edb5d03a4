"""Keeping the index of ranks by points: places become batches by the rules of `batch`, and visible
by the protocol of `grapevine.engine.ranks.protocol`."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import replace

from grapevine import runtime
from grapevine.engine.ranks.codec import decode
from grapevine.engine.ranks.points.batch import empty_counted, plan, work_of
from grapevine.engine.ranks.points.places import Counted, Place
from grapevine.engine.ranks.points.trie import SHAPE, Shape
from grapevine.engine.ranks.protocol import Index, Work, bring_in, newest
from grapevine.table import rank_keys
from grapevine.table.attributes import Item
from grapevine.table.keys import Key
from grapevine.table.points_ranks import PointsCounted, PointsHead, PointsJournal

MOST_AT_ONCE = 200
"""Players in a batch: some 20 KB of journal, and a quarter of a second of puts."""


def maintain(
    campaign_id: str,
    board: str,
    places: Iterable[Place],
    *,
    expires_at: int | None = None,
    shape: Shape = SHAPE,
) -> None:
    """The board's index counts these places, or newer ones of the same players. Its items are
    removed after `expires_at` (seconds), where there is one; from then on nothing is counted.

    Raises:
        Busy: some may be counted; repeating is safe.
    """
    if expires_at is not None and expires_at * 1000 <= runtime.now_ms():
        # Some items may have gone, and what is left would not add up.
        return
    empty = replace(PointsHead.new(campaign_id, board), expires_at=expires_at)
    maintain_generation(empty, places, shape)


def maintain_generation(empty: PointsHead, places: Iterable[Place], shape: Shape = SHAPE) -> None:
    """The same for the index with this head, which is given as it is without a batch: a draft is a
    generation that does not count yet."""
    waiting = newest(places, lambda one: one.user_id)
    for start in range(0, len(waiting), MOST_AT_ONCE):
        bring_in(_Points(empty, waiting[start : start + MOST_AT_ONCE], shape))


class _Points(Index[PointsHead, PointsJournal]):
    """An index of ranks by points, and places that are to come into it."""

    def __init__(self, empty: PointsHead, places: list[Place], shape: Shape) -> None:
        self._empty, self._places, self._shape = empty, places, shape

    @property
    def head_key(self) -> Key:
        return self._empty.key

    def head(self, item: Item | None) -> PointsHead:
        return PointsHead.from_item(item) if item else self._empty

    def journal_key(self, head: PointsHead) -> Key:
        return rank_keys.points_journal(head.campaign_id, head.board, head.generation)

    def journal(self, item: Item) -> PointsJournal:
        return PointsJournal.from_item(item)

    def planned_from(self, head: PointsHead) -> Iterable[Key]:
        return [_key_of(head, place) for place in self._places]

    def plan(self, head: PointsHead, found: Mapping[Key, Item]) -> PointsJournal | None:
        parts = {one.user_id: found.get(_key_of(head, one)) for one in self._places}
        moves = plan(self._places, {user_id: _counted(item) for user_id, item in parts.items()})
        if not moves:
            return None
        return PointsJournal(
            campaign_id=head.campaign_id,
            board=head.board,
            generation=head.generation,
            version=head.version + 1,
            moves={user_id: move.numbers() for user_id, move in moves.items()},
            expires_at=head.expires_at,
        )

    def work(
        self, head: PointsHead, journal: PointsJournal, known: Mapping[Key, Item | None]
    ) -> Work[PointsHead]:
        return work_of(head, journal, known, self._shape)


def _key_of(head: PointsHead, place: Place) -> Key:
    return empty_counted(head, place.user_id).key


def _counted(item: Item | None) -> Counted:
    return Counted.of(decode(PointsCounted.from_item(item).content)) if item else Counted(0, 0)
