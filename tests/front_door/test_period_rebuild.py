"""The boards of periods made right by a rebuild: whatever was lost or damaged of them."""

from __future__ import annotations

import itertools
from collections.abc import Callable
from dataclasses import replace
from typing import Any

import pytest

from grapevine import runtime
from grapevine.engine.mechanics.periods import periods_at
from grapevine.engine.rebuild.campaign import rebuild
from grapevine.table import player_keys, rank_keys, store
from grapevine.table.keys import Key
from local import invocation
from local.invocation import Invocation, Killed, KillOrder
from local.stack import Stack
from tests.conftest import inside
from tests.front_door.test_period_boards import (
    BERLIN,
    PROJECT,
    check_boards,
    keeping,
    ranking,
    span_now,
    stand,
)
from tests.playing import Game

USERS = ["ada", "bob", "eve"]


@pytest.fixture
def game(fresh_stack: Stack) -> Game:
    made = Game.started(fresh_stack, keeping("week"))
    stand(fresh_stack, span_now(made, "week")[1] + 1)
    for user in USERS:
        made.event(user, "signup")
    made.event("ada", "daily_login")
    fresh_stack.drain()
    return made


def rebuilt(game: Game, order: KillOrder | None = None) -> list[str]:
    """The lines of the report."""
    clients = {"dynamodb": game.stack._clients["dynamodb"]}
    own = replace(game.stack.runtime(), client=clients.__getitem__)
    with invocation.within(Invocation("rebuild", order)), runtime.using(own):
        return rebuild(game.campaign_id, lambda *_: None).lines()


def week(game: Game) -> str:
    return f"week{periods_at(game.stack.now_ms(), BERLIN).week}"


def entry(game: Game, user_id: str = "ada") -> Key:
    return player_keys.player_period(game.campaign_id, user_id, "week")


def head(game: Game) -> Key:
    return rank_keys.points_head(game.campaign_id, week(game))


def lose(game: Game, key: Key) -> None:
    with inside(game.stack):
        assert store.get(key)
        store.remove([key])


def change(game: Game, key: Key, **attributes: Any) -> None:
    with inside(game.stack):
        item = store.get(key)
        assert item
        store.put_all([{**item, **attributes}])


def lose_entry(game: Game) -> None:
    lose(game, entry(game))


def lose_head(game: Game) -> None:
    lose(game, head(game))


def lose_what_is_counted(game: Game) -> None:
    generation = store_get(game, head(game))["generation"]
    lose(game, rank_keys.points_counted(game.campaign_id, week(game), generation, "bob"))


def show_points_of_the_future(game: Game) -> None:
    change(game, entry(game), points=500, reachedAt=game.stack.now_ms() + 100_000)


def lose_a_record(game: Game) -> None:
    game.event("eve", "daily_login")
    game.event("eve", "nothing")
    game.stack.take_records(PROJECT)


def store_get(game: Game, key: Key) -> Any:
    with inside(game.stack):
        return store.get(key)


DAMAGES = [
    lose_entry,
    lose_head,
    lose_what_is_counted,
    show_points_of_the_future,
    lose_a_record,
]


@pytest.mark.parametrize("damage", DAMAGES)
def test_whatever_is_wrong_with_a_board_is_told_and_right_again(
    game: Game, damage: Callable[[Game], None]
) -> None:
    damage(game)

    told = rebuilt(game)

    assert told
    check_boards(game, USERS, ["week"])
    assert rebuilt(game) == []
    game.event("bob", "daily_login")
    check_boards(game, ["bob"], ["week"])


def test_a_sound_board_stays_as_it_is_and_none_is_made_where_nobody_is(game: Game) -> None:
    shown = ranking(game, "week")
    empty = Game.started(game.stack, keeping("week"))

    assert rebuilt(game) == rebuilt(empty) == []
    assert ranking(game, "week") == shown
    assert store_get(empty, head(empty)) is None
    assert store_get(game, head(game))["expiresAt"] == store_get(game, entry(game))["expiresAt"]


def test_a_rebuild_that_dies_is_made_good_by_the_next(game: Game) -> None:
    """At some of its calls, with a board that lacks an entry and a head."""
    deaths = 0
    for calls in itertools.count(34, 13):
        lose_entry(game)
        lose_head(game)

        order = KillOrder(calls, "rebuild")
        try:
            rebuilt(game, order)
        except Killed:
            deaths += 1
            rebuilt(game)

        check_boards(game, ["ada"], ["week"])
        if not order.happened:
            break

    assert not order.happened
    assert deaths >= 2
