"""A participant's standing: what ranks are made of, and its places in the boards' indexes.

A place is one number, `count * 10^10 + (10^10 - 1 - joinSequence)`: more referrals first, then
the earlier joiner, with no ties. The all-time board holds every participant. A month's count is
kept in the slot of the month's parity; the first credit of a month overwrites the month before
last, last month's count stays untouched beside it, and nothing is written when a month turns.

`version` grows with every change: projections use it to apply a change once.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Any, ClassVar

from grapevine.months import year_of
from grapevine.table import keys, store
from grapevine.table.attributes import Item
from grapevine.table.entity import Entity
from grapevine.table.keys import Key
from grapevine.table.store import Index

_UNIT = 10**10

_ALL_TIME = Index("allTimeBoard", "allTimeBoard", "allTimePosition")
_MONTH = (
    Index("evenMonthBoard", "evenMonthBoard", "evenMonthPosition"),
    Index("oddMonthBoard", "oddMonthBoard", "oddMonthPosition"),
)
_JOIN_ORDER = Index("joinOrder", "joinOrderOf", "joinSequence")


MonthCount = tuple[int, int]
"""A month (as in `grapevine.months`) and the referrals credited in it."""


def position(count: int, join_sequence: int) -> int:
    return count * _UNIT + (_UNIT - 1 - join_sequence)


@dataclass(frozen=True, slots=True, kw_only=True)
class Standing(Entity):
    """`deleted_at` marks the tombstone of a deleted participant, or of a join sequence number
    whose participant could not be created: it is in no board, and goes away by its `expires_at`
    (seconds) once every reader of the stream has seen it."""

    TYPE: ClassVar[str] = "Standing"

    campaign_id: str
    participant_id: str
    version: int = 0
    join_sequence: int
    joined_month: int
    referral_count: int = 0
    even_month: MonthCount | None = None
    odd_month: MonthCount | None = None
    year: tuple[int, int] | None = None
    deleted_at: int | None = None
    expires_at: int | None = None
    due_shard: str | None = None
    due_at: int | None = None

    @property
    def key(self) -> Key:
        return keys.standing(self.campaign_id, self.participant_id)

    def count_in(self, month: int) -> int:
        slot_month, count = self._slot_of(month)
        return count if slot_month == month else 0

    def keeps(self, month: int) -> bool:
        """Whether its slot can still tell the count of `month`: not when a later month's credit
        was put there, nor when that credit was taken back again and left the slot empty."""
        kept = self._slot_of(month)[0]
        return 0 < kept <= month

    def _slot_of(self, month: int) -> MonthCount:
        return (self.odd_month if month % 2 else self.even_month) or (0, 0)

    def count_in_year(self, year: int) -> int:
        counted_year, count = self.year or (0, 0)
        return count if counted_year == year else 0

    def plus_one(self, month: int) -> Standing:
        """With one more referral, credited in `month`."""
        return self._changed_by(1, month)

    def minus_one(self, month: int) -> Standing:
        """Without one referral that was credited in `month`."""
        return self._changed_by(-1, month)

    def _changed_by(self, change: int, month: int) -> Standing:
        changed = replace(
            self, version=self.version + 1, referral_count=self.referral_count + change
        )
        year = year_of(month)
        if (self.year or (0, 0))[0] <= year:
            changed = replace(changed, year=(year, max(self.count_in_year(year) + change, 0)))
        if self._slot_of(month)[0] > month:
            return changed
        in_month = max(self.count_in(month) + change, 0)
        counted = (month, in_month) if in_month else None
        if month % 2:
            return replace(changed, odd_month=counted)
        return replace(changed, even_month=counted)

    def index_attributes(self) -> Item:
        if self.deleted_at is not None:
            return {}
        attributes: dict[str, Any] = {
            "allTimeBoard": keys.all_time_board(self.campaign_id),
            "allTimePosition": position(self.referral_count, self.join_sequence),
            "joinOrderOf": keys.join_order(self.campaign_id),
        }
        for index, slot in zip(_MONTH, (self.even_month, self.odd_month), strict=True):
            if slot:
                month, count = slot
                attributes[index.partition] = keys.month_board(self.campaign_id, month)
                attributes[index.sort] = position(count, self.join_sequence)
        return attributes


@dataclass(frozen=True, slots=True)
class Place:
    """One entry of a board."""

    participant_id: str
    count: int
    join_sequence: int

    @property
    def position(self) -> int:
        return position(self.count, self.join_sequence)


def all_time_places(
    campaign_id: str, *, limit: int, from_position: int | None = None
) -> list[Place]:
    """The next `limit` participants of the campaign, best first, from a position on (inclusive; see
    `position`) or from the top."""
    return _places(_ALL_TIME, keys.all_time_board(campaign_id), limit, from_position)


def impression_places(
    campaign_id: str, limit: int, from_position: int | None = None
) -> list[Place]:
    """The first `limit` participants with impressions, or those from a position on, best first."""
    return _places(_ALL_TIME, keys.impression_board(campaign_id), limit, from_position)


def unique_impression_places(
    campaign_id: str, limit: int, from_position: int | None = None
) -> list[Place]:
    """The same in the order of unique impressions."""
    return _places(_MONTH[0], keys.unique_impression_board(campaign_id), limit, from_position)


def month_places(
    campaign_id: str, month: int, *, limit: int, from_position: int | None = None
) -> list[Place]:
    """The same of the participants with a credit in `month`."""
    board = keys.month_board(campaign_id, month)
    return _places(_MONTH[month % 2], board, limit, from_position)


def _places(index: Index, board: str, limit: int, from_position: int | None) -> list[Place]:
    entries = store.query(index, board, descending=True, limit=limit, at_most=from_position)
    return [_place(entry["partition"], entry[index.sort]) for entry in entries]


def _place(partition: str, place: int) -> Place:
    count, rest = divmod(place, _UNIT)
    return Place(keys.participant_in(partition), count, _UNIT - 1 - rest)


def joined_between(campaign_id: str, first: int, last: int) -> list[Place]:
    """The living participants with these join sequence numbers, in their order, each as a place
    without a count."""
    return _joined(campaign_id, (first, last), None)


def joined_from(campaign_id: str, sequence: int, limit: int) -> list[Place]:
    """The first `limit` of those who joined with this number or later."""
    return _joined(campaign_id, (sequence, _UNIT), limit)


def _joined(campaign_id: str, numbers: tuple[int, int], limit: int | None) -> list[Place]:
    board = keys.join_order(campaign_id)
    entries = store.query(_JOIN_ORDER, board, between=numbers, limit=limit)
    return [
        Place(keys.participant_in(entry["partition"]), 0, entry["joinSequence"])
        for entry in entries
    ]


def visited_between(campaign_id: str, first: int, last: int) -> set[int]:
    """The join sequence numbers, of these, of participants whose link has been seen."""
    index = _MONTH[1]
    entries = store.query(index, keys.visited(campaign_id), between=(first, last))
    return {entry[index.sort] for entry in entries}


def newest_first(campaign_id: str, limit: int, *, from_sequence: int | None = None) -> list[str]:
    """Ids of the `limit` last joiners, or of those who joined at `from_sequence` and before."""
    entries = store.query(
        _JOIN_ORDER,
        keys.join_order(campaign_id),
        limit=limit,
        descending=True,
        at_most=from_sequence,
    )
    return [keys.participant_in(entry["partition"]) for entry in entries]


def in_join_order(
    campaign_id: str, first: int, last: int, limit: int | None = None
) -> dict[int, str]:
    """Ids of the first `limit` (all, without one) who joined from number `first` to `last` and are
    alive, by their numbers; a moment behind."""
    entries = store.query(
        _JOIN_ORDER, keys.join_order(campaign_id), between=(first, last), limit=limit
    )
    return {entry["joinSequence"]: keys.participant_in(entry["partition"]) for entry in entries}
