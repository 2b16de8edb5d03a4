"""The index of ranks of one of a campaign's boards of points, made anew from its players while
workers go on with the old one.

1. A generation is claimed by a draft of its head, which exists once and which no reader knows.
2. All players are read, from the fewest points up, and counted in the draft by the protocol of
   every batch. Workers keep the old generation meanwhile.
3. The head is put, under the condition that it is as it was read: the new generation counts.
4. The old generation stands still now. All players are read again, from the most points down, and
   given to the new one like any batch of the stream.

Why nothing is lost: a change that has been committed is in the stream. A worker that has brought it
into the old generation did so before step 3, so step 4 finds it, unless the player moves down past
the reader meanwhile: but then the change that moved it comes to the new generation by itself, as
all that is later does. A worker that could not publish goes round again and meets the new head.

Why nothing counts twice: a player's version decides in either generation.

What readers see: one batch of the old generation, then the new one. Until step 4 has ended, others'
points may lack what came since step 2 has read them; one's own never do.

When the process dies: before step 3 nobody has seen anything, and the next rebuild claims another
generation. After it, places of players may be those of step 2 until they change again, or the next
rebuild. What is left of generations before the last one is cleared away by a later rebuild, when
nobody can be reading it any more.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from itertools import count

from grapevine import runtime
from grapevine.engine.attempts import attempts
from grapevine.engine.ranks.points.maintenance import maintain, maintain_generation
from grapevine.engine.ranks.points.places import Place, checked, place_of
from grapevine.engine.rebuild.findings import Findings, Kind
from grapevine.engine.rebuild.generations import READERS_GONE_AFTER_MS
from grapevine.engine.rebuild.progress import Progress
from grapevine.engine.rebuild.replaced_points import ReplacedPoints
from grapevine.errors import Busy
from grapevine.table import player_keys, rank_keys, store
from grapevine.table.keys import Key
from grapevine.table.player_counts import players_of
from grapevine.table.players import Player
from grapevine.table.points_board import PointsBoard, every_player
from grapevine.table.points_ranks import PointsHead, of_generation
from grapevine.table.writes import ABSENT, Condition, version

_AT_ONCE = 100

PATIENCE_SECONDS = 10.0
"""How long the index that lists the players may lag behind; as a rule it is well below a second."""

_PAUSE_SECONDS = 0.2


@dataclass(frozen=True, slots=True)
class Ranking:
    """The index of a board, and the place that a player's state has on it, if any."""

    board: PointsBoard
    place_of: Callable[[Player], Place | None] = place_of
    expires_at: int | None = None


def rebuild_points(ranking: Ranking, findings: Findings, progress: Progress) -> None:
    """The index counts all players as they are, and `findings` says what was wrong with it.

    Raises:
        Busy: another rebuild was faster; or the stream is catching up too fast. Repeating is safe.
    """
    before, players = _current(ranking), players_of(ranking.board.campaign_id)
    reader = _Reader(ranking, findings)
    if before.is_missing and not any(page.places for page in reader.everybody(descending=False)):
        return
    old = _old_generations(before.head)
    _clear_shared(before.head, old)
    draft = _claim(before.head)
    done = 0
    for page in reader.everybody(descending=False):
        maintain_generation(draft, page.places)
        _clear_counted(before.head, old, [place.user_id for place in page.places])
        done += page.players
        progress("ranking players", done, max(done, players))
    replaced = _take_over(ranking, draft, old.stop)
    compared = None if replaced.is_missing else ReplacedPoints(replaced.head, findings)
    _catch_up(reader, compared, progress)
    if compared:
        compared.add_up()
    else:
        findings.add(Kind.POINTS_PART, "the head was missing")


def _catch_up(reader: _Reader, compared: ReplacedPoints | None, progress: Progress) -> None:
    """Everybody as they are now comes into the generation that counts."""
    board, expires_at = reader.ranking.board, reader.ranking.expires_at
    give_up_at = time.monotonic() + PATIENCE_SECONDS
    while True:
        wanted, done = players_of(board.campaign_id), 0
        for page in reader.everybody(descending=True):
            maintain(board.campaign_id, board.name, page.places, expires_at=expires_at)
            if compared:
                compared.compare(page.places)
            done += page.players
            progress("checking players", done, max(done, wanted))
        # Newcomers whom the board does not show yet, though the old generation may have had them.
        if done >= wanted or time.monotonic() >= give_up_at:
            return
        time.sleep(_PAUSE_SECONDS)


@dataclass(frozen=True, slots=True)
class _Page:
    """So many players, and the places of those of them who are on the board."""

    players: int
    places: list[Place]


class _Reader:
    """Reads the players that the board of all time lists, and says in `findings` who cannot be
    counted."""

    def __init__(self, ranking: Ranking, findings: Findings) -> None:
        self.ranking, self._findings = ranking, findings
        self._told: set[str] = set()

    def everybody(self, *, descending: bool) -> Iterator[_Page]:
        """A hundred at a time, as they are now."""
        campaign_id = self.ranking.board.campaign_id
        for listed in every_player(campaign_id, _AT_ONCE, descending=descending):
            keys = [player_keys.player(campaign_id, one.user_id) for one in listed]
            found = list(store.get_many(keys).values())
            places = [self._place(item) for item in found]
            yield _Page(len(found), [place for place in places if place])

    def _place(self, item: dict[str, object]) -> Place | None:
        try:
            place = self.ranking.place_of(Player.from_item(item))
            return checked(place) if place else None
        except (KeyError, TypeError, ValueError) as error:
            user_id = str(item.get("userId"))
            if user_id not in self._told:
                self._findings.add(Kind.FACT, f"player {user_id} cannot be counted ({error})")
            self._told.add(user_id)
            return None


@dataclass(frozen=True, slots=True)
class _Current:
    """The head as it is, or as workers take it to be where there is none."""

    head: PointsHead
    condition: Condition

    @property
    def is_missing(self) -> bool:
        return self.condition is ABSENT


def _current(ranking: Ranking) -> _Current:
    campaign_id, board = ranking.board.campaign_id, ranking.board.name
    item = store.get(rank_keys.points_head(campaign_id, board))
    head = replace(PointsHead.found(campaign_id, board, item), expires_at=ranking.expires_at)
    return _Current(head, version(head.version) if item else ABSENT)


def _claim(before: PointsHead) -> PointsHead:
    """The draft of a later generation that nobody else will write into."""
    for generation in count(before.generation + 1):
        new = PointsHead.new(before.campaign_id, before.board, generation)
        draft = replace(new, is_draft=True, expires_at=before.expires_at)
        journal = rank_keys.points_journal(draft.campaign_id, draft.board, generation)
        # Where the head has been lost, the generations that it counted from are not known.
        if store.get(journal) is None and store.put(draft.to_item(), ABSENT):
            return draft
    raise AssertionError("there is always another number")


def _take_over(ranking: Ranking, draft: PointsHead, oldest: int) -> _Current:
    """Makes the draft the generation that counts; the head that it replaces.

    Raises:
        Busy: another rebuild has taken over with a later one, or the head never stood still.
    """
    replaced: _Current | None = None
    for _ in attempts():
        before = _current(ranking)
        if before.head.generation == draft.generation and replaced:
            return replaced  # the answer to the put was lost
        if before.head.generation >= draft.generation:
            raise Busy
        replaced = before
        filled = PointsHead.from_item(store.get_many([draft.key])[draft.key])
        head = replace(filled, is_draft=False, taken_over_at=runtime.now_ms(), oldest=oldest)
        if store.put(head.to_item(), before.condition):
            return before
    raise AssertionError("attempts() ends by raising Busy")


def _old_generations(head: PointsHead) -> range:
    """Those of which something may be left that nobody reads any more."""
    is_safe = runtime.now_ms() - head.taken_over_at >= READERS_GONE_AFTER_MS
    return range(head.oldest, head.generation if is_safe else head.oldest)


def _clear_shared(head: PointsHead, generations: range) -> None:
    """Deletes drafts, journals and nodes."""
    for generation in generations:
        items = of_generation(head.campaign_id, head.board, generation)
        draft = rank_keys.points_draft(head.campaign_id, head.board, generation)
        store.remove([*(Key(item["partition"], item["sort"]) for item in items), draft])


def _clear_counted(head: PointsHead, generations: range, user_ids: list[str]) -> None:
    """Deletes what they counted of these players."""
    store.remove(
        [
            rank_keys.points_counted(head.campaign_id, head.board, generation, user_id)
            for generation in generations
            for user_id in user_ids
        ]
    )
