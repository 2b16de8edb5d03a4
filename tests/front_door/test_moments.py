"""Prizes hidden in time: each is won once, by the first play after its moment."""

from __future__ import annotations

import itertools
from collections import Counter
from collections.abc import Callable
from dataclasses import replace
from functools import partial

import httpx
import pytest

from grapevine.engine.mechanics.draw_secrets import SHOWN_AFTER_MS
from grapevine.engine.mechanics.draws import commitment
from grapevine.engine.mechanics.fields import instant_text
from grapevine.engine.mechanics.hiding import MOST_SAVES
from grapevine.table import moments, store
from grapevine.table.ledger import PlayerEvent
from local.stack import Stack
from tests.api import Api, Json
from tests.conftest import inside
from tests.play_invariants import check
from tests.playing import Game, by_moments, verified
from tests.scenarios import DAY_MS, MINUTE_MS, at_once, interrupted, leap

THREADS = 16
LENGTH_MS = 30 * DAY_MS
"""So long that no moment of a test is in the last minute, or two are in one: the clock goes on."""
PURCHASE = {"amount": 20}


class Hunt:
    """A campaign with prizes in it."""

    def __init__(self, stack: Stack, **inventories: int) -> None:
        self.stack, self.start = stack, stack.now_ms()
        self.end = self.start + LENGTH_MS
        self.game = Game.started(stack, by_moments(self.start, self.end, **inventories))

    def go_to_the_end(self) -> None:
        leap(self.stack, self.end - MINUTE_MS)

    def play(self, user_id: str) -> bool:
        """Whether it has won."""
        return bool(self.game.event(user_id, "purchase", PURCHASE)["instantWin"]["won"])

    def hidden(self) -> Counter[str]:
        """How many of each tier nobody has found."""
        return Counter(prize.tier_id for prize in check(self.game).hidden)


@pytest.mark.both_engines
def test_i2_many_who_play_at_once_find_all_that_is_hidden_and_no_more(fresh_stack: Stack) -> None:
    hunt = Hunt(fresh_stack, gold=4, silver=2)
    hunt.go_to_the_end()
    calls = [hunt.game.sending(f"user_{number}", "purchase", PURCHASE) for number in range(16)]

    answers = at_once(fresh_stack, calls, threads=THREADS)

    assert Counter(answer.status_code for answer in answers) == {200: 16}
    won = [answer.json()["data"]["instantWin"]["won"] for answer in answers]
    assert won.count(True) == 6
    written = check(hunt.game)
    assert Counter(win.tier_id for win in written.wins) == {"gold": 4, "silver": 2}
    assert written.hidden == []
    assert not hunt.play("too_late")


def test_a_prize_is_won_from_its_moment_on_and_not_before(fresh_stack: Stack) -> None:
    hunt = Hunt(fresh_stack, gold=3)
    moments = sorted(prize.at for prize in check(hunt.game).hidden)
    assert all(hunt.start <= at <= hunt.end for at in moments)

    for number, at in enumerate(moments):
        leap(fresh_stack, at - MINUTE_MS)
        assert not hunt.play(f"early_{number}")
        leap(fresh_stack, at)
        assert hunt.play(f"in_time_{number}")

    assert check(hunt.game).hidden == []


def test_who_may_not_win_a_prize_leaves_it_to_others(fresh_stack: Stack) -> None:
    start, end = fresh_stack.now_ms(), fresh_stack.now_ms() + LENGTH_MS
    made = by_moments(start, end, gold=25, silver=1)
    made["instantWin"]["tiers"][0]["perUser"] = 1
    game = Game.started(fresh_stack, made)
    leap(fresh_stack, end - MINUTE_MS)

    won = [
        game.event("greedy", "purchase", PURCHASE)["instantWin"].get("prizeTier") for _ in range(3)
    ]

    assert Counter(won) == {"Gold": 1, "Silver": 1, None: 1}
    assert game.event("other", "purchase", PURCHASE)["instantWin"]["prizeTier"] == "Gold"


def test_nobody_is_told_of_a_prize_that_waits_for_others(fresh_stack: Stack) -> None:
    start, end = fresh_stack.now_ms(), fresh_stack.now_ms() + LENGTH_MS
    made = by_moments(start, end, gold=2)
    made["instantWin"]["tiers"][0]["perUser"] = 1
    game = Game.started(fresh_stack, made)
    first, second = sorted(prize.at for prize in check(game).hidden)
    answers = []
    for at in (first, second - MINUTE_MS, second):
        leap(fresh_stack, at)
        answers.append(game.event("user", "purchase", PURCHASE)["instantWin"])

    without, with_one = (
        game.call("GET", f"events/{event.event_id}", params={"userId": "user"}).json()["data"]
        for event in sorted(check(game).events, key=lambda event: event.at)[1:]
    )

    assert len(check(game).hidden) == 1
    assert answers[1] == answers[2] == {**answers[1], "won": False}
    assert without["instantWin"] == with_one["instantWin"]


def test_who_may_win_nothing_does_not_look_for_prizes(fresh_stack: Stack) -> None:
    start, end = fresh_stack.now_ms(), fresh_stack.now_ms() + LENGTH_MS
    made = by_moments(start, end, gold=60, silver=60)
    made["instantWin"]["limits"] = {"winsPerUser": {"total": 1}}
    game = Game.started(fresh_stack, made)
    leap(fresh_stack, end - MINUTE_MS)
    assert game.event("user", "purchase", PURCHASE)["instantWin"]["won"]

    answer = game.send("user", "purchase", PURCHASE)

    assert not answer.json()["data"]["instantWin"]["won"]
    assert answer.headers["x-local-calls"] == "2"
    check(game)


def test_a_play_reads_so_many_pages_and_no_more(
    fresh_stack: Stack, monkeypatch: pytest.MonkeyPatch
) -> None:
    start, end = fresh_stack.now_ms(), fresh_stack.now_ms() + LENGTH_MS
    made = by_moments(start, end, gold=12, silver=1)
    made["instantWin"]["tiers"][0]["perUser"] = 1
    game = Game.started(fresh_stack, made)
    [silver] = [prize for prize in check(game).hidden if prize.tier_id == "silver"]
    with inside(fresh_stack):
        store.remove([silver.key])
        store.put_all([replace(silver, at=end - 2 * MINUTE_MS).to_item()])
    leap(fresh_stack, end - MINUTE_MS)
    monkeypatch.setattr(moments, "PAGES", (2, 3, 3))
    first, second = (game.send("user", "purchase", PURCHASE) for _ in range(2))
    monkeypatch.setattr(moments, "PAGES", (2, 3, 10))

    third = game.send("user", "purchase", PURCHASE)

    told = [each.json()["data"]["instantWin"].get("prizeTier") for each in (first, second, third)]
    assert told == ["Gold", None, "Silver"]
    assert second.headers["x-local-calls"] == "5"


def test_a_moment_that_nobody_plays_in_passes_where_there_is_a_window(fresh_stack: Stack) -> None:
    start, end = fresh_stack.now_ms(), fresh_stack.now_ms() + LENGTH_MS
    made = by_moments(start, end, gold=1)
    made["instantWin"]["windowMinutes"] = 5
    game = Game.started(fresh_stack, made)
    [prize] = check(game).hidden
    window_end = prize.at + 5 * MINUTE_MS
    leap(fresh_stack, prize.at)
    before = game.event("nobody", "signup")["instantWin"]

    leap(fresh_stack, window_end)

    assert before == {**before, "won": False, "played": False}
    assert not game.event("late", "purchase", PURCHASE)["instantWin"]["won"]


def test_more_prizes_are_hidden_and_fewer_are_not_won(fresh_stack: Stack) -> None:
    hunt = Hunt(fresh_stack, gold=3)
    more = by_moments(hunt.start, hunt.end, gold=5, silver=2)
    assert hunt.game.save(more, seen=1).status_code == 200
    assert hunt.hidden() == {"gold": 5, "silver": 2}
    fewer = by_moments(hunt.start, hunt.end, gold=1)
    assert hunt.game.save(fewer, seen=2).status_code == 200
    hunt.go_to_the_end()

    won = [hunt.play(f"user_{number}") for number in range(4)]

    assert won == [True, False, False, False]


def test_an_end_that_comes_nearer_leaves_no_prize_behind_it(fresh_stack: Stack) -> None:
    hunt = Hunt(fresh_stack, gold=8)
    nearer = hunt.start + LENGTH_MS // 4
    assert hunt.game.save(by_moments(hunt.start, nearer, gold=8), seen=1).status_code == 200

    leap(fresh_stack, nearer - MINUTE_MS)

    assert sum(hunt.play(f"user_{number}") for number in range(10)) == 8


@pytest.mark.both_engines
def test_i10_a_save_that_dies_anywhere_and_is_sent_again_hides_each_prize_once(
    fresh_stack: Stack,
) -> None:
    start, end = fresh_stack.now_ms(), fresh_stack.now_ms() + LENGTH_MS
    made = by_moments(start, end, gold=30, silver=5)
    died = 0
    for calls in itertools.count():
        game = Game.started(fresh_stack)
        with fresh_stack.kill_after(calls, "UpdateMechanicsFunction") as order:
            answer = game.save(made)
        if not order.happened:
            break
        assert answer.status_code == 502
        fresh_stack.advance(MINUTE_MS)
        # 412: it had been saved, only the answer was lost.
        assert game.save(made).status_code in (200, 412)
        assert game.call("GET", "mechanics").json()["data"]["configVersion"] == 1
        assert Counter(prize.tier_id for prize in check(game).hidden) == {"gold": 30, "silver": 5}
        died += 1

    assert died >= 5


@pytest.mark.both_engines
def test_i10_a_play_that_dies_anywhere_and_is_sent_again_takes_one_prize(
    fresh_stack: Stack,
) -> None:
    hunt = Hunt(fresh_stack, gold=20)
    hunt.go_to_the_end()
    for calls in itertools.count():
        key = f"play-{calls}"
        with fresh_stack.kill_after(calls, "RecordCampaignEventFunction") as order:
            hunt.game.send(f"user_{calls}", "purchase", PURCHASE, key=key)
        answer = hunt.game.event(f"user_{calls}", "purchase", PURCHASE, key=key)
        assert answer["instantWin"]["won"]
        assert hunt.hidden() == {"gold": 20 - calls - 1}
        if not order.happened:
            break

    assert calls >= 3


def test_a_save_that_another_was_faster_than_leaves_nothing_to_be_won(fresh_stack: Stack) -> None:
    start, end = fresh_stack.now_ms(), fresh_stack.now_ms() + LENGTH_MS
    few, many = (by_moments(start, end, gold=number) for number in (5, 100))
    for calls in itertools.count(1):
        game = Game.started(fresh_stack)
        faster = partial(game.save, few)
        with interrupted(
            fresh_stack, "UpdateMechanicsFunction", calls, faster, for_certain=False
        ) as order:
            answer = game.save(many)
        expected = {"gold": 5} if answer.status_code == 412 else {"gold": 100}
        written = check(game)
        assert Counter(prize.tier_id for prize in written.hidden) == expected
        assert written.dead == []
        if not order.happened or answer.status_code == 200:
            break

    assert calls >= 6


def test_what_a_save_that_died_has_left_is_never_won(fresh_stack: Stack) -> None:
    start, end = fresh_stack.now_ms(), fresh_stack.now_ms() + LENGTH_MS
    game = Game.started(fresh_stack, by_moments(start, end, gold=1))
    with fresh_stack.kill_after(7, "UpdateMechanicsFunction") as order:
        game.save(by_moments(start, end, gold=30, silver=30), seen=1)
    assert order.happened
    left = check(game)
    assert [prize.tier_id for prize in left.hidden] == ["gold"]
    assert len(left.dead) > 1
    assert game.save(by_moments(start, end, gold=2, silver=2), seen=1).status_code == 200
    assert Counter(prize.tier_id for prize in check(game).hidden) == {"gold": 2, "silver": 2}
    leap(fresh_stack, end - MINUTE_MS)

    won = [
        game.event(f"user_{number}", "purchase", PURCHASE)["instantWin"]["won"]
        for number in range(6)
    ]

    assert won == [True] * 4 + [False] * 2


@pytest.mark.parametrize("inventory", [8, 3])
def test_a_prize_that_is_won_at_any_time_during_a_save_is_counted_once(
    fresh_stack: Stack, inventory: int
) -> None:
    """Of three that were hidden, or of nine of which too many lie hidden then."""
    for calls in itertools.count(1):
        start = fresh_stack.now_ms()
        end = start + LENGTH_MS
        before = 3 if inventory == 8 else 9
        game = Game.started(fresh_stack, by_moments(start, end, gold=before))
        leap(fresh_stack, min(prize.at for prize in check(game).hidden))
        win = partial(game.event, "user", "purchase", PURCHASE)
        more = by_moments(start, end, gold=inventory)
        with interrupted(
            fresh_stack, "UpdateMechanicsFunction", calls, win, for_certain=False
        ) as order:
            assert game.save(more, seen=1).status_code == 200
        written = check(game)
        if not order.happened:
            break
        assert len(written.wins) + len(written.hidden) == inventory

    assert calls >= 6


@pytest.mark.both_engines
def test_i2_prizes_that_are_added_while_many_play_are_neither_missing_nor_doubled(
    fresh_stack: Stack,
) -> None:
    hunt = Hunt(fresh_stack, gold=10)
    hunt.go_to_the_end()
    slug, headers = hunt.game.slug, {"x-api-secret": str(fresh_stack.api_key)}

    def adding(seen: int) -> Callable[[Api], httpx.Response]:
        more = by_moments(hunt.start, hunt.end, gold=10 + 5 * seen)
        version = {"if-match": str(seen)}
        path = f"/v1/campaigns/{slug}/mechanics"
        return lambda api: api.http.put(path, json=more, headers=headers | version)

    calls = [hunt.game.sending(f"user_{number}", "purchase", PURCHASE) for number in range(24)]
    for seen, place in ((2, 16), (1, 8), (1, 4)):
        calls.insert(place, adding(seen))

    answers = at_once(fresh_stack, calls, threads=THREADS)

    assert {answer.status_code for answer in answers} <= {200, 412}
    version = hunt.game.call("GET", "mechanics").json()["data"]["configVersion"]
    written = check(hunt.game)
    assert version in (2, 3)
    assert len(written.wins) + len(written.hidden) == 5 + 5 * version
    assert written.dead == []


def test_where_more_lie_hidden_than_are_left_all_are_hidden_anew(fresh_stack: Stack) -> None:
    hunt = Hunt(fresh_stack, gold=200)
    leap(fresh_stack, hunt.start + LENGTH_MS // 10)
    now = fresh_stack.now_ms()

    assert hunt.game.save(by_moments(hunt.start, hunt.end, gold=10), seen=1).status_code == 200

    written = check(hunt.game)
    assert Counter(prize.tier_id for prize in written.hidden) == {"gold": 10}
    assert {prize.version for prize in written.hidden} == {2}
    assert min(prize.at for prize in written.hidden) >= now
    assert max(prize.at for prize in written.hidden) > hunt.start + LENGTH_MS // 2
    assert written.dead == []


def test_what_waits_of_a_tier_that_is_gone_is_in_nobodys_way(fresh_stack: Stack) -> None:
    hunt = Hunt(fresh_stack, gold=2, silver=30)

    assert hunt.game.save(by_moments(hunt.start, hunt.end, gold=2), seen=1).status_code == 200

    assert hunt.hidden() == {"gold": 2}
    assert check(hunt.game).dead == []
    back = by_moments(hunt.start, hunt.end, gold=2, silver=1)
    assert hunt.game.save(back, seen=2).status_code == 200
    assert hunt.hidden() == {"gold": 2, "silver": 1}


def test_prizes_of_so_many_saves_lie_beside_each_other_and_no_more(fresh_stack: Stack) -> None:
    hunt = Hunt(fresh_stack, gold=1)

    for version in range(1, MOST_SAVES + 1):
        more = by_moments(hunt.start, hunt.end, gold=version + 1)
        assert len({prize.save_id for prize in check(hunt.game).hidden}) == version
        assert hunt.game.save(more, seen=version).status_code == 200

    written = check(hunt.game)
    assert len({prize.save_id for prize in written.hidden}) == 1
    assert len(written.hidden) == MOST_SAVES + 1
    hunt.go_to_the_end()
    assert [hunt.play(f"user_{number}") for number in range(MOST_SAVES + 2)] == [
        *[True] * (MOST_SAVES + 1),
        False,
    ]


def test_an_end_that_goes_near_and_far_again_hides_no_prize_twice(fresh_stack: Stack) -> None:
    hunt = Hunt(fresh_stack, gold=20)
    nearer = hunt.start + LENGTH_MS // 4

    for version, end in enumerate((nearer, hunt.end, nearer, hunt.end), start=1):
        assert hunt.game.save(by_moments(hunt.start, end, gold=20), seen=version).status_code == 200
        assert hunt.hidden() == {"gold": 20}


def test_prizes_cannot_be_hidden_in_time_that_is_past(fresh_stack: Stack) -> None:
    hunt = Hunt(fresh_stack, gold=2)
    leap(fresh_stack, hunt.end + MINUTE_MS)
    late, same = (by_moments(hunt.start, hunt.end, gold=number) for number in (3, 2))
    same["leaderboard"] = {"hideNames": True}

    refused = hunt.game.save(late, seen=1)
    first_of_all = Game.started(fresh_stack).save(late)

    for answer in (refused, first_of_all):
        assert answer.status_code == 400
        assert [each["field"] for each in answer.json()["errors"]] == ["endsAt"]
    assert hunt.hidden() == {"gold": 2}
    assert check(hunt.game).dead == []
    assert hunt.game.save(same, seen=1).status_code == 200


def test_a_moment_that_was_won_can_be_checked_when_the_secret_is_told(fresh_stack: Stack) -> None:
    hunt = Hunt(fresh_stack, gold=2)
    leap(fresh_stack, hunt.start + DAY_MS)
    assert (
        hunt.game.save(by_moments(hunt.start, hunt.end, gold=2, silver=3), seen=1).status_code
        == 200
    )
    hunt.go_to_the_end()
    for number in range(5):
        assert hunt.play(f"user_{number}")
    events = check(hunt.game).events

    def drawn(event: PlayerEvent) -> Json:
        asked = hunt.game.call("GET", f"events/{event.event_id}", params={"userId": event.user_id})
        told: Json = asked.json()["data"]["instantWin"]
        return told

    before = [drawn(event) for event in events]
    hunt.game.set_status("COMPLETE")
    leap(fresh_stack, hunt.end + SHOWN_AFTER_MS + MINUTE_MS)
    after = [drawn(event) for event in events]

    assert all(one["drawSecret"] is None and one["moment"] is None for one in before)
    assert Counter(one["moment"]["configVersion"] for one in after) == {1: 2, 2: 3}
    for event, one in zip(events, after, strict=True):
        moment = one["moment"]
        assert one["drawCommitment"] == commitment(one["drawSecret"])
        assert moment["at"] == instant_text(event.moment_at or 0) <= instant_text(event.at)
        assert moment["prizes"] == ({"gold": 2} if moment["configVersion"] == 1 else {"silver": 3})
        asked = [
            one["drawCommitment"],
            one["drawSecret"],
            hunt.game.campaign_id,
            str(moment["configVersion"]),
            one["tierWon"],
            str(moment["number"]),
            moment["startsAt"],
            moment["endsAt"],
        ]
        assert verified("moment", *asked) == f"The moment is {moment['at']}\n"


def test_nobody_is_told_where_prizes_are_hidden(fresh_stack: Stack) -> None:
    hunt = Hunt(fresh_stack, gold=3)
    prizes = check(hunt.game).hidden
    hunt.play("user")

    shown = hunt.game.call("GET", "mechanics").text + hunt.game.send("user", "signup").text

    assert len(prizes) == 3
    assert hunt.game.secret() not in shown
    assert not [prize for prize in prizes if str(prize.at) in shown]
    assert "moment" not in shown.replace('"mode":"moments"', "")
