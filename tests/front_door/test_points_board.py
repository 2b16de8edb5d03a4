"""The leaderboard of points: ranks are what sorting all players gives (I18)."""

from __future__ import annotations

import random
from dataclasses import dataclass
from typing import Any
from urllib.parse import quote

import pytest

from grapevine import runtime
from grapevine.engine.mechanics import validating
from grapevine.table import store
from grapevine.table.player_counts import one_more_player
from grapevine.table.players import Player
from local.stack import Stack
from tests.api import Json
from tests.conftest import inside
from tests.playing import Game, mechanics

pytestmark = pytest.mark.both_engines

AT = 1_800_000_000_000
STAFF = ["user-03", "user-11", "user-29", "nobody"]


@dataclass(frozen=True)
class Drawn:
    """A game whose players were put there with any points and times, and what sorting them gives:
    the rows of the whole board."""

    game: Game
    players: list[Player]
    rows: list[Json]


def drawn(stack: Stack, seed: int, *, count: int, totals: int, moments: int) -> Drawn:
    settings = {"enabled": True, "excludeUsers": STAFF, "hideNames": seed % 2 == 1}
    game = Game.started(stack, mechanics(leaderboard=settings))
    chance = random.Random(seed)  # noqa: S311 - chosen, not secret
    players = [
        Player(
            campaign_id=game.campaign_id,
            user_id=f"user-{number:02d}",
            version=1,
            total_points=chance.randrange(totals),
            events_count=chance.randrange(1, 9),
            joined_at=AT,
            reached_at=AT + chance.randrange(moments),
            display_name=f"Player {number}",
        )
        for number in range(count)
    ]
    with inside(stack):
        store.put_all(player.to_item() for player in players)
        for player in players:
            store.transact([one_more_player(game.campaign_id, player.user_id)])
    stack.drain()
    ranked = sorted(
        (player for player in players if player.user_id not in STAFF),
        key=lambda player: (-player.total_points, player.reached_at, player.user_id),
    )
    rows = [
        {
            "rank": rank,
            "userId": player.user_id,
            "displayName": None if seed % 2 else player.display_name,
            "totalPoints": player.total_points,
            "eventsCount": player.events_count,
        }
        for rank, player in enumerate(ranked, start=1)
    ]
    return Drawn(game, players, rows)


def read(game: Game, path: str, **params: Any) -> Json:
    response = game.call("GET", path, params=params)
    assert response.status_code == 200, response.text
    data: Json = response.json()["data"]
    return data


@pytest.mark.parametrize(("seed", "totals", "moments"), [(1, 1, 1), (2, 3, 2), (3, 1000, 40)])
def test_i18_ranks_are_those_of_sorting_all_players(
    stack: Stack, seed: int, totals: int, moments: int
) -> None:
    """Many or all have the same points, many at the same millisecond."""
    made = drawn(stack, seed, count=22, totals=totals, moments=moments)
    rows = made.rows

    for limit in (1, 7, 19, 100):
        shown = read(made.game, "leaderboard", limit=limit)
        assert shown["entries"] == rows[:limit]
        assert shown["totalParticipants"] == len(rows) == 20
        assert "participant" not in shown
    places = {row["userId"]: place for place, row in enumerate(rows)}
    for player in made.players:
        place = places.get(player.user_id)
        near = read(made.game, "leaderboard", limit=1, userId=player.user_id)
        alone = read(made.game, f"participants/{player.user_id}")
        if place is None:
            assert (near["participant"], near["neighbours"], alone["rank"]) == (None, [], None)
        else:
            assert near["participant"] == rows[place]
            assert near["neighbours"] == rows[max(0, place - 2) : place + 3]
            assert alone["rank"] == place + 1


def test_i18_who_was_first_is_above_and_in_one_millisecond_the_lesser_user_id(
    stack: Stack, monkeypatch: pytest.MonkeyPatch
) -> None:
    game = Game.started(stack, mechanics())
    now = runtime.now_ms()
    for user_id, later in (("b", 1), ("Z", 1), ("a", 1), ("ä", 0), ("late", 2), ("a b", 1)):
        monkeypatch.setattr(runtime, "now_ms", lambda at=now + later: at)
        game.event(user_id, "signup")
    monkeypatch.setattr(runtime, "now_ms", lambda: now + 3)
    game.event("none", "nothing")
    stack.drain()

    board = read(game, "leaderboard")

    expected = ["ä", "Z", "a", "a b", "b", "late", "none"]
    assert [each["userId"] for each in board["entries"]] == expected
    assert [each["rank"] for each in board["entries"]] == [1, 2, 3, 4, 5, 6, 7]
    ranks = [read(game, f"participants/{quote(each, safe='')}")["rank"] for each in expected]
    assert ranks == [1, 2, 3, 4, 5, 6, 7]
    assert board["totalParticipants"] == 7


def test_an_event_without_points_does_not_cost_a_place(stack: Stack) -> None:
    game = Game.started(stack, mechanics())
    for user_id in ("first", "second"):
        game.event(user_id, "signup")
    game.event("first", "signup")

    entries = read(game, "leaderboard")["entries"]

    assert [each["userId"] for each in entries] == ["first", "second"]
    assert [each["eventsCount"] for each in entries] == [2, 1]


def test_what_cannot_be_a_user_id_is_left_out_by_nobody(
    stack: Stack, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Also where it was configured before it was refused."""
    game = Game.started(stack, mechanics())
    game.event("somebody", "signup")
    stack.drain()
    refused = game.save(mechanics(leaderboard={"excludeUsers": ["   "]}), seen=1)
    monkeypatch.setattr(validating, "is_user_id", lambda _: True)
    assert game.save(mechanics(leaderboard={"excludeUsers": ["   "]}), seen=1).status_code == 200

    shown = read(game, "leaderboard", userId="somebody")

    assert refused.status_code == 400
    assert [each["field"] for each in refused.json()["errors"]] == ["leaderboard.excludeUsers.0"]
    assert [each["userId"] for each in shown["entries"]] == ["somebody"]
    assert shown["participant"]["rank"] == shown["totalParticipants"] == 1
    assert read(game, "participants/somebody")["rank"] == 1


def test_without_a_leaderboard_nobody_has_a_rank(stack: Stack) -> None:
    game = Game.started(stack, mechanics(leaderboard={"enabled": False}))
    game.event("somebody", "signup")

    refused = game.call("GET", "leaderboard")

    assert refused.status_code == 404
    assert refused.json()["message"] == "Campaign has no leaderboard"
    assert read(game, "participants/somebody")["rank"] is None
