"""Events of many players at once, and of one player, each sent several times: nothing is given
twice, nothing beyond what there is, and every answer stays what it was.

On moto the calls to the table are one after the other, so only their order varies; on DynamoDB
Local transactions conflict for real.
"""

from __future__ import annotations

import itertools
import random
import zlib
from collections import Counter
from typing import Any

import httpx
import pytest

from grapevine.engine.mechanics import recording
from grapevine.engine.mechanics.parts import WinCode
from grapevine.engine.mechanics.win_codes import win_code
from local.stack import Stack
from tests.api import Json
from tests.play_invariants import check
from tests.playing import GOLD, Game, mechanics
from tests.scenarios import at_once

pytestmark = pytest.mark.both_engines

THREADS = 16
FUNCTION = "RecordCampaignEventFunction"
USER = "user_12345"
PURCHASE = {"amount": 20}


def lucky(*, odds: tuple[int, int], gold: int, limits: Json | None = None, **changes: Any) -> Json:
    """Mechanics with these odds (in ppm) of gold and silver, so many of gold, and enough silver."""
    made = mechanics(milestones=None)
    instant_win = made["instantWin"]
    instant_win["limits"] = limits or {}
    for tier, ppm, inventory in zip(instant_win["tiers"], odds, (gold, 1000), strict=True):
        tier |= {"oddsPpm": ppm, "inventory": inventory, "perUser": None}
    return {**made, "instantWin": {**instant_win, **changes}}


def statuses(answers: list[httpx.Response]) -> Counter[int]:
    return Counter(answer.status_code for answer in answers)


def test_i1_i2_i5_i6_i8_a_rush_of_repeated_events_gives_everything_once(
    stack: Stack, monkeypatch: pytest.MonkeyPatch
) -> None:
    def few_codes(secret: str, slug: str, event_id: str, attempt: int, form: WinCode) -> str:
        return win_code(secret, slug, f"rush-{zlib.crc32(event_id.encode()) % 8}", attempt, form)

    monkeypatch.setattr(recording, "win_code", few_codes)
    game = Game.started(stack, lucky(odds=(500_000, 300_000), gold=4, onSoldOut="next_tier"))
    events = [
        game.sending(f"user_{number % 6}", "purchase", PURCHASE, key=f"rush-{number}")
        for number in range(36)
    ]
    deliveries = [number for number in range(len(events)) for _ in range(2)]
    random.Random(6).shuffle(deliveries)  # noqa: S311 - an order, not a secret

    answers = at_once(stack, [events[number] for number in deliveries], threads=THREADS)

    assert statuses(answers) == {200: 72}
    bodies: dict[int, set[bytes]] = {}
    for number, answer in zip(deliveries, answers, strict=True):
        bodies.setdefault(number, set()).add(answer.content)
    assert {len(each) for each in bodies.values()} == {1}
    replayed = [answer for answer in answers if "idempotent-replayed" in answer.headers]
    assert len(replayed) == 36
    written = check(game)
    assert len(written.events) == 36
    assert Counter(win.tier_id for win in written.wins)["gold"] == 4
    assert {event.downgrade for event in written.events} == {None, "sold_out"}
    game.set_status("COMPLETE")
    stack.advance(10_000)
    again = at_once(stack, events, threads=THREADS)
    assert {number: {answer.content} for number, answer in enumerate(again)} == bodies
    assert game.send(USER, "purchase", PURCHASE, key="another").status_code == 404


def test_i2_a_stock_of_two_is_given_to_two_of_many_players(stack: Stack) -> None:
    game = Game.started(stack, lucky(odds=(1_000_000, 0), gold=2))

    answers = at_once(
        stack,
        [game.sending(f"user_{number}", "purchase", PURCHASE) for number in range(24)],
        threads=THREADS,
    )

    assert statuses(answers) == {200: 24}
    won = [answer.json()["data"]["instantWin"]["won"] for answer in answers]
    assert Counter(won) == {True: 2, False: 22}
    written = check(game)
    assert [stock.awarded for stock in written.stocks if stock.tier_id == "gold"] == [2]
    assert len({win.user_id for win in written.wins}) == 2


def test_i2_what_may_be_given_in_a_day_is_not_given_more_often(stack: Stack) -> None:
    made = lucky(odds=(1_000_000, 0), gold=10)
    made["instantWin"]["tiers"][0]["perDay"] = 3
    game = Game.started(stack, made)

    answers = at_once(
        stack,
        [game.sending(f"user_{number}", "purchase", PURCHASE) for number in range(16)],
        threads=THREADS,
    )

    assert statuses(answers) == {200: 16}
    written = check(game)
    assert len(written.wins) == 3
    assert Counter(event.downgrade for event in written.events) == {None: 3, "per_day": 13}


def certain(**tier: Any) -> Json:
    """Mechanics of which everybody wins the one prize, with these members."""
    made = mechanics(milestones=None)
    gold = {"id": "gold", "name": "Gold", "oddsPpm": 1_000_000, **tier}
    made["instantWin"] = {"eventTypes": ["purchase"], "tiers": [gold]}
    return made


def test_i2_many_who_all_win_an_unlimited_prize_at_once_get_it_and_are_counted(
    stack: Stack,
) -> None:
    game = Game.started(stack, certain())
    calls = [game.sending(f"user_{number}", "purchase", PURCHASE) for number in range(64)]

    answers = at_once(stack, calls, threads=THREADS)

    assert statuses(answers) == {200: 64}
    assert [stock.awarded for stock in check(game).stocks] == [64]
    assert [prize["awarded"] for prize in prizes_of(game)] == [64]


@pytest.mark.parametrize(
    ("former", "limits", "most"),
    [
        ({}, {"inventory": 3}, 1),
        ({"inventory": 50}, {"inventory": 3}, 1),
        ({}, {"perDay": 2}, 2),
        ({"perDay": 9}, {"perDay": 2}, 0),
    ],
)
def test_i2_a_limit_holds_from_its_save_on_in_warm_containers(
    stack: Stack, former: Json, limits: Json, most: int
) -> None:
    game = Game.started(stack, certain(**former))
    for number in range(2):
        game.event(f"early_{number}", "purchase", PURCHASE)
    assert game.save(certain(**limits), seen=1).status_code == 200
    calls = [game.sending(f"user_{number}", "purchase", PURCHASE) for number in range(12)]

    answers = at_once(stack, calls, threads=THREADS)

    assert statuses(answers) == {200: 12}
    written = check(game)
    assert len(written.wins) == 2 + most
    assert {event.downgrade for event in written.events} == {
        None,
        "sold_out" if "inventory" in limits else "per_day",
    }


def test_i2_a_prize_without_end_gets_one_that_covers_what_was_won(stack: Stack) -> None:
    game = Game.started(stack, certain())
    for number in range(3):
        game.event(f"user_{number}", "purchase", PURCHASE)

    too_few = game.save(certain(inventory=2), seen=1)

    assert too_few.status_code == 400
    assert too_few.json()["errors"][0]["field"] == "instantWin.tiers.0.inventory"
    assert game.save(certain(inventory=3), seen=1).status_code == 200
    assert not game.event("late", "purchase", PURCHASE)["instantWin"]["won"]
    assert game.save(certain(), seen=2).status_code == 200
    assert game.event("later", "purchase", PURCHASE)["instantWin"]["won"]
    assert [(one["inventory"], one["awarded"]) for one in prizes_of(game)] == [(None, 4)]


def prizes_of(game: Game) -> list[Json]:
    prizes: list[Json] = game.call("GET", "prizes").json()["data"]["prizes"]
    return prizes


def test_i3_twenty_events_at_once_of_one_player_are_seven_plays(stack: Stack) -> None:
    limits = {"playsPerUser": {"total": 7}}
    game = Game.started(stack, lucky(odds=(0, 0), gold=1, limits=limits))

    answers = at_once(stack, [game.sending(USER, "purchase", PURCHASE)] * 20, threads=20)

    assert statuses(answers) == {200: 7, 409: 13}
    written = check(game)
    assert [event.played for event in written.events] == [True] * 7
    assert written.players[0].total_points == 700


def test_i3_plays_that_were_granted_count_besides(stack: Stack) -> None:
    made = lucky(odds=(0, 0), gold=1, limits={"playsPerUser": {"day": 4}}, onPlayLimit="skip")
    made["milestones"] = [
        {
            "id": "welcome",
            "name": "Welcome",
            "metric": {"type": "event_count", "eventType": "signup"},
            "threshold": 1,
            "reward": {"points": 0, "extraPlays": 3},
        }
    ]
    game = Game.started(stack, made)
    game.event(USER, "signup")

    answers = at_once(stack, [game.sending(USER, "purchase", PURCHASE)] * 20, threads=20)

    assert statuses(answers) == {200: 20}
    written = check(game)
    assert Counter(event.played for event in written.events) == {True: 7, False: 14}
    assert written.players[0].total_points == 50 + 20 * 100


def test_i4_nobody_wins_more_often_than_the_campaign_allows(stack: Stack) -> None:
    made = lucky(odds=(500_000, 500_000), gold=100, limits={"winsPerUser": {"total": 3}})
    made["instantWin"]["tiers"][0]["perUser"] = 1
    game = Game.started(stack, made)
    gold, silver = (game.keys_that_draw(range(at, at + 500_000)) for at in (0, 500_000))
    keys = [next(gold if number < 12 else silver) for number in range(24)]
    calls = [
        game.sending(f"user_{number % 2}", "purchase", PURCHASE, key=key)
        for number, key in enumerate(keys)
    ]
    random.Random(4).shuffle(calls)  # noqa: S311 - an order, not a secret

    answers = at_once(stack, calls, threads=THREADS)

    assert statuses(answers) == {200: 24}
    written = check(game)
    of_users = Counter(win.user_id for win in written.wins)
    of_tiers = Counter((win.user_id, win.tier_id) for win in written.wins)
    assert of_users == {"user_0": 3, "user_1": 3}
    assert max(of_tiers[f"user_{number}", "gold"] for number in range(2)) <= 1


def test_i14_what_a_player_may_earn_in_a_day_is_not_exceeded(stack: Stack) -> None:
    made = mechanics(instantWin=None)
    made["points"]["capPerUser"] = {"day": 250}
    game = Game.started(stack, made)

    answers = at_once(stack, [game.sending(USER, "purchase", PURCHASE)] * 12, threads=12)

    assert sorted(answer.json()["data"]["pointsEarned"] for answer in answers) == (
        [0] * 9 + [50, 100, 100]
    )
    assert check(game).players[0].total_points == 250


def test_i7_of_eight_players_with_one_key_at_once_one_is_given_anything(stack: Stack) -> None:
    """Nothing but the receipt's condition tells them apart: each is a new player."""
    game = Game.started(stack, mechanics(instantWin=None))
    calls = [
        game.sending(f"user_{number}", "purchase", PURCHASE, key=f"shared-{number // 8}")
        for number in range(32)
    ]

    answers = at_once(stack, calls, threads=THREADS)

    assert statuses(answers) == {200: 4, 422: 28}
    written = check(game)
    assert [event.points_earned for event in written.events] == [100] * 4
    assert len(written.players) == 4


def test_an_order_that_comes_with_many_keys_at_once_is_one_event(stack: Stack) -> None:
    game = Game.started(stack, mechanics())
    order = {"amount": 20, "orderId": "o-1"}
    keys = [None, *(f"key-{number}" for number in range(11))]

    answers = at_once(
        stack, [game.sending(USER, "purchase", order, key=key) for key in keys], threads=12
    )

    assert statuses(answers) == {200: 12}
    assert len({answer.content for answer in answers}) == 1
    assert len(check(game).events) == 1


def test_i10_an_event_whose_process_died_anywhere_is_answered_as_it_was_recorded(
    fresh_stack: Stack,
) -> None:
    game = Game.started(fresh_stack, mechanics())
    fresh_stack.advance(10_000)
    gold = game.keys_that_draw(GOLD)
    replays = []

    for calls in itertools.count():
        user, key = f"user_{calls}", next(gold)
        with fresh_stack.kill_after(calls, FUNCTION) as order:
            died = game.send(user, "purchase", PURCHASE, key=key)
        if not order.happened:
            break
        assert died.status_code == 502
        answer = game.send(user, "purchase", PURCHASE, key=key)
        assert answer.status_code == 200
        assert answer.json()["data"]["totalPoints"] == 600
        assert answer.json()["data"]["instantWin"]["prizeTier"] == "Gold"
        assert game.send(user, "purchase", PURCHASE, key=key).content == answer.content
        replays.append("idempotent-replayed" in answer.headers)
        written = check(game)
        assert [event.user_id for event in written.events].count(user) == 1

    # Only after the last call, the transaction, there is something to give again.
    assert replays == [False] * (len(replays) - 1) + [True]
    assert len(replays) >= 3
