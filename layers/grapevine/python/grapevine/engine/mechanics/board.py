"""The leaderboard of a campaign's players: ranks 1 to n without gaps, more points first, then
whoever has had them for longer, then the user id.

The order and the points of a board are the index's, a moment behind. One player's rank is from the
index of ranks by points: exact, in the same few reads however many players there are.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from grapevine.engine.mechanics.campaign import Played
from grapevine.engine.ranks.points.places import ALL_TIME, place_of
from grapevine.engine.ranks.points.reading import ahead_of
from grapevine.errors import NotFound
from grapevine.table import player_keys, points_board, store
from grapevine.table.player_counts import players_of
from grapevine.table.players import Player
from grapevine.table.points_board import Ranked

NEIGHBOURS = 2
"""On either side of a player."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Entry:
    rank: int
    user_id: str
    display_name: str | None
    total_points: int
    events_count: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Board:
    """`own` is the entry of the player that was asked for, `around` it and those next to it."""

    entries: list[Entry]
    total_participants: int
    own: Entry | None
    around: list[Entry]


def board(played: Played, limit: int, user_id: str | None) -> Board:
    """The first `limit`, and one player's surroundings if there is such a player on the board.

    Raises:
        NotFound: the campaign shows no leaderboard.
    """
    settings = played.configuration.leaderboard
    if not settings.enabled:
        raise NotFound("Campaign has no leaderboard")
    excluded = _excluded(played)
    best = _without(points_board.best_players(_id_of(played), limit + len(excluded)), excluded)
    around, own_rank = _around(played, user_id, excluded)
    best = best[:limit]
    players = _players(played, [*excluded, *(one.user_id for one in [*best, *around])])
    shown = [
        _entry(played, rank, one, players)
        for rank, one in enumerate((one for one in best if one.user_id in players), start=1)
    ]
    nearby = _ranked(played, around, own_rank, user_id, players)
    return Board(
        entries=shown,
        total_participants=players_of(_id_of(played)) - len(excluded & players.keys()),
        own=next((entry for entry in nearby if entry.user_id == user_id), None),
        around=nearby,
    )


def rank_of(played: Played, player: Player) -> int | None:
    """None for who is not on the board. The player's own newest points count, the others' are
    those of a moment ago."""
    excluded = _excluded(played)
    if not played.configuration.leaderboard.enabled or player.user_id in excluded:
        return None
    return _rank_among(player, excluded)


def _rank_among(player: Player, excluded: set[str]) -> int:
    """The rank of one who is on the board."""
    place = place_of(player)
    ahead = ahead_of(player.campaign_id, ALL_TIME, place, without=excluded)
    if not ahead.equal:
        return 1 + ahead.better
    tied = _without(
        points_board.players_at(player.campaign_id, place.position), excluded | {player.user_id}
    )
    return 1 + ahead.better + sum(one.user_id < player.user_id for one in tied)


def _excluded(played: Played) -> set[str]:
    """Those who are left out. What cannot be a user id leaves out nobody."""
    return set(filter(player_keys.is_user_id, played.configuration.leaderboard.exclude_users))


def _around(played: Played, user_id: str | None, excluded: set[str]) -> tuple[list[Ranked], int]:
    """A player and the nearest on both sides, and the player's rank."""
    if user_id is None or user_id in excluded:
        return [], 0
    player = _players(played, [user_id]).get(user_id)
    if player is None:
        return [], 0
    own = Ranked(user_id, place_of(player).position)
    apart = excluded | {user_id}
    nearest = points_board.players_around(player.campaign_id, own.position, NEIGHBOURS + len(apart))
    others = _without(nearest, apart)
    before = [one for one in others if one.order < own.order][-NEIGHBOURS:]
    behind = [one for one in others if one.order > own.order][:NEIGHBOURS]
    return [*before, own, *behind], _rank_among(player, excluded)


def _ranked(
    played: Played,
    around: Sequence[Ranked],
    own_rank: int,
    user_id: str | None,
    players: dict[str, Player],
) -> list[Entry]:
    there = [one for one in around if one.user_id in players]
    own = next((at for at, one in enumerate(there) if one.user_id == user_id), 0)
    return [_entry(played, own_rank + at - own, one, players) for at, one in enumerate(there)]


def _entry(played: Played, rank: int, ranked: Ranked, players: dict[str, Player]) -> Entry:
    player = players[ranked.user_id]
    hidden = played.configuration.leaderboard.hide_names
    return Entry(
        rank=rank,
        user_id=player.user_id,
        display_name=None if hidden else player.display_name,
        total_points=ranked.points,
        events_count=player.events_count,
    )


def _without(ranked: Sequence[Ranked], users: set[str]) -> list[Ranked]:
    """Each player once: one who rises while the index is read may be met twice."""
    first = {one.user_id: one for one in reversed(ranked) if one.user_id not in users}
    return sorted(first.values(), key=lambda one: one.order)


def _players(played: Played, user_ids: Sequence[str]) -> dict[str, Player]:
    places = {player_keys.player(_id_of(played), user_id) for user_id in user_ids}
    found = (Player.from_item(item) for item in store.get_many(places).values())
    return {player.user_id: player for player in found}


def _id_of(played: Played) -> str:
    return played.campaign.campaign_id
