"""Sixteen at once who send, relay and evaluate the same events, one of whom dies: after every call,
one after the other. What has come of an event is afterwards what comes of it once.

How many calls the one makes hangs on what the others have done: so there are as many rounds as a
container makes calls that knows nothing, and in the last ones it may live."""

from __future__ import annotations

import random
from collections import Counter
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest

from local.stack import InvocationFailed, Stack
from tests.play_invariants import check
from tests.playing import GOLD, Game, mechanics
from tests.reporting import report
from tests.scenarios import at_once

THREADS = 16
RECORD, RELAY = "RecordCampaignEventFunction", "RelayChangesFunction"
EVALUATE = "EvaluateEventFunction"
PURCHASE = {"amount": 20}


@pytest.mark.both_engines
def test_i10_one_of_sixteen_who_send_the_same_events_dies_anywhere(fresh_stack: Stack) -> None:
    """Five events of two players, each sent three times and one four times, to a campaign that no
    container remembers."""
    stack, died = fresh_stack, []
    for calls in range(8):
        game = Game.started(stack, mechanics())
        golds = game.keys_that_draw(GOLD)
        sent = [(f"user_{number % 2}", next(golds)) for number in range(5)]
        order_of = [*sent * 3, sent[0]]
        random.Random(calls).shuffle(order_of)  # noqa: S311 - an order, no secret
        sending = {one: game.sending(one[0], "purchase", PURCHASE, key=one[1]) for one in sent}

        with stack.kill_after(calls, RECORD) as order:
            answers = at_once(stack, [sending[one] for one in order_of], threads=THREADS)
        again = {one: game.send(one[0], "purchase", PURCHASE, key=one[1]) for one in sent}

        died.append([answer.status_code for answer in answers].count(502))
        assert died[-1] == order.happened
        for one, answer in zip(order_of, answers, strict=True):
            assert answer.status_code in (200, 502)
            assert answer.status_code == 502 or answer.content == again[one].content
        written = check(game)
        assert Counter(event.user_id for event in written.events) == Counter(u for u, _ in sent)
        assert Counter((win.user_id, win.tier_id) for win in written.wins) == {
            ("user_0", "gold"): 1,
            ("user_1", "gold"): 1,
        }
        assert {one.user_id: one.total_points for one in written.players} == {
            "user_0": 800,
            "user_1": 700,
        }
    # A warm container reads once and writes once.
    assert died[:3] == [1] * 3


def delivered_at_once(stack: Stack, function_id: str, records: list[dict[str, Any]]) -> int:
    """Each of sixteen gets all records in an order of its own. Gives how many died."""

    def deliver(number: int) -> int:
        own = random.Random(number).sample(records, len(records))  # noqa: S311 - an order
        try:
            stack.deliver(function_id, own)
        except InvocationFailed:
            return 1
        return 0

    with ThreadPoolExecutor(THREADS) as pool:
        return sum(pool.map(deliver, range(THREADS)))


@pytest.mark.both_engines
@pytest.mark.parametrize(("function_id", "rounds", "least"), [(RELAY, 4, 2), (EVALUATE, 10, 5)])
def test_i10_i15_one_of_sixteen_who_deliver_the_same_dies_anywhere(
    fresh_stack: Stack, function_id: str, rounds: int, least: int
) -> None:
    stack = fresh_stack
    made = mechanics(sources=["gamifyhost", "referd"])
    made["instantWin"]["tiers"][0] |= {"oddsPpm": 1_000_000, "inventory": 1000}
    made["instantWin"]["tiers"] = made["instantWin"]["tiers"][:1]
    game = Game.started(stack, made)

    def handed_on(deliver: Callable[[str, list[dict[str, Any]]], object]) -> None:
        for consumer in (RELAY, EVALUATE):
            records = stack.take_records(consumer)
            once = list({repr(one.get("body", one)): one for one in records}.values())
            if consumer == function_id:
                deliver(consumer, once)
            assert stack.deliver(consumer, once) == {"batchItemFailures": []}

    died: list[int] = []
    for calls in range(rounds):
        user_id = f"user_{calls}"
        stack.drain()
        report(stack, {"purchase": PURCHASE, "signup": None}, player=user_id)

        with stack.kill_after(calls, function_id) as order:
            handed_on(lambda consumer, once: died.append(delivered_at_once(stack, consumer, once)))
        stack.drain()

        assert sorted(line.points for line in game.ledger(user_id)) == [50, 100, 500]
        assert died[calls] == order.happened
    written = check(game)
    assert Counter(event.user_id for event in written.events) == {
        f"user_{number}": 2 for number in range(rounds)
    }
    assert died[:least] == [1] * least
