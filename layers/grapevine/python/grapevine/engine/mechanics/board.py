"""The leaderboards of a campaign's players: ranks 1 to n without gaps, more points first, then
whoever has had them for longer, then the user id.

The order and the points of a board are the index's, a moment behind. One player's rank is what the
index of ranks says of the others, and the player's own state.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from grapevine.engine.mechanics.campaign import Played
from grapevine.engine.mechanics.chosen_board import ChosenBoard, of_all_time, of_current
from grapevine.engine.ranks.points.places import Place
from grapevine.engine.ranks.points.reading import ahead_of, size_of
from grapevine.errors import NotFound
from grapevine.table import player_keys, points_board, store
from grapevine.table.player_counts import players_of
from grapevine.table.players import Player
from grapevine.table.points_board import Period, Ranked

NEIGHBOURS = 2
"""On either side of a player."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Entry:
    """Points and events are those of the board's period."""

    rank: int
    user_id: str
    display_name: str | None
    total_points: int
    events_count: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Board:
    """`own` is the entry of the player that was asked for, `around` it and those next to it.
    `span` is the first and the last millisecond of the period, None for all time."""

    entries: list[Entry]
    total_participants: int
    own: Entry | None
    around: list[Entry]
    period: Period | None
    span: tuple[int, int] | None


def board(played: Played, limit: int, user_id: str | None, period: Period | None) -> Board:
    """The first `limit`, and one player's surroundings if there is such a player on the board: of
    all time, or of the day, week or month that it is.

    Raises:
        NotFound: the campaign shows no leaderboard.
        InvalidRequest: it keeps none of this kind of period.
    """
    settings = played.configuration.leaderboard
    if not settings.enabled:
        raise NotFound("Campaign has no leaderboard")
    chosen = of_current(played, period) if period else of_all_time(played)
    return _Look(played, chosen, _excluded(played)).board(limit, user_id)


def rank_of(played: Played, player: Player) -> int | None:
    """On the board of all time. None for who is not on it."""
    excluded = _excluded(played)
    if not played.configuration.leaderboard.enabled or player.user_id in excluded:
        return None
    return _Look(played, of_all_time(played), excluded).rank_of(player)


def _excluded(played: Played) -> set[str]:
    """Those who are left out. What cannot be a user id leaves out nobody."""
    return set(filter(player_keys.is_user_id, played.configuration.leaderboard.exclude_users))


@dataclass(frozen=True, slots=True)
class _Look:
    """One look at a board, without the `excluded`."""

    played: Played
    chosen: ChosenBoard
    excluded: set[str]

    @property
    def campaign_id(self) -> str:
        return self.played.campaign.campaign_id

    def board(self, limit: int, user_id: str | None) -> Board:
        best = points_board.best_players(self.chosen.of, limit + len(self.excluded))
        first = _without(best, self.excluded)[:limit]
        around, own_rank = self._around(user_id)
        players = self._players([*self.excluded, *(one.user_id for one in [*first, *around])])
        shown = [one for one in first if one.user_id in players]
        nearby = self._ranked(around, own_rank, user_id, players)
        return Board(
            entries=[self._entry(at, one, players) for at, one in enumerate(shown, start=1)],
            total_participants=self._size(user_id, players),
            own=next((entry for entry in nearby if entry.user_id == user_id), None),
            around=nearby,
            period=self.chosen.of.period,
            span=self.chosen.span,
        )

    def rank_of(self, player: Player) -> int | None:
        own = self.chosen.place_of(player)
        if own is None:
            return None
        # What the indexes say of the player is left out: the state is what is true now.
        place = Place(player.user_id, player.version, own.position)
        better, equal = ahead_of(
            self.campaign_id, self.chosen.of.name, place, without=self.excluded
        )
        tied = points_board.players_at(self.chosen.of, own.position) if equal else []
        others = _without(tied, self.excluded | {player.user_id})
        return 1 + better + sum(one.order < own.order for one in others)

    def _size(self, user_id: str | None, players: dict[str, Player]) -> int:
        """All time's players are counted with their first event. Those of a period are counted by
        the index of ranks, but for the player that was asked for: who is on the board, and has a
        rank, counts."""
        if self.chosen.of.period is None:
            return players_of(self.campaign_id) - len(self.excluded & players.keys())
        apart = self.excluded | ({user_id} if user_id else set())
        others = size_of(self.campaign_id, self.chosen.of.name, without=apart)
        return others + (user_id in players.keys() - self.excluded)

    def _around(self, user_id: str | None) -> tuple[list[Ranked], int | None]:
        """A player and the nearest on both sides, and the player's rank."""
        if user_id is None or user_id in self.excluded:
            return [], None
        player = self._players([user_id]).get(user_id)
        own = self.chosen.place_of(player) if player else None
        if player is None or own is None:
            return [], None
        apart = self.excluded | {user_id}
        limit = NEIGHBOURS + len(apart)
        others = _without(points_board.players_around(self.chosen.of, own.position, limit), apart)
        before = [one for one in others if one.order < own.order][-NEIGHBOURS:]
        behind = [one for one in others if one.order > own.order][:NEIGHBOURS]
        return [*before, own, *behind], self.rank_of(player)

    def _ranked(
        self,
        around: Sequence[Ranked],
        own_rank: int | None,
        user_id: str | None,
        players: dict[str, Player],
    ) -> list[Entry]:
        there = [one for one in around if one.user_id in players]
        own = next((at for at, one in enumerate(there) if one.user_id == user_id), None)
        if own is None or own_rank is None:
            return []
        return [self._entry(own_rank + at - own, one, players) for at, one in enumerate(there)]

    def _entry(self, rank: int, ranked: Ranked, players: dict[str, Player]) -> Entry:
        player = players[ranked.user_id]
        score = self.chosen.score_of(player)
        hidden = self.played.configuration.leaderboard.hide_names
        return Entry(
            rank=rank,
            user_id=player.user_id,
            display_name=None if hidden else player.display_name,
            total_points=ranked.points,
            events_count=score.events if score else 0,
        )

    def _players(self, user_ids: Sequence[str]) -> dict[str, Player]:
        """Those of them that are on the board, by their own state."""
        places = {player_keys.player(self.campaign_id, user_id) for user_id in user_ids}
        found = (Player.from_item(item) for item in store.get_many(places).values())
        return {player.user_id: player for player in found if self.chosen.score_of(player)}


def _without(ranked: Sequence[Ranked], users: set[str]) -> list[Ranked]:
    """Each player once: one who rises while the index is read may be met twice."""
    first = {one.user_id: one for one in reversed(ranked) if one.user_id not in users}
    return sorted(first.values(), key=lambda one: one.order)
