"""Leaderboards: pages of participants in one of five orders, best first, ties by join order.

Whoever has a count on a board stands in the board's index; everybody else follows in join order. A
cursor names a place on the board beside the participant who stood there, so that nobody who stays
where they are is skipped or shown twice, whoever else moves between two pages. What a page reads
depends neither on how deep it is nor on how many participants there are.
"""

from __future__ import annotations

import re
from abc import ABC, abstractmethod
from collections.abc import Sequence
from dataclasses import dataclass
from functools import partial
from typing import Literal, NamedTuple

from grapevine import runtime
from grapevine.engine.parallel import in_parallel
from grapevine.engine.participants.listing import Page, rows_of
from grapevine.engine.participants.lookup import Participant
from grapevine.engine.ranks.unscored import unscored_from
from grapevine.months import month_at
from grapevine.table import keys, standings, store
from grapevine.table.campaigns import Campaign
from grapevine.table.impressions import Impressions
from grapevine.table.standings import Place, Standing

LeaderboardType = Literal[
    "ALL_TIME", "CURRENT_MONTH", "PREV_MONTH", "TOTAL_IMPRESSION_COUNT", "UNIQUE_IMPRESSION_COUNT"
]

_CURSOR = re.compile(r"([A-Za-z0-9_-]{1,100})\.([a-z]+[0-9]*)\.([0-9]{1,9})\.([0-9]{1,10})")

_CLOSE = 16
"""Index entries that are cheaper to read along than to read around."""

_LOOK_AHEAD = 100
"""Participants read in one go for the rest of a page, where some do not belong to the board."""

_LOOKED_THROUGH = 1000
"""Index entries that one page looks through, at the most, for participants without impressions."""


class Stretch(NamedTuple):
    """Places next to each other, and where the board goes on behind them; None at its end."""

    places: list[Place]
    following: Place | None


class Board(ABC):
    """One order of a campaign's participants. `label` names it in cursors."""

    def __init__(self, campaign_id: str, label: str) -> None:
        self.campaign_id = campaign_id
        self.label = label

    @abstractmethod
    def stretch(self, start: Place | None, limit: int) -> Stretch:
        """Up to `limit` places, from a place on or from the top. Fewer before the end where it
        would take too much to find them."""

    @abstractmethod
    def count_of(self, standing: Standing) -> int:
        """What a participant has on this board now."""

    def includes(self, standing: Standing) -> bool:
        """Whether a participant belongs to the board at all."""
        return standing.deleted_at is None


class _AllTime(Board):
    """Its index has everybody, those without a credit as well."""

    def stretch(self, start: Place | None, limit: int) -> Stretch:
        position = start.position if start else None
        found = standings.all_time_places(self.campaign_id, limit=limit, from_position=position)
        return Stretch(found, _behind(found[-1]) if len(found) == limit else None)

    def count_of(self, standing: Standing) -> int:
        return standing.referral_count


class _Sparse(Board):
    """A board whose index has only those with a count."""

    @abstractmethod
    def scored(self, from_position: int | None, limit: int) -> list[Place]:
        """Those with a count, from a position on or from the top."""

    @abstractmethod
    def unscored(self, from_sequence: int, limit: int) -> Stretch:
        """Those without, in join order."""

    def stretch(self, start: Place | None, limit: int) -> Stretch:
        found: list[Place] = []
        if start is None or start.count:
            found = self.scored(start.position if start else None, limit)
            if len(found) == limit:
                return Stretch(found, _behind(found[-1]))
            start = None
        rest = self.unscored(start.join_sequence if start else 1, limit - len(found))
        # An index can show a participant here a moment before it is gone from there.
        known = {place.participant_id for place in found}
        found += [place for place in rest.places if place.participant_id not in known]
        return Stretch(found, rest.following)


def _behind(place: Place) -> Place:
    return Place(place.participant_id, place.count, place.join_sequence + 1)


class _Month(_Sparse):
    """Whoever joined after the month is not on its board (growsurf); those come last."""

    def __init__(self, campaign_id: str, month: int) -> None:
        super().__init__(campaign_id, f"month{month}")
        self._month = month

    def scored(self, from_position: int | None, limit: int) -> list[Place]:
        return standings.month_places(
            self.campaign_id, self._month, limit=limit, from_position=from_position
        )

    def unscored(self, from_sequence: int, limit: int) -> Stretch:
        sequences = unscored_from(self.campaign_id, self._month, from_sequence, limit)
        places = _joined(self.campaign_id, sequences)
        is_end = len(sequences) < limit or not places
        return Stretch(places, None if is_end else _behind(places[-1]))

    def count_of(self, standing: Standing) -> int:
        return standing.count_in(self._month)

    def includes(self, standing: Standing) -> bool:
        return super().includes(standing) and standing.joined_month <= self._month


def _joined(campaign_id: str, sequences: Sequence[int]) -> list[Place]:
    """The participants with these join sequence numbers, which are in order: one read for each run
    of numbers that lie close together."""
    runs: list[tuple[int, int]] = []
    for number in sequences:
        first = runs.pop()[0] if runs and number - runs[-1][1] <= _CLOSE else number
        runs.append((first, number))
    reads = [partial(standings.joined_between, campaign_id, first, last) for first, last in runs]
    wanted = set(sequences)
    return [
        place for found in in_parallel(reads) for place in found if place.join_sequence in wanted
    ]


class _Impressions(_Sparse):
    """A link that was seen at all was seen by a first visitor: who has no impressions has no unique
    ones either, and the other way round."""

    def __init__(self, campaign_id: str, *, unique: bool) -> None:
        super().__init__(campaign_id, "unique" if unique else "total")
        self._unique = unique

    def scored(self, from_position: int | None, limit: int) -> list[Place]:
        places = standings.unique_impression_places if self._unique else standings.impression_places
        return places(self.campaign_id, limit=limit, from_position=from_position)

    def unscored(self, from_sequence: int, limit: int) -> Stretch:
        joined = standings.joined_from(self.campaign_id, from_sequence, _LOOKED_THROUGH)
        if not joined:
            return Stretch([], None)
        last = joined[-1]
        visited = standings.visited_between(self.campaign_id, from_sequence, last.join_sequence)
        places = [place for place in joined if place.join_sequence not in visited]
        if len(places) > limit:
            return Stretch(places[:limit], places[limit])
        return Stretch(places, _behind(last) if len(joined) == _LOOKED_THROUGH else None)

    def count_of(self, standing: Standing) -> int:
        item = store.get(keys.impressions(self.campaign_id, standing.participant_id))
        if item is None:
            return 0
        counted = Impressions.from_item(item)
        return counted.unique if self._unique else counted.total


def page(campaign: Campaign, kind: LeaderboardType, limit: int, next_id: str | None) -> Page:
    """The page that begins at a cursor, or where a participant stands now, or the first one.

    An id that nobody has, and a cursor of another board, give an empty page. A listing of the
    current month goes on in that month when the next one has begun. Where nearly everybody has
    impressions, a page of those without may be shorter than `limit` and say that it goes on.
    """
    cursor = _Cursor.of(next_id) if next_id is not None else None
    board = _board(campaign.campaign_id, kind, cursor)
    start = None
    if cursor is not None:
        start = cursor.place if cursor.label == board.label else None
    elif next_id is not None:
        start = _place_of(board, next_id)
    if next_id is not None and start is None:
        return Page([], None)
    rows, following = _rows(board, start, limit)
    return Page(rows, str(_Cursor(board.label, following)) if following else None)


@dataclass(frozen=True, slots=True)
class _Cursor:
    """Where a page begins: the participant first, so that it reads as the id of the first row."""

    label: str
    place: Place

    def __str__(self) -> str:
        place = self.place
        return f"{place.participant_id}.{self.label}.{place.count}.{place.join_sequence}"

    @classmethod
    def of(cls, text: str) -> _Cursor | None:
        """None for anything else, such as a participant's id."""
        named = _CURSOR.fullmatch(text)
        if named is None:
            return None
        return cls(named[2], Place(named[1], int(named[3]), int(named[4])))


def _board(campaign_id: str, kind: LeaderboardType, cursor: _Cursor | None) -> Board:
    month = month_at(runtime.now_ms())
    this_month, last_month = _Month(campaign_id, month), _Month(campaign_id, month - 1)
    match kind:
        case "ALL_TIME":
            return _AllTime(campaign_id, "all")
        case "CURRENT_MONTH":
            began_last_month = cursor is not None and cursor.label == last_month.label
            return last_month if began_last_month else this_month
        case "PREV_MONTH":
            return last_month
        case "TOTAL_IMPRESSION_COUNT":
            return _Impressions(campaign_id, unique=False)
        case "UNIQUE_IMPRESSION_COUNT":
            return _Impressions(campaign_id, unique=True)


def _place_of(board: Board, participant_id: str) -> Place | None:
    """None for somebody who is not on the board."""
    if not keys.is_id(participant_id):
        return None
    item = store.get(keys.standing(board.campaign_id, participant_id))
    standing = Standing.from_item(item) if item else None
    if standing is None or not board.includes(standing):
        return None
    return Place(participant_id, board.count_of(standing), standing.join_sequence)


def _rows(board: Board, start: Place | None, limit: int) -> tuple[list[Participant], Place | None]:
    """The participants of a page, and the first place of the next one.

    Places of people who do not belong to the board are passed over. Those who joined after a month
    are the last in join order, but for a few who joined in the very moment of its end: behind a
    hundred of them there is nobody else.
    """
    rows: list[tuple[Place, Participant]] = []
    wanted = limit + 1
    while True:
        places, following = board.stretch(start, wanted)
        found = rows_of(board.campaign_id, [place.participant_id for place in places])
        kept = {one.participant_id: one for one in found if board.includes(one.standing)}
        rows += [(one, kept[one.participant_id]) for one in places if one.participant_id in kept]
        if len(rows) > limit:
            following = rows[limit][0]
        elif following is not None and len(places) == wanted:
            if kept or wanted < _LOOK_AHEAD:
                start, wanted = following, _LOOK_AHEAD
                continue
            following = None
        return [participant for _, participant in rows[:limit]], following
