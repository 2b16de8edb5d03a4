from __future__ import annotations

import itertools
import json
import time

import pytest

from local.clock import BackwardMove
from local.schedules import parse
from local.stack import Stack
from tests.local.conftest import HOUR, MINUTE, SAMPLE, Http, fired, lost, put, seen

DAY = 24 * HOUR
RATE, CRON = "aws.scheduler", "aws.events"


def next_time(stack: Stack, logical_id: str) -> int:
    [schedule] = [each for each in stack.declared.schedules if each.logical_id == logical_id]
    found = parse(schedule.expression, 0).next_after(stack.now_ms())
    assert found is not None
    return found


def test_the_clock_runs_with_real_time_until_it_is_moved(sample: Stack) -> None:
    assert abs(sample.now_ms() - time.time() * 1000) < 1_000


def test_a_move_holds_for_handlers_and_runs_on(sample: Stack, http_: Http) -> None:
    before = sample.now_ms()

    _, moved = http_("POST", "/_local/clock", json.dumps({"advanceMs": 40 * MINUTE}))
    _, answer = http_("GET", "/echo/1")

    assert 0 <= moved["now"] - before - 40 * MINUTE < 5_000
    assert 0 <= answer["now"] - moved["now"] < 5_000
    assert http_("GET", "/_local/clock")[1]["now"] >= answer["now"]


@pytest.mark.parametrize(
    "body",
    [
        '{"now": 5}',
        '{"advanceMs": -1}',
        '{"advanceMs": 1.5}',
        '{"advanceMs": true}',
        '{"now": 1, "advanceMs": 1}',
        '{"now": 999999999999999999}',
        "{}",
        "[]",
        "no json",
    ],
)
def test_a_move_that_makes_no_sense_is_refused(http_: Http, body: str) -> None:
    status, answer = http_("POST", "/_local/clock", body)

    assert status == 400
    assert answer["message"]


def test_the_clock_never_goes_back(sample: Stack) -> None:
    with pytest.raises(BackwardMove):
        sample.set_clock(sample.now_ms() - 1_000)


def test_a_rate_fires_at_each_of_its_times_with_the_clock_standing_there(sample: Stack) -> None:
    start = sample.now_ms()

    sample.advance(10 * MINUTE)

    ticks = [each["now"] for each in fired(sample, RATE)]
    assert len(ticks) == 10
    assert {later - earlier for earlier, later in itertools.pairwise(ticks)} == {MINUTE}
    assert abs(ticks[0] - start - MINUTE) < 5_000


def test_a_cron_fires_at_the_second_that_it_names(sample: Stack) -> None:
    due = next_time(sample, "TickFunctionEveryMonth")

    sample.set_clock(due - 30 * MINUTE)
    early = fired(sample, CRON)
    sample.advance(HOUR)

    assert early == []
    [event] = fired(sample, CRON)
    assert event["now"] == due
    assert event["time"].endswith("-01T00:00:00Z")


def test_schedules_fire_in_order_and_work_is_done_between_them(sample: Stack) -> None:
    sample.queues.send("WorkQueue", json.dumps({"name": "message"}), delay_s=90)

    sample.advance(3 * MINUTE)

    order = [json.loads(each.body) for each in sample.queue_messages("SeenQueue")]
    kinds = ["message" if each == "message" else "tick" for each in order]
    assert kinds == ["tick", "message", "tick", "tick"]


@pytest.mark.parametrize(("length", "window"), [(24 * HOUR, HOUR), (10 * DAY, DAY)])
def test_a_long_jump_fires_a_rate_at_the_end_of_each_window(
    sample: Stack, length: int, window: int
) -> None:
    end = sample.now_ms() + length

    sample.set_clock(end)

    ticks = [each["now"] for each in fired(sample, RATE)]
    windows = [tick // window for tick in ticks]
    assert windows == sorted(set(windows))
    assert len(windows) - length // window in (0, 1)
    assert all(window - tick % window <= MINUTE for tick in ticks[:-1])
    assert end - ticks[-1] < MINUTE


def test_a_jump_of_two_hours_folds_nothing(sample: Stack) -> None:
    sample.advance(2 * HOUR)

    assert len(fired(sample, RATE)) == 120


def test_a_drain_fires_each_rate_once_now_and_no_cron(sample: Stack) -> None:
    before = sample.now_ms()

    sample.drain()

    [tick] = fired(sample, RATE)
    assert before <= tick["now"] <= sample.now_ms()
    assert fired(sample, CRON) == []


def test_a_failed_schedule_is_retried_after_one_and_after_two_minutes(sample: Stack) -> None:
    due = next_time(sample, "FailFunctionYearly")

    sample.set_clock(due + 2 * MINUTE + 30_000)
    before = len(lost(sample))
    sample.advance(MINUTE)

    assert before == 0
    [message] = lost(sample)
    assert message["requestContext"]["condition"] == "RetriesExhausted"
    assert message["requestContext"]["approximateInvokeCount"] == 3
    assert message["responsePayload"]["errorMessage"] == "always"


def test_in_the_background_work_is_done_within_a_second() -> None:
    with Stack(SAMPLE, background=True, api_key=None) as stack:
        put(stack, "a")
        deadline = time.monotonic() + 1
        while not seen(stack) and time.monotonic() < deadline:
            time.sleep(0.02)

        assert seen(stack) == ["a"]
