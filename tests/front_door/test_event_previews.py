"""Previews of events: what one would earn, and no trace of the question."""

from __future__ import annotations

from typing import Any

import pytest

from local.stack import Stack
from tests.accounts import another_account
from tests.api import Json
from tests.invariants import table_of
from tests.playing import BLANK, Game, mechanics

USER = "user_12345"
PURCHASE = {"amount": 49.99}


def asked(game: Game, event_type: str, metadata: Json | None = None, user: str = USER) -> Any:
    body = {"userId": user, "eventType": event_type, "metadata": metadata}
    return game.call("POST", "events/preview", body)


def previewed(game: Game, event_type: str, metadata: Json | None = None, user: str = USER) -> Json:
    answer = asked(game, event_type, metadata, user)
    assert answer.status_code == 200, answer.text
    data: Json = answer.json()["data"]
    return data


def test_it_says_what_the_event_will_earn_and_writes_nothing(stack: Stack) -> None:
    made = mechanics()
    made["milestones"][0] |= {"threshold": 150, "reward": {"points": 25, "badge": "bronze"}}
    game = Game.started(stack, made)
    game.event(USER, "signup")
    blank = next(game.keys_that_draw(BLANK))
    before = table_of(stack)

    told = previewed(game, "purchase", PURCHASE)

    assert told == {
        "pointsEarned": 125,
        "totalPoints": 175,
        "instantWin": {"played": True},
        "milestones": [
            {"id": "club-1000", "name": "1000 club", "pointsEarned": 25, "badge": "bronze"}
        ],
    }
    assert table_of(stack) == before
    earned = game.event(USER, "purchase", PURCHASE, key=blank)
    assert {name: earned[name] for name in ("pointsEarned", "totalPoints", "milestones")} == {
        name: told[name] for name in ("pointsEarned", "totalPoints", "milestones")
    }


def test_nobody_becomes_a_player_by_being_asked_about(stack: Stack) -> None:
    game = Game.started(stack, mechanics())

    told = previewed(game, "signup", user="stranger")

    assert told == {"pointsEarned": 50, "totalPoints": 50, "instantWin": {"played": False}}
    assert game.player("stranger") is None


def test_a_draw_is_never_told(stack: Stack) -> None:
    made = mechanics()
    made["instantWin"]["tiers"][0] |= {"oddsPpm": 950_000}
    game = Game.started(stack, made)

    answers = {asked(game, "purchase", PURCHASE).text for _ in range(20)}

    assert len(answers) == 1
    assert not [text for text in answers if "won" in text or "prize" in text]


def test_an_order_that_was_recorded_would_earn_nothing_again(stack: Stack) -> None:
    game = Game.started(stack, mechanics(instantWin=None))
    order = {"amount": 20, "orderId": "o-1"}
    game.event(USER, "purchase", order)

    told = previewed(game, "purchase", order)

    assert told == {"pointsEarned": 0, "totalPoints": 100, "repeated": True}


@pytest.mark.parametrize("on_play_limit", ["reject", "skip"])
def test_a_play_limit_is_told_as_the_event_would_meet_it(stack: Stack, on_play_limit: str) -> None:
    made = mechanics()
    made["instantWin"] |= {
        "limits": {"playsPerUser": {"total": 1}},
        "onPlayLimit": on_play_limit,
    }
    game = Game.started(stack, made)
    game.event(USER, "purchase", PURCHASE)

    answer = asked(game, "purchase", PURCHASE)

    if on_play_limit == "reject":
        assert answer.status_code == 409
    else:
        assert answer.json()["data"]["instantWin"] == {"played": False}


def test_only_a_campaign_that_takes_events_tells_what_they_would_earn(stack: Stack) -> None:
    game = Game.started(stack, mechanics(unknownEventTypes="reject"))
    unknown = asked(game, "no_such_event")
    with another_account(stack) as other:
        key = other.http.headers["authorization"].removeprefix("Bearer ")
        path = f"/v1/campaigns/{game.slug}/events/preview"
        body = {"userId": USER, "eventType": "purchase"}
        foreign = other.call("POST", path, body, headers={"x-api-secret": key})

    game.set_status("COMPLETE")
    stack.advance(10_000)

    assert (unknown.status_code, foreign.status_code) == (400, 404)
    assert asked(game, "signup").status_code == 404
