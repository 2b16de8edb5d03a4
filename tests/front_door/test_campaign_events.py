"""Events of the GamifyHost API: what they answer, write and earn."""

from __future__ import annotations

import json
import re
from typing import Any

import pytest

from grapevine.engine.access import CAMPAIGN_CACHE_MS
from grapevine.engine.mechanics.fields import instant_text
from local.stack import Stack
from tests.invariants import table_of
from tests.playing import BLANK, GOLD, Game, mechanics
from tests.scenarios import DAY_MS, MINUTE_MS, leap

USER = "user_12345"
PURCHASE = {"amount": 49.99, "product": "premium_plan"}


@pytest.fixture
def game(stack: Stack) -> Game:
    return Game.started(stack, mechanics())


def credited_on_redeem() -> Any:
    made = mechanics()
    made["instantWin"]["tiers"][0]["credit"] = "on_redeem"
    return made


def test_i16_the_worked_example_gives_the_documented_answer(game: Game) -> None:
    game.event(USER, "signup")
    blank, gold = next(game.keys_that_draw(BLANK)), next(game.keys_that_draw(GOLD))
    game.event(USER, "purchase", {"amount": 20}, key=blank)

    response = game.send(USER, "purchase", PURCHASE, key=gold)

    assert response.status_code == 200
    code = response.json()["data"]["instantWin"]["winCode"]
    assert re.fullmatch("SUMM-[A-HJ-KM-NP-Z2-9]{8}", code)
    assert response.text == json.dumps(
        {
            "status": "success",
            "data": {
                "pointsEarned": 100,
                "totalPoints": 750,
                "instantWin": {
                    "won": True,
                    "prizeTier": "Gold",
                    "pointsEarned": 500,
                    "winCode": code,
                    "message": "Congratulations! You won the Gold prize!",
                },
                "message": "Event recorded successfully",
            },
        },
        separators=(",", ":"),
    )
    assert [(line.reason, line.source_id, line.points) for line in game.ledger(USER)] == [
        ("rule", "signup", 50),
        ("rule", "purchase-flat", 100),
        ("rule", "purchase-flat", 100),
        ("instant_win", "gold", 500),
    ]


def test_i16_a_prize_that_its_code_pays_is_not_in_the_total(stack: Stack) -> None:
    game = Game.started(stack, credited_on_redeem())
    blanks = game.keys_that_draw(BLANK)
    game.event(USER, "signup")
    for _ in range(6):
        game.event(USER, "purchase", {"amount": 20}, key=next(blanks))
    assert game.player(USER).total_points == 650  # type: ignore[union-attr]

    won = game.event(USER, "purchase", PURCHASE, key=next(game.keys_that_draw(GOLD)))

    assert (won["pointsEarned"], won["totalPoints"]) == (100, 750)
    assert won["instantWin"]["pointsEarned"] == 500
    assert sum(line.points for line in game.ledger(USER)) == 750


@pytest.mark.both_engines
def test_i6_a_repeated_key_is_answered_byte_for_byte_and_changes_nothing(game: Game) -> None:
    gold = next(game.keys_that_draw(GOLD))
    first = game.send(USER, "purchase", PURCHASE, key=gold)
    before = table_of(game.stack)

    again = game.send(USER, "purchase", dict(reversed(PURCHASE.items())), key=f'"{gold}"')

    assert again.content == first.content
    assert again.status_code == first.status_code == 200
    assert again.headers["idempotent-replayed"] == "true"
    assert "idempotent-replayed" not in first.headers
    assert table_of(game.stack) == before


def test_i7_a_key_with_another_event_is_refused_without_a_trace(game: Game) -> None:
    game.event(USER, "purchase", PURCHASE, key="order-1")
    before = table_of(game.stack)

    refused = [
        game.send("somebody_else", "purchase", PURCHASE, key="order-1"),
        game.send(USER, "signup", PURCHASE, key="order-1"),
        game.send(USER, "purchase", {"amount": 50}, key="order-1"),
    ]

    assert [one.status_code for one in refused] == [422, 422, 422]
    assert refused[0].json() == {
        "message": "Idempotency-Key was already used with a different request",
        "code": 422,
        "status": "error",
    }
    assert table_of(game.stack) == before


def test_an_order_counts_once_whatever_key_comes_with_it(stack: Stack) -> None:
    # Without a draw: nobody knows what these events would draw.
    game = Game.started(stack, mechanics(instantWin=None))
    first = game.send(USER, "purchase", {"amount": 20, "orderId": "o-1"}, key="a")

    others = [
        game.send(USER, "purchase", {"amount": 20, "orderId": "o-1"}, key="b"),
        game.send(USER, "purchase", {"amount": 99, "orderId": "o-1"}),
    ]

    assert [one.content for one in others] == [first.content] * 2
    assert [one.headers["idempotent-replayed"] for one in others] == ["true", "true"]
    assert game.event(USER, "purchase", {"amount": 20, "orderId": "o-2"})["totalPoints"] == 200
    assert game.event("other", "purchase", {"amount": 20, "orderId": "o-1"})["totalPoints"] == 100


@pytest.mark.both_engines
def test_i6_a_key_is_known_though_its_day_had_been_counted_before(stack: Stack) -> None:
    game = Game.started(stack, mechanics())
    game.event("u", "daily_login", key="first")
    today = game.send("u", "daily_login", key="second")

    leap(stack, stack.now_ms() + DAY_MS)
    tomorrow = game.send("u", "daily_login", key="second")

    assert tomorrow.headers["idempotent-replayed"] == "true"
    assert tomorrow.text == today.text
    assert [line.points for line in game.ledger("u")] == [5]


def test_i7_a_key_that_came_with_a_known_order_names_no_other_one(stack: Stack) -> None:
    game = Game.started(stack, mechanics())
    game.event("u", "purchase", {"amount": 20, "orderId": "1"}, key="first")
    again = game.send("u", "purchase", {"amount": 20, "orderId": "1"}, key="second")
    before = table_of(stack)

    refused = game.send("u", "purchase", {"amount": 20, "orderId": "2"}, key="second")

    assert again.headers["idempotent-replayed"] == "true"
    assert refused.status_code == 422
    assert table_of(stack) == before


@pytest.mark.both_engines
def test_i10_a_known_order_whose_new_key_was_not_kept_is_answered_by_the_next_try(
    stack: Stack,
) -> None:
    game = Game.started(stack, mechanics())
    order = {"amount": 20, "orderId": "1"}
    first = game.send("u", "purchase", order, key="first")

    for calls in (1, 2):
        with stack.kill_after(calls, "RecordCampaignEventFunction") as order_to_die:
            game.send("u", "purchase", order, key=f"key-{calls}")
        assert order_to_die.happened
        assert game.send("u", "purchase", order, key=f"key-{calls}").text == first.text

    assert game.player("u").events_count == 1  # type: ignore[union-attr]


def test_an_event_without_any_key_is_a_new_one_each_time(stack: Stack) -> None:
    # Without a draw: nobody knows what an event without a key would draw.
    game = Game.started(stack, mechanics(instantWin=None))
    totals = [game.event(USER, "purchase", {"amount": 20})["totalPoints"] for _ in range(2)]

    assert totals == [100, 200]


def test_i8_an_answer_that_was_given_is_given_again_though_new_events_are_refused(
    stack: Stack,
) -> None:
    made = mechanics()
    made["instantWin"]["limits"] = {"playsPerUser": {"total": 1}}
    game = Game.started(stack, made)
    first = game.send(USER, "purchase", PURCHASE, key="order-1")

    over_the_limit = game.send(USER, "purchase", PURCHASE, key="order-2")
    replayed = [game.send(USER, "purchase", PURCHASE, key="order-1")]
    game.set_status("COMPLETE")
    stack.advance(10_000)
    after_the_end = game.send(USER, "purchase", PURCHASE, key="order-2")
    replayed.append(game.send(USER, "purchase", PURCHASE, key="order-1"))

    assert over_the_limit.status_code == 409
    assert over_the_limit.json() == {
        "message": "User has exceeded maximum plays",
        "code": 409,
        "status": "error",
    }
    assert after_the_end.status_code == 404
    assert after_the_end.json() == {
        "message": "Campaign not found or not active",
        "code": 404,
        "status": "error",
    }
    assert [one.content for one in replayed] == [first.content] * 2


def test_i9_what_is_refused_leaves_the_table_as_it_was(stack: Stack) -> None:
    made = mechanics(unknownEventTypes="reject")
    made["instantWin"]["limits"] = {"playsPerUser": {"total": 1}}
    game = Game.started(stack, made)
    game.event(USER, "purchase", PURCHASE, key="order-1")
    before = table_of(stack)

    refused = [
        game.send(USER, "purchase", PURCHASE),
        game.send(USER, "no_such_event"),
        game.send("", "purchase"),
        game.send(USER, "internal:referral_credited"),
        game.send(USER, "purchase", PURCHASE, key="x" * 256),
        game.call("POST", "events", [1]),
        game.http.post("/v1/campaigns/no-such-campaign/events", json={}),
        game.http.post(
            "/v1/campaigns/no-such-campaign/events", json={"userId": "u", "eventType": "purchase"}
        ),
    ]

    assert [one.status_code for one in refused] == [409, 400, 400, 400, 400, 400, 400, 404]
    assert table_of(stack) == before


@pytest.mark.parametrize("status", ["DRAFT", "COMPLETE"])
def test_a_campaign_that_is_not_in_progress_takes_no_events(stack: Stack, status: str) -> None:
    game = Game.started(stack, mechanics())
    if status == "DRAFT":
        made = game.http.post("/v2/campaigns", json={"type": "REFERRAL", "slug": f"{game.slug}-d"})
        game = Game(stack, game.http, made.json()["id"], f"{game.slug}-d")
    else:
        game.set_status(status)

    assert game.send(USER, "signup").status_code == 404


def test_a_campaign_takes_events_from_its_start_to_its_end(stack: Stack) -> None:
    now = stack.now_ms()
    starts, ends = instant_text(now + DAY_MS), instant_text(now + 2 * DAY_MS)
    game = Game.started(stack, mechanics(startsAt=starts, endsAt=ends))

    statuses = [game.send(USER, "signup").status_code]
    for _ in range(2):
        leap(stack, stack.now_ms() + DAY_MS + MINUTE_MS)
        statuses.append(game.send(USER, "signup").status_code)

    assert statuses == [404, 200, 404]


def test_a_campaign_takes_no_events_by_ways_that_are_not_among_its_sources(stack: Stack) -> None:
    game = Game.started(stack, mechanics(dedupe=None))
    known = game.send("u", "purchase", {"amount": 20}, key="known")
    assert game.save(mechanics(sources=["referd", "internal"]), seen=1).status_code == 200
    stack.advance(CAMPAIGN_CACHE_MS)
    before = table_of(stack)
    body = {"userId": "u", "eventType": "purchase"}

    refused = [game.send("u", "purchase"), game.call("POST", "events/preview", body)]

    expected = {"message": "Campaign not found or not active", "code": 404, "status": "error"}
    assert [(one.status_code, one.json()) for one in refused] == [(404, expected)] * 2
    assert table_of(stack) == before
    assert game.send("u", "purchase", {"amount": 20}, key="known").text == known.text


def test_a_campaign_without_mechanics_records_events_for_nothing(stack: Stack) -> None:
    game = Game.started(stack)

    assert game.event(USER, "purchase", PURCHASE) == {
        "pointsEarned": 0,
        "totalPoints": 0,
        "message": "Event recorded successfully",
    }
    assert game.player(USER).events_count == 1  # type: ignore[union-attr]
