"""The end of a month: who was best is kept and rewarded once, whenever the schedule fires."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from grapevine.engine.month_end import settle
from grapevine.engine.month_end.calendar import GRACE_MS
from grapevine.months import name_of, start_of
from grapevine.table import keys, store
from grapevine.table.writes import PRESENT, Delete
from local.stack import Stack
from tests import invariants, reward_invariants
from tests.api import Api, Json
from tests.conftest import inside
from tests.invariants import table_of
from tests.month_stories import (
    CLOSE,
    GOAL,
    RELAY,
    SETTLE,
    answer_of,
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
from tests.refusals import refusal
from tests.reward_stories import FULFILLING, MANUAL, Program, received
from tests.scenarios import HOUR_MS, MINUTE_MS, leap


@pytest.fixture
def receiving(engine: str) -> Iterator[Stack]:
    """Afterwards its table is checked."""
    with stack_on_a_second_day(engine) as stack:
        yield stack
        stack.drain()
        invariants.check(stack)
        reward_invariants.check(stack, unremoved=False)


@pytest.fixture
def program(receiving: Stack) -> Iterator[Program]:
    with Api(receiving.url, receiving.api_key) as api:
        yield begin(receiving, api)


@pytest.mark.both_engines
def test_a_month_is_closed_by_the_schedule_kept_and_rewarded(program: Program) -> None:
    stack, month = program.stack, this_month(program.stack)
    program.listen("hooks", [GOAL])
    reward = monthly(program)
    fourth, second, first, third, _ = referrers(program, 1, 2, 3, 2, 0)
    leap(stack, start_of(month + 1) - HOUR_MS)
    assert answer_of(program, month).status_code == 404

    stack.set_clock(start_of(month + 1) + HOUR_MS)
    stack.drain()

    best = [first, second, third, fourth]
    assert final(program, month) == [(1, 3, first), (2, 2, second), (3, 2, third), (4, 1, fourth)]
    assert wins(program, reward) == sorted((month, one) for one in best[:3])
    told = [each["data"]["participant"]["id"] for each in received(stack, "hooks")]
    assert sorted(told) == sorted(best[:3])
    [won] = program.earned(first)
    assert (won["approved"], won["referrerId"], won["referredId"]) == (True, first, None)
    assert program.api.read_campaign(program.id)["winnerCount"] == 3


@pytest.mark.parametrize(
    ("options", "states"),
    [
        (MANUAL, (False, False)),
        (FULFILLING, (True, True)),
    ],
    ids=["manual approval", "automatic fulfilment"],
)
def test_a_monthly_reward_is_approved_like_any_other(
    receiving: Stack, options: Json, states: tuple[bool, bool]
) -> None:
    with Api(receiving.url, receiving.api_key) as api:
        program = begin(receiving, api, options=options)
        program.listen("hooks", [GOAL])
        monthly(program)
        [best] = referrers(program, 1)
        pass_months(receiving)

        close(receiving)

        [won] = program.earned(best)
        assert (won["approved"], won["isFulfilled"]) == states
        [told] = received(receiving, "hooks")
        assert told["data"]["reward"]["approved"] == states[0]


def test_before_the_month_is_over_and_its_grace_nothing_is_closed(program: Program) -> None:
    stack, month = program.stack, this_month(program.stack)
    monthly(program)
    referrers(program, 1)
    stack.drain()
    stored = table_of(stack)

    for early in (start_of(month + 1) - MINUTE_MS, start_of(month + 1) + GRACE_MS - MINUTE_MS):
        leap(stack, early)
        assert stack.invoke(CLOSE, {}) == {"closed": 0, "repeated": 0}

    assert table_of(stack) == stored
    leap(stack, start_of(month + 1) + GRACE_MS)
    assert close(stack) == 1


def test_a_schedule_that_fires_twice_and_a_message_that_comes_twice_change_nothing(
    program: Program,
) -> None:
    stack, month = program.stack, this_month(program.stack)
    program.listen("hooks", [GOAL])
    reward = monthly(program)
    [best] = referrers(program, 2)
    pass_months(stack)
    close(stack)
    stored = table_of(stack)

    assert close(stack) == 0
    assert stack.redeliver(SETTLE) == {"batchItemFailures": []}
    stack.redeliver(RELAY)
    stack.drain()

    assert table_of(stack) == stored
    assert wins(program, reward) == [(month, best)]
    assert len(received(stack, "hooks")) == 1


def test_two_months_late_each_month_is_what_it_was_although_its_counts_are_overwritten(
    program: Program,
) -> None:
    stack, first = program.stack, this_month(program.stack)
    reward = monthly(program, winners=2)
    overwritten, emptied, kept, gone = referrers(program, 2, 3, 1, 9)
    pass_months(stack, 2)
    credit(program, overwritten, 4)
    [friend] = credit(program, emptied)
    program.api.delete(program.id, friend)
    program.api.delete(program.id, gone)
    newcomer = program.join()
    credit(program, newcomer, 7)

    assert close(stack) == 2

    assert final(program, first) == [(1, 3, emptied), (2, 2, overwritten), (3, 1, kept)]
    assert final(program, first + 1) == []
    pass_months(stack)
    assert close(stack) == 1
    assert final(program, first + 2) == [(1, 7, newcomer), (2, 4, overwritten)]
    assert wins(program, reward) == sorted(
        [(first, emptied), (first, overwritten), (first + 2, newcomer), (first + 2, overwritten)]
    )


def test_months_that_are_settled_in_another_order_are_each_won_once(program: Program) -> None:
    stack, first = program.stack, this_month(program.stack)
    reward = monthly(program)
    [best] = referrers(program, 1)
    pass_months(stack)
    credit(program, best)
    pass_months(stack)
    with stack.hold(SETTLE):
        close(stack)
        messages = stack.take_records(SETTLE)
    assert len(messages) == 2

    for batch in (messages[::-1], messages, messages[1:], messages[:1], messages[::-1]):
        for message in batch:
            assert stack.deliver(SETTLE, [message]) == {"batchItemFailures": []}

    assert wins(program, reward) == [(first, best), (first + 1, best)]


# The life of a campaign


def test_a_campaign_that_ends_closes_that_month_and_no_other(program: Program) -> None:
    stack, month = program.stack, this_month(program.stack)
    reward, at_the_end = monthly(program), program.offer("LEADERBOARD")
    [best] = referrers(program, 2)
    program.api.set_status(program.id, "COMPLETE")
    stack.drain()
    assert wins(program, reward) == []

    for _ in range(3):
        pass_months(stack)
        close(stack)

    assert closed_months(program) == [month]
    assert wins(program, reward) == [(month, best)]
    assert len(program.earned(best)) == 2
    assert {each["rewardId"] for each in program.earned(best)} == {reward, at_the_end}
    assert keys.calendar(program.id) not in table_of(stack)


def test_a_campaign_that_ends_in_the_last_minute_closes_the_next_month_too(
    program: Program,
) -> None:
    """A credit that saw it live may be committed after midnight."""
    stack, month = program.stack, this_month(program.stack)
    leap(stack, start_of(month + 1) - MINUTE_MS // 2)
    program.api.set_status(program.id, "COMPLETE")

    pass_months(stack, 3)
    close(stack)

    assert closed_months(program) == [month, month + 1]


def test_a_campaign_closes_no_month_before_the_one_in_which_it_goes_live(
    receiving: Stack,
) -> None:
    with Api(receiving.url, receiving.api_key) as api:
        installation = {"referralTrigger": "ON_SIGNUP"}
        program = Program(receiving, api, api.campaign(live=False, installation=installation))
        drafted = this_month(receiving)
        pass_months(receiving)
        assert close(receiving) == 0
        api.set_status(program.id, "IN_PROGRESS")
        [best] = referrers(program, 1)
        pass_months(receiving)

        assert close(receiving) == 1

        refusal(answer_of(program, drafted), 404)
        assert final(program, drafted + 1) == [(1, 1, best)]


def test_a_campaign_that_is_resumed_in_its_last_month_goes_on(program: Program) -> None:
    stack, month = program.stack, this_month(program.stack)
    reward = monthly(program)
    [best] = referrers(program, 1)
    program.api.set_status(program.id, "COMPLETE")
    stack.drain()
    program.api.set_status(program.id, "IN_PROGRESS")
    credit(program, best)

    for _ in range(2):
        pass_months(stack)
        close(stack)

    assert closed_months(program) == [month, month + 1]
    assert final(program, month) == [(1, 2, best)]
    assert wins(program, reward) == [(month, best)]


def test_a_campaign_that_was_live_before_there_were_calendars_closes_the_month_of_its_end(
    program: Program,
) -> None:
    stack, month = program.stack, this_month(program.stack)
    with inside(stack):
        store.transact([Delete(keys.calendar(program.id), PRESENT)])
    [best] = referrers(program, 1)
    program.api.set_status(program.id, "COMPLETE")

    for _ in range(2):
        pass_months(stack)
        close(stack)

    assert closed_months(program) == [month]
    assert final(program, month) == [(1, 1, best)]


@pytest.mark.parametrize("is_late", [False, True], ids=["on time", "late"])
def test_the_months_between_an_end_and_a_resumption_are_not_closed_however_late_it_is(
    program: Program, *, is_late: bool
) -> None:
    stack, month = program.stack, this_month(program.stack)
    [best] = referrers(program, 1)
    program.api.set_status(program.id, "COMPLETE")
    for _ in range(3):
        pass_months(stack)
        if not is_late:
            close(stack)
    program.api.set_status(program.id, "IN_PROGRESS")
    credit(program, best, 2)
    pass_months(stack)

    close(stack)

    assert closed_months(program) == [month, month + 3]
    assert final(program, month) == [(1, 1, best)]
    assert final(program, month + 3) == [(1, 2, best)]


# Who wins


def test_of_a_month_win_those_rewards_that_were_there_in_it_and_are_still_offered(
    program: Program,
) -> None:
    stack = program.stack
    before, of_none = monthly(program), monthly(program, winners=0)
    hidden, deleted = monthly(program), monthly(program)
    program.offer("LEADERBOARD", limitDuration="PER_YEAR")
    program.offer("MILESTONE", limitDuration="PER_MONTH", conversionsRequired=2)
    later_hidden = monthly(program, winners=1)
    best, second = referrers(program, 1, 1)
    pass_months(stack)
    after = monthly(program)
    program.change_offer(hidden, isVisible=False)
    program.api.ok("DELETE", f"{program.path}/reward-configs/{deleted}")

    close(stack)
    program.change_offer(later_hidden, isVisible=False)
    assert close(stack) == 0

    assert {each["rewardId"] for each in program.earned(best)} == {before}
    for reward in (of_none, hidden, deleted, after):
        assert wins(program, reward) == []
    assert len(wins(program, later_hidden)) == 1
    assert {each["rewardId"] for each in program.earned(second)} == {before}


def test_as_many_as_win_are_kept_in_the_snapshot_or_a_hundred(
    program: Program, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert settle.KEPT_PLACES == 100
    monkeypatch.setattr(settle, "KEPT_PLACES", 2)
    stack, month = program.stack, this_month(program.stack)
    people = referrers(program, *[1] * 5)
    pass_months(stack)
    close(stack)
    monthly(program, winners=3)
    for person in people:
        credit(program, person)
    pass_months(stack)

    close(stack)

    assert [person for _, _, person in final(program, month)] == people[:2]
    assert [person for _, _, person in final(program, month + 1)] == people[:3]


def test_who_leaves_before_the_settlement_makes_room_for_the_next(program: Program) -> None:
    stack, month = program.stack, this_month(program.stack)
    reward = monthly(program, winners=1)
    leaving, next_one = referrers(program, 2, 1)
    pass_months(stack)
    program.api.delete(program.id, leaving)

    close(stack)

    assert final(program, month) == [(1, 1, next_one)]
    assert wins(program, reward) == [(month, next_one)]


def test_who_leaves_between_the_snapshot_and_the_reward_wins_nothing_and_nobody_moves_up(
    program: Program,
) -> None:
    stack, month = program.stack, this_month(program.stack)
    reward = monthly(program, winners=2)
    leaving, second, third = referrers(program, 3, 2, 1)
    pass_months(stack)
    with stack.hold(SETTLE):
        close(stack)
        messages = stack.take_records(SETTLE)
    until_stored(stack, messages, keys.month_snapshot(program.id, month))

    program.api.delete(program.id, leaving)
    stack.deliver(SETTLE, messages)

    assert final(program, month) == [(2, 2, second), (3, 1, third)]
    assert wins(program, reward) == [(month, second)]
    page = answer_of(program, month, limit=1).json()
    assert (page["participants"], page["nextId"]) == ([], second)
    from_leaving = answer_of(program, month, limit=2, nextId=leaving).json()
    assert [row["id"] for row in from_leaving["participants"]] == [second]


def until_stored(stack: Stack, messages: list[Json], key: keys.Key) -> None:
    """Settling dies at the first call after which the item is there."""
    calls = 0
    while key not in table_of(stack):
        with stack.kill_after(calls, SETTLE):
            stack.functions.invoke(SETTLE, stack._consumers[SETTLE].event(messages))
        calls += 1


# Reading


def test_a_page_shows_people_as_they_are_now_with_the_places_that_they_had(
    program: Program,
) -> None:
    stack, month = program.stack, this_month(program.stack)
    first, second, third = referrers(program, 3, 2, 1)
    pass_months(stack)
    close(stack)
    credit(program, third, 9)
    program.api.update(program.id, first, firstName="Ada")

    page = answer_of(program, month, limit=2).json()
    rest = answer_of(program, month, limit=2, nextId=page["nextId"]).json()

    assert (page["month"], page["limit"], page["nextId"]) == (name_of(month), 2, third)
    assert [row["id"] for row in page["participants"]] == [first, second]
    assert page["participants"][0]["firstName"] == "Ada"
    assert rest["nextId"] is None
    [row] = rest["participants"]
    assert (row["finalRank"], row["finalReferralCount"]) == (3, 1)
    assert (row["rank"], row["monthlyReferralCount"], row["referralCount"]) == (1, 9, 10)
    assert row.keys() == program.api.read(program.id, third).keys() | {
        "finalRank",
        "finalReferralCount",
    }
    assert answer_of(program, month, nextId="nobody").json()["participants"] == []


NOT_MONTHS = (
    "2026",
    "2026-13",
    "2026-00",
    "0000-01",
    "26-01",
    "2026-1",
    "2026-01-01",
    "-2026-01",
    "now",
    "%00",
    "2026-01%0A",
    "%EF%BC%92026-01",
    "9" * 300,
)


def test_what_is_not_a_month_is_refused(program: Program) -> None:
    for named in NOT_MONTHS:
        refused = refusal(program.api.call("GET", f"{program.path}/leaderboard/{named}"), 400)
        assert refused["errors"][0]["param"] == "month"


def test_a_month_that_is_not_over_or_never_was_is_not_found(program: Program) -> None:
    month = this_month(program.stack)

    for other in (month, month + 1, month - 1, 12, 9999 * 12 + 11):
        refusal(answer_of(program, other), 404)


def test_the_months_of_one_campaign_are_not_those_of_another(program: Program) -> None:
    other = begin(program.stack, program.api)
    month = this_month(program.stack)
    reward, others_reward = monthly(program), monthly(other)
    [mine], [theirs] = referrers(program, 1), referrers(other, 5)
    pass_months(program.stack)

    assert close(program.stack) == 2

    assert final(program, month) == [(1, 1, mine)]
    assert final(other, month) == [(1, 5, theirs)]
    assert answer_of(program, month, nextId=theirs).json()["participants"] == []
    assert wins(program, reward) == [(month, mine)]
    assert wins(other, others_reward) == [(month, theirs)]
