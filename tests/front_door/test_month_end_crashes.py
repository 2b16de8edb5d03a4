"""Closing and settling die after each single call, and what they are given comes twice, in any
order or not at all: each month is closed once, and each of its rewards is won once."""

from __future__ import annotations

import itertools
import json
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from functools import partial

import pytest

from grapevine import runtime
from grapevine.engine.month_end import close as closing
from grapevine.engine.month_end.calendar import opened
from grapevine.months import start_of
from grapevine.table import keys, store
from grapevine.table.writes import ABSENT, Put
from local.stack import InvocationFailed, Stack
from tests import invariants, reward_invariants
from tests.api import Api, Json
from tests.invariants import table_of
from tests.month_stories import (
    CLOSE,
    GOAL,
    RELAY,
    SETTLE,
    Table,
    begin,
    close,
    closed_months,
    credit,
    final,
    monthly,
    pass_months,
    referrers,
    stack_on_a_second_day,
    this_month,
    wins,
)
from tests.reward_stories import Program, event_ids
from tests.scenarios import HOUR_MS, erase, interrupted, leap


@pytest.fixture
def receiving(engine: str) -> Iterator[Stack]:
    with stack_on_a_second_day(engine) as stack:
        yield stack


@pytest.fixture
def api(receiving: Stack) -> Iterator[Api]:
    with Api(receiving.url, receiving.api_key) as client:
        yield client


def contested(stack: Stack, api: Api) -> tuple[Program, str, list[str]]:
    """A campaign with a monthly reward for two, and its three referrers, the best first."""
    program = begin(stack, api)
    program.listen(program.id, [GOAL])
    reward = monthly(program, winners=2)
    return program, reward, referrers(program, 3, 2, 1)


def assert_settled_once(
    program: Program, reward: str, month: int, best: list[str], items: Table | None = None
) -> None:
    stack, items = program.stack, items or table_of(program.stack)
    assert closed_months(program, items) == [month]
    assert final(program, month) == [(1, 3, best[0]), (2, 2, best[1]), (3, 1, best[2])]
    assert wins(program, reward, items) == sorted((month, one) for one in best[:2])
    assert len(event_ids(stack, program.id)) == len(set(event_ids(stack, program.id))) == 2
    settled = items[keys.month_closing(program.id, month)]
    assert {"dueAt", "dueShard"}.isdisjoint(settled.keys())


def check(stack: Stack) -> None:
    stack.drain()
    invariants.check(stack)
    reward_invariants.check(stack)


@pytest.mark.parametrize(("function_id", "calls_at_least"), [(CLOSE, 11), (RELAY, 2)])
def test_dying_anywhere_between_the_schedule_and_the_queue_loses_and_doubles_no_month(
    receiving: Stack, api: Api, function_id: str, calls_at_least: int
) -> None:
    program, reward, [best, *_] = contested(receiving, api)
    others = [begin(receiving, api) for _ in range(2)]
    months = [this_month(receiving)]

    for calls in itertools.count():
        pass_months(receiving)
        with receiving.kill_after(calls, function_id) as order:
            receiving.functions.invoke(CLOSE, {})
            receiving.drain()
        close(receiving)
        if not order.happened:
            break
        months.append(this_month(receiving))
        credit(program, best)

    assert calls >= calls_at_least, f"{function_id} made hardly a call"
    items = table_of(receiving)
    for each in (program, *others):
        assert closed_months(each, items) == months
    won = wins(program, reward, items)
    assert [one for one in won if one[1] == best] == [(month, best) for month in months]
    assert len(event_ids(receiving, program.id)) == len(won)
    check(receiving)


def test_dying_anywhere_in_a_settlement_loses_and_doubles_no_reward(
    receiving: Stack, api: Api
) -> None:
    campaigns = [contested(receiving, api) for _ in range(13)]
    receiving.drain()
    month = this_month(receiving)
    pass_months(receiving)
    messages = held_messages(receiving)
    assert len(messages) == len(campaigns)

    happened = []
    for calls, message in enumerate(messages):
        with receiving.kill_after(calls, SETTLE) as order:
            event = receiving._consumers[SETTLE].event([message])
            receiving.functions.invoke(SETTLE, event)
        happened.append(order.happened)
    leap(receiving, receiving.now_ms() + closing.SETTLED_BY_MS)
    close(receiving)

    assert happened[10:] == sorted(happened[10:], reverse=True)
    assert all(happened[:10])
    assert not happened[-1], "make more campaigns: a settlement makes more calls"
    items = table_of(receiving)
    for program, reward, best in campaigns:
        assert_settled_once(program, reward, month, best, items)
    check(receiving)


def test_closings_that_come_twice_and_reversed_are_settled_once(receiving: Stack, api: Api) -> None:
    programs = [contested(receiving, api) for _ in range(2)]
    receiving.drain()
    month = this_month(receiving)
    pass_months(receiving)
    with receiving.hold(RELAY):
        receiving.invoke(CLOSE, {})
        records = receiving.take_records(RELAY)
    assert len(records) == 2

    for batch in (records[::-1], records, records[:1], records):
        assert receiving.deliver(RELAY, batch) == {"batchItemFailures": []}
    receiving.drain()

    for program, reward, best in programs:
        assert_settled_once(program, reward, month, best)
    check(receiving)


def held_messages(stack: Stack) -> list[Json]:
    """The months are closed; what should settle them."""
    with stack.hold(SETTLE):
        close(stack)
        return stack.take_records(SETTLE)


@pytest.mark.both_engines
def test_a_month_that_is_settled_by_several_at_once_is_won_once(receiving: Stack, api: Api) -> None:
    program, reward, best = contested(receiving, api)
    month = this_month(receiving)
    pass_months(receiving)
    messages = held_messages(receiving)

    with ThreadPoolExecutor(4) as pool:
        for answer in pool.map(lambda _: receiving.deliver(SETTLE, messages), range(4)):
            assert answer == {"batchItemFailures": []}
    receiving.drain()

    assert_settled_once(program, reward, month, best)
    check(receiving)


@pytest.mark.parametrize("happening", ["leaves", "is credited", "is settled by another"])
def test_whatever_happens_to_a_winner_at_any_moment_of_a_settlement_one_reward_is_won_or_none(
    receiving: Stack, api: Api, happening: str
) -> None:
    programs = [begin(receiving, api) for _ in range(10)]
    offered = [monthly(program, winners=1) for program in programs]
    people = [referrers(program, 2, 1) for program in programs]
    month = this_month(receiving)
    pass_months(receiving)
    messages = {each["body"]: each for each in held_messages(receiving)}
    happened = []

    for calls, (program, (best, _)) in enumerate(zip(programs, people, strict=True), start=1):
        message = messages[message_for(keys.month_closing(program.id, month))]
        meanwhile: dict[str, Callable[[], object]] = {
            "leaves": partial(api.delete, program.id, best),
            "is credited": partial(credit, program, best),
            "is settled by another": partial(receiving.deliver, SETTLE, [message]),
        }
        with interrupted(
            receiving, SETTLE, calls, meanwhile[happening], for_certain=False
        ) as interruption:
            assert receiving.deliver(SETTLE, [message]) == {"batchItemFailures": []}
        happened.append(interruption.happened)
    receiving.drain()

    assert all(happened[:8])
    assert not happened[-1]
    items = table_of(receiving)
    became = [
        {best: "won", second: "moved up"}[winner] if winner else "nobody won"
        for program, reward, (best, second) in zip(programs, offered, people, strict=True)
        for _, winner in wins(program, reward, items) or [(month, "")]
    ]
    assert len(became) == len(programs)
    if happening == "leaves":
        assert became == sorted(became, key=["moved up", "nobody won", "won"].index)
        assert set(became) == {"moved up", "nobody won", "won"}
    else:
        assert set(became) == {"won"}
    erase(api)
    check(receiving)


@pytest.mark.both_engines
def test_two_schedules_at_once_close_each_month_once(receiving: Stack, api: Api) -> None:
    programs = [begin(receiving, api) for _ in range(5)]
    month = this_month(receiving)
    pass_months(receiving)

    with ThreadPoolExecutor(3) as pool:
        runs = list(pool.map(lambda _: receiving.invoke(CLOSE, {}), range(3)))

    assert sum(run["closed"] for run in runs) == 5
    assert [closed_months(program) for program in programs] == [[month]] * 5
    check(receiving)


@pytest.mark.parametrize("first", ["the campaign ends", "the month is closed"])
def test_a_campaign_that_ends_while_it_is_closed_closes_the_months_that_it_lived_in(
    receiving: Stack, api: Api, first: str
) -> None:
    program = begin(receiving, api)
    lived, calls, more = [this_month(receiving)], 1, True
    end = partial(api.set_status, program.id, "COMPLETE")
    run = partial(receiving.invoke, CLOSE, {})

    while more:
        pass_months(receiving)
        lived.append(this_month(receiving))
        function_id, call, meanwhile = (
            ("UpdateCampaignFunction", end, run)
            if first == "the campaign ends"
            else (CLOSE, run, end)
        )
        with interrupted(
            receiving, function_id, calls, meanwhile, for_certain=False
        ) as interruption:
            call()
        end()
        close(receiving)
        pass_months(receiving, 2)
        close(receiving)
        api.set_status(program.id, "IN_PROGRESS")
        lived.append(this_month(receiving))
        calls, more = calls + 1, interruption.happened

    assert calls > 4
    assert closed_months(program) == lived[:-1]
    check(receiving)


def test_a_settlement_whose_message_was_lost_is_sent_again_by_a_later_run(
    receiving: Stack, api: Api
) -> None:
    program, reward, best = contested(receiving, api)
    receiving.drain()
    month = this_month(receiving)
    leap(receiving, start_of(month + 1) - HOUR_MS)

    with receiving.hold(SETTLE):
        receiving.set_clock(start_of(month + 1) + HOUR_MS)
        receiving.drain()
        assert len(receiving.take_records(SETTLE)) == 1
    assert wins(program, reward) == []
    receiving.set_clock(start_of(month + 1) + 5 * HOUR_MS)
    receiving.drain()

    assert_settled_once(program, reward, month, best)
    check(receiving)


def test_a_message_that_nobody_can_handle_is_given_up_and_holds_up_no_month(
    receiving: Stack, api: Api
) -> None:
    program, reward, best = contested(receiving, api)
    month = this_month(receiving)
    pass_months(receiving)
    bodies = ("{}", "not even JSON", message_for(keys.campaign(program.id)))
    for body in (*bodies, message_for(keys.campaign("nobody"))):
        receiving.queues.send("SettlementQueue", body)

    close(receiving)
    receiving.advance(3 * HOUR_MS)
    receiving.drain()

    assert_settled_once(program, reward, month, best)
    dead = receiving.queue_messages("SettlementDeadLetterQueue")
    assert sorted(message.body for message in dead) == sorted(bodies)
    assert receiving.queue_messages("SettlementQueue") == []
    check(receiving)


def message_for(key: keys.Key) -> str:
    return json.dumps(key._asdict())


def test_a_campaign_that_cannot_be_closed_is_told_of_and_holds_up_no_other(
    receiving: Stack, api: Api
) -> None:
    program, reward, best = contested(receiving, api)
    receiving.drain()
    month = this_month(receiving)
    broken = {"partition": "broken", "sort": "CALENDAR", "type": "Calendar", "dueAt": 1}
    with runtime.using(receiving.runtime()):
        store.transact([Put({**broken, "dueShard": keys.month_end_shard(0)}, ABSENT)])
    pass_months(receiving)

    with pytest.raises(InvocationFailed, match="NotClosed: 1 of 2"):
        receiving.invoke(CLOSE, {})
    receiving.drain()

    assert_settled_once(program, reward, month, best)


def calendars(stack: Stack, number: int) -> None:
    """Calendars of so many campaigns that are not there: what closing alone looks at."""
    month = this_month(stack)
    with runtime.using(stack.runtime()):
        made = [opened(None, f"imagined{each}", month) for each in range(number)]
        for start in range(0, number, 100):
            store.transact([Put(each.to_item(), ABSENT) for each in made[start : start + 100]])


def test_hundreds_of_campaigns_are_closed_in_one_run(receiving: Stack) -> None:
    calendars(receiving, 300)
    pass_months(receiving)

    with receiving.hold(RELAY):
        assert receiving.invoke(CLOSE, {}) == {"closed": 300, "repeated": 0}
        assert receiving.invoke(CLOSE, {}) == {"closed": 0, "repeated": 0}

        assert len(receiving.take_records(RELAY)) == 300


def test_a_run_that_has_no_time_left_leaves_the_rest_to_the_next_one(
    receiving: Stack, monkeypatch: pytest.MonkeyPatch
) -> None:
    calendars(receiving, 25)
    pass_months(receiving)
    monkeypatch.setattr(closing, "_AT_ONCE", 10)
    ticks = itertools.count(0, 100)
    slow = type("SlowTime", (), {"monotonic": lambda _: next(ticks)})()

    with receiving.hold(RELAY):
        with monkeypatch.context() as slowly:
            slowly.setattr(closing, "time", slow)
            assert receiving.invoke(CLOSE, {})["closed"] == 20

        assert receiving.invoke(CLOSE, {})["closed"] == 5
        assert len(receiving.take_records(RELAY)) == 25


# What is written


def test_the_writes_of_a_months_end_do_not_grow_with_the_participants(
    receiving: Stack, api: Api
) -> None:
    units = []
    for size in (3, 30):
        program = begin(receiving, api)
        monthly(program, winners=2)
        referrers(program, 2, *[1] * (size - 1))
        receiving.drain()
        pass_months(receiving)
        ran = receiving.functions.invoke(CLOSE, {})
        assert ran.payload == {"closed": 1, "repeated": 0}
        messages = held_messages(receiving)
        settled = receiving.functions.invoke(SETTLE, receiving._consumers[SETTLE].event(messages))
        assert settled.payload == {"batchItemFailures": []}
        units.append(ran.invocation.write_units + settled.invocation.write_units)
        api.set_status(program.id, "COMPLETE")
        receiving.drain()
        pass_months(receiving)
        close(receiving)
    small, large = units

    assert large - small <= 2 * 2, "more than the longer snapshot, two units for each KB"


def test_nothing_that_a_months_end_writes_comes_back_to_it(receiving: Stack, api: Api) -> None:
    contested(receiving, api)
    receiving.drain()
    pass_months(receiving)
    told: list[list[str]] = []

    for _ in range(4):
        with receiving.hold(RELAY):
            receiving.invoke(CLOSE, {})
            receiving.drain()
            records = receiving.take_records(RELAY)
        told.append([each["dynamodb"]["NewImage"]["type"]["S"] for each in records])
        if records:
            receiving.deliver(RELAY, records)

    assert told == [["MonthClosing"], ["EarnedReward", "EarnedReward"], [], []]
