"""Events that are taken back: points, codes, and what stays as it was."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from typing import Any

import httpx
import pytest

from local.stack import Stack
from tests.api import Api
from tests.coding import (
    code_item,
    counts,
    data_of,
    events_of,
    new_codes,
    redeem,
    refused,
    reverse,
    verify,
)
from tests.invariants import table_of
from tests.play_invariants import check
from tests.playing import BLANK, GOLD, Game, mechanics
from tests.scenarios import at_once

USER = "user_12345"


@pytest.fixture
def game(stack: Stack) -> Game:
    return Game.started(stack, mechanics())


def last_event(game: Game, user_id: str = USER) -> str:
    return max(events_of(game, user_id), key=lambda event: event.at).event_id


def bought(game: Game, values: range = BLANK) -> tuple[str, Any]:
    game.stack.advance(1)
    data = game.event(USER, "purchase", {"amount": 20}, key=next(game.keys_that_draw(values)))
    return last_event(game), data


def test_an_event_is_taken_back_line_by_line(game: Game) -> None:
    event_id, won = bought(game, GOLD)
    code = won["instantWin"]["winCode"]
    game.stack.advance(1)
    game.event(USER, "signup")
    check(game)

    answer = data_of(reverse(game, USER, event_id))

    assert {**answer, "reversedAt": ""} == {
        "eventId": event_id,
        "userId": USER,
        "pointsReversed": 600,
        "pointsUncovered": 0,
        "totalPoints": 50,
        "codeStatus": "REVOKED",
        "reversedAt": "",
        "message": "Event reversed successfully",
    }
    taken = [line for line in game.ledger(USER) if line.reason == "reversal"]
    assert [(line.source_id, line.points, line.balance_after) for line in taken] == [
        ("gold", -500, 150),
        ("purchase-flat", -100, 50),
    ]
    assert data_of(verify(game, code))["message"] == "Code status is REVOKED"
    assert refused(redeem(game, USER, code)) == (409, "Code status is REVOKED")
    check(game)


def test_each_line_of_the_ledger_has_an_id_of_its_own(game: Game) -> None:
    event_id, _ = bought(game, GOLD)
    for code in new_codes(game, 2):
        redeem(game, USER, code)
    for each in events_of(game, USER):
        reverse(game, USER, each.event_id)

    entries = data_of(game.call("GET", f"participants/{USER}/ledger"))["entries"]
    event = data_of(game.call("GET", f"events/{event_id}", params={"userId": USER}))

    assert len(entries) == 8
    assert len({each["id"] for each in entries}) == 8
    of_event = [each["id"] for each in entries if each["eventId"] == event_id]
    assert sorted(each["id"] for each in event["ledger"]) == sorted(of_event)
    assert len(of_event) == 4


def test_a_second_reversal_says_the_same_and_changes_nothing(game: Game) -> None:
    event_id, _ = bought(game)
    bought_again = game.event(USER, "signup")
    first = reverse(game, USER, event_id)
    before = table_of(game.stack)

    again = reverse(game, USER, event_id)

    assert bought_again["totalPoints"] == 150
    assert again.content == first.content
    assert again.headers["idempotent-replayed"] == "true"
    assert table_of(game.stack) == before


@pytest.mark.both_engines
def test_sixteen_reversals_at_once_take_it_back_once(game: Game) -> None:
    event_id, _ = bought(game)
    game.event(USER, "signup")

    def send(_: Api) -> httpx.Response:
        return reverse(game, USER, event_id)

    answers = at_once(game.stack, [send] * 16)

    assert {answer.status_code for answer in answers} == {200}
    assert len({answer.content for answer in answers}) == 1
    assert game.player(USER).total_points == 50  # type: ignore[union-attr]
    check(game)


def test_what_was_counted_stays_counted(stack: Stack) -> None:
    made = mechanics()
    made["instantWin"]["limits"] = {"playsPerUser": {"total": 1}}
    game = Game.started(stack, made)
    event_id, _ = bought(game, GOLD)
    counters = game.player(USER).counters  # type: ignore[union-attr]

    reverse(game, USER, event_id)

    assert game.player(USER).counters == counters  # type: ignore[union-attr]
    assert game.send(USER, "purchase", {"amount": 20}).status_code == 409
    assert stock_given(game) == 1


def stock_given(game: Game) -> int:
    items = table_of(game.stack)
    (given,) = (
        int(item["awarded"])
        for key, item in items.items()
        if key.sort == "STOCK" and item["campaignId"] == game.campaign_id and item["awarded"]
    )
    return given


def test_a_redemption_that_is_taken_back_leaves_its_code_revoked(game: Game) -> None:
    first, _ = new_codes(game, 2)
    redeem(game, USER, first)

    answer = data_of(reverse(game, USER, last_event(game)))

    assert (answer["pointsReversed"], answer["totalPoints"]) == (500, 0)
    assert answer["codeStatus"] == code_item(game, first).status == "REVOKED"
    assert refused(redeem(game, USER, first)) == (409, "Code status is REVOKED")
    assert counts(game) == (2, 1, 0, 0, 1, 1)
    check(game)


def test_the_code_of_a_prize_that_was_redeemed_stays_as_it_is(stack: Stack) -> None:
    made = mechanics()
    made["instantWin"]["tiers"][0]["credit"] = "on_redeem"
    game = Game.started(stack, made)
    event_id, won = bought(game, GOLD)
    code = won["instantWin"]["winCode"]
    redeem(game, USER, code)

    answer = data_of(reverse(game, USER, event_id))

    assert (answer["pointsReversed"], answer["totalPoints"]) == (100, 500)
    assert answer["codeStatus"] == "REDEEMED"
    check(game)


def test_a_milestones_points_are_taken_back_and_never_given_again(stack: Stack) -> None:
    made = mechanics()
    made["milestones"][0] |= {"threshold": 100, "reward": {"points": 7}}
    game = Game.started(stack, made)
    event_id, _ = bought(game)

    answer = data_of(reverse(game, USER, event_id))

    assert (answer["pointsReversed"], answer["totalPoints"]) == (107, 0)
    _, again = bought_another(game)
    assert again["totalPoints"] == 100
    check(game)


def bought_another(game: Game) -> tuple[str, Any]:
    """With the second key that draws a blank: the first one is the first purchase's."""
    keys = game.keys_that_draw(BLANK)
    next(keys)
    game.stack.advance(1)
    data = game.event(USER, "purchase", {"amount": 20}, key=next(keys))
    return last_event(game), data


def test_an_event_that_earned_nothing_can_be_taken_back(game: Game) -> None:
    game.event(USER, "visit")

    answer = data_of(reverse(game, USER, last_event(game)))

    assert (answer["pointsReversed"], answer["codeStatus"]) == (0, None)
    assert game.ledger(USER) == []


def test_events_that_the_user_has_not_had_are_not_found(game: Game) -> None:
    event_id, _ = bought(game)
    elsewhere = Game.started(game.stack, mechanics())
    before = table_of(game.stack)

    answers = [
        reverse(game, "somebody_else", event_id),
        reverse(elsewhere, USER, event_id),
        *(reverse(game, USER, wrong) for wrong in ("evt_none", "a%23b", "x" * 101)),
    ]

    assert {refused(answer) for answer in answers} == {(404, "Campaign or event not found")}
    assert table_of(game.stack) == before
    missing = game.call("POST", f"events/{event_id}/reverse", {})
    assert missing.json()["errors"] == [{"field": "userId", "message": "is required"}]


@pytest.mark.both_engines
def test_reversals_redemptions_and_events_at_once_leave_sums_right(game: Game) -> None:
    event_id, _ = bought(game, GOLD)
    codes = new_codes(game, 3, 10)
    calls: list[Callable[[Api], httpx.Response]] = [
        partial(lambda code, _: redeem(game, USER, code), code) for code in codes
    ]
    calls += [lambda _: reverse(game, USER, event_id)] * 3
    calls += [lambda _: game.send(USER, "signup")] * 2

    answers = at_once(game.stack, calls)

    assert {answer.status_code for answer in answers} == {200}
    assert game.player(USER).total_points == 80  # type: ignore[union-attr]
    check(game)
