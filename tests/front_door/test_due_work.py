"""What happens by time alone: delayed credits, and credit windows that end."""

from __future__ import annotations

import json
from collections.abc import Iterator
from datetime import UTC, datetime

import pytest

from grapevine.engine.due import LEASE_MS
from grapevine.months import month_at, start_of
from grapevine.table import keys
from grapevine.table.keys import Key
from local.stack import Stack
from tests import invariants
from tests.api import Api, Json
from tests.scenarios import DAY_MS, HOUR_MS, MINUTE_MS, friends_of, leap

SWEEP, SETTLE = "SweepDueFunction", "SettleDueFunction"


class Program:
    """A live campaign with a referrer and friends whose credits are pending."""

    def __init__(
        self, stack: Stack, api: Api, *, friends: int = 1, window: int | None = None
    ) -> None:
        self.stack, self.api = stack, api
        self.id = api.campaign(options={"referralCreditWindowDays": window} if window else None)
        self.referrer = api.add(self.id)["id"]
        self.friends = friends_of(stack, self.id, self.referrer, friends)

    @property
    def friend(self) -> str:
        return self.friends[0]

    def status(self, friend: str | None = None) -> str:
        status: str = self.api.read(self.id, friend or self.friend)["referralStatus"]
        return status

    def stored(self, friend: str | None = None) -> Json:
        """The referral as it is in the table."""
        key = keys.referral(self.id, self.referrer, friend or self.friend)
        return invariants.table_of(self.stack)[key]

    def counts(self) -> tuple[int, int, int]:
        """Of the referrer: in all, this month, last month."""
        shown = self.api.read(self.id, self.referrer)
        return (
            shown["referralCount"],
            shown["monthlyReferralCount"],
            shown["prevMonthlyReferralCount"],
        )

    def set_window(self, days: int | None) -> None:
        self.api.ok("PATCH", f"/v2/campaign/{self.id}/options", {"referralCreditWindowDays": days})

    def pass_time(self, milliseconds: int) -> None:
        """Nothing runs on the way, and then all that is due gets done."""
        leap(self.stack, self.stack.now_ms() + milliseconds)
        self.stack.drain()


@pytest.fixture
def api(fresh_stack: Stack) -> Iterator[Api]:
    """A client; after the test the table is checked."""
    with Api(fresh_stack.url, fresh_stack.api_key) as client:
        yield client
    fresh_stack.drain()
    invariants.check(fresh_stack)


def test_a_delayed_credit_is_given_within_a_minute_of_its_time(
    fresh_stack: Stack, api: Api
) -> None:
    program = Program(fresh_stack, api)
    api.trigger(program.id, program.friend, delayInDays=1)

    fresh_stack.advance(DAY_MS - MINUTE_MS)

    assert (program.status(), program.counts()) == ("CREDIT_PENDING", (0, 0, 0))
    fresh_stack.advance(2 * MINUTE_MS)
    assert (program.status(), program.counts()) == ("CREDIT_AWARDED", (1, 1, 0))


def test_a_delayed_credit_counts_in_the_month_in_which_it_is_given(
    fresh_stack: Stack, api: Api
) -> None:
    leap(fresh_stack, start_of(month_at(fresh_stack.now_ms()) + 1) - 2 * HOUR_MS)
    program = Program(fresh_stack, api)
    api.trigger(program.id, program.friend, delayInDays=1)

    program.pass_time(DAY_MS + MINUTE_MS)

    assert program.counts() == (1, 1, 0)
    assert datetime.fromtimestamp(fresh_stack.now_ms() / 1000, UTC).day == 1


def test_the_end_of_a_credit_window_is_read_at_once_and_written_by_the_sweep(
    fresh_stack: Stack, api: Api
) -> None:
    program = Program(fresh_stack, api, window=1)

    leap(fresh_stack, fresh_stack.now_ms() + DAY_MS)

    assert program.status() == "CREDIT_EXPIRED"
    assert program.stored()["status"] == "CREDIT_PENDING"
    fresh_stack.drain()
    assert program.status() == "CREDIT_EXPIRED"
    assert program.stored()["status"] == "CREDIT_EXPIRED"
    assert not api.trigger(program.id, program.friend)["success"]


def test_a_window_made_longer_meanwhile_ends_later(fresh_stack: Stack, api: Api) -> None:
    program = Program(fresh_stack, api, window=1)
    program.set_window(3)

    program.pass_time(DAY_MS + HOUR_MS)

    assert program.stored()["status"] == "CREDIT_PENDING"
    program.pass_time(2 * DAY_MS)
    assert program.stored()["status"] == "CREDIT_EXPIRED"


def test_a_window_made_shorter_meanwhile_ends_earlier(fresh_stack: Stack, api: Api) -> None:
    program = Program(fresh_stack, api, window=3)
    program.set_window(1)

    program.pass_time(DAY_MS)

    assert program.status() == "CREDIT_EXPIRED"
    assert program.counts() == (0, 0, 0)
    program.pass_time(2 * DAY_MS)
    assert program.stored()["status"] == "CREDIT_EXPIRED"


def test_a_window_removed_meanwhile_never_ends(fresh_stack: Stack, api: Api) -> None:
    program = Program(fresh_stack, api, window=1)
    program.set_window(None)

    program.pass_time(DAY_MS + HOUR_MS)

    assert program.status() == "CREDIT_PENDING"
    assert "dueAt" not in program.stored()
    assert api.trigger(program.id, program.friend)["success"]


def test_a_window_introduced_meanwhile_ends_for_those_who_are_there(
    fresh_stack: Stack, api: Api
) -> None:
    program = Program(fresh_stack, api)
    program.set_window(1)

    program.pass_time(DAY_MS)

    assert program.status() == "CREDIT_EXPIRED"
    api.trigger(program.id, program.friend)
    assert program.counts() == (0, 0, 0)


def test_a_credit_set_back_to_pending_has_a_whole_window_again(
    fresh_stack: Stack, api: Api
) -> None:
    program = Program(fresh_stack, api, window=1)
    program.pass_time(DAY_MS + HOUR_MS)
    assert program.status() == "CREDIT_EXPIRED"

    api.update(program.id, program.friend, referralStatus="CREDIT_PENDING")

    program.pass_time(DAY_MS - HOUR_MS)
    assert program.status() == "CREDIT_PENDING"
    program.pass_time(HOUR_MS)
    assert program.stored()["status"] == "CREDIT_EXPIRED"


def test_a_delayed_credit_is_given_although_its_window_ended(fresh_stack: Stack, api: Api) -> None:
    program = Program(fresh_stack, api, window=1)
    api.trigger(program.id, program.friend, delayInDays=2)

    program.pass_time(DAY_MS + HOUR_MS)

    assert program.status() == "CREDIT_PENDING"
    program.pass_time(DAY_MS)
    assert program.status() == "CREDIT_AWARDED"


def test_a_campaign_that_ended_meanwhile_gives_no_delayed_credit(
    fresh_stack: Stack, api: Api
) -> None:
    program = Program(fresh_stack, api)
    api.trigger(program.id, program.friend, delayInDays=1)
    api.set_status(program.id, "COMPLETE")

    program.pass_time(DAY_MS + HOUR_MS)

    assert (program.status(), program.counts()) == ("CREDIT_PENDING", (0, 0, 0))
    api.set_status(program.id, "IN_PROGRESS")
    assert not api.cancel_trigger(program.id, program.friend)["success"]
    assert api.trigger(program.id, program.friend)["success"]


def test_a_delayed_credit_that_was_taken_back_is_never_given(fresh_stack: Stack, api: Api) -> None:
    program = Program(fresh_stack, api)
    api.trigger(program.id, program.friend, delayInDays=1)
    assert api.cancel_trigger(program.id, program.friend)["success"]

    program.pass_time(DAY_MS + HOUR_MS)

    assert (program.status(), program.counts()) == ("CREDIT_PENDING", (0, 0, 0))
    assert "dueAt" not in program.stored()


def test_taking_a_delay_back_brings_the_credit_window_back(fresh_stack: Stack, api: Api) -> None:
    program = Program(fresh_stack, api, window=1)
    api.trigger(program.id, program.friend, delayInDays=2)
    api.cancel_trigger(program.id, program.friend)

    program.pass_time(DAY_MS)

    assert program.stored()["status"] == "CREDIT_EXPIRED"


@pytest.mark.parametrize(("first", "then"), [(1, 3), (3, 1)])
def test_a_date_that_was_moved_is_the_only_one(
    fresh_stack: Stack, api: Api, first: int, then: int
) -> None:
    program = Program(fresh_stack, api)
    api.trigger(program.id, program.friend, delayInDays=first)
    api.trigger(program.id, program.friend, delayInDays=then)

    program.pass_time(then * DAY_MS - HOUR_MS)

    assert program.status() == "CREDIT_PENDING"
    program.pass_time(HOUR_MS)
    assert program.counts() == (1, 1, 0)


def test_a_second_sweep_before_the_work_is_done_hands_out_nothing(
    fresh_stack: Stack, api: Api
) -> None:
    program = Program(fresh_stack, api)
    api.trigger(program.id, program.friend, delayInDays=1)
    leap(fresh_stack, fresh_stack.now_ms() + DAY_MS)

    assert fresh_stack.invoke(SWEEP, {}) == {"sent": 1}

    assert fresh_stack.invoke(SWEEP, {}) == {"sent": 0}
    assert len(fresh_stack.queue_messages("DueQueue")) == 1
    fresh_stack.drain()
    assert program.counts() == (1, 1, 0)


def test_a_message_delivered_twice_gives_one_credit(fresh_stack: Stack, api: Api) -> None:
    program = Program(fresh_stack, api)
    api.trigger(program.id, program.friend, delayInDays=1)
    program.pass_time(DAY_MS)

    assert fresh_stack.redeliver(SETTLE) == {"batchItemFailures": []}

    assert program.counts() == (1, 1, 0)


def test_work_whose_message_got_lost_is_handed_out_again(fresh_stack: Stack, api: Api) -> None:
    program = Program(fresh_stack, api)
    api.trigger(program.id, program.friend, delayInDays=1)
    leap(fresh_stack, fresh_stack.now_ms() + DAY_MS)
    fresh_stack.invoke(SWEEP, {})
    [lost] = fresh_stack.queues.receive("DueQueue", 1)
    assert lost.receipt is not None
    fresh_stack.queues.delete("DueQueue", lost.receipt)

    fresh_stack.drain()

    assert program.status() == "CREDIT_PENDING"
    program.pass_time(LEASE_MS + MINUTE_MS)
    assert program.counts() == (1, 1, 0)


def _poisoned(stack: Stack, due_at: int) -> Key:
    """Something in the due index that no code can handle."""
    key = Key("poison", "poison")
    stack.dynamodb.put_item(
        TableName=stack.table_name,
        Item={
            "partition": {"S": key.partition},
            "sort": {"S": key.sort},
            "type": {"S": "Poison"},
            "dueShard": {"S": keys.due_shard(0)},
            "dueAt": {"N": str(due_at)},
        },
    )
    return key


def test_work_that_always_fails_is_given_up_and_holds_nobody_up(
    fresh_stack: Stack, api: Api
) -> None:
    program = Program(fresh_stack, api, friends=12)
    for friend in program.friends:
        api.trigger(program.id, friend, delayInDays=1)
    poison = _poisoned(fresh_stack, fresh_stack.now_ms() + DAY_MS // 2)

    program.pass_time(DAY_MS + MINUTE_MS)

    assert program.counts() == (12, 12, 0)
    assert fresh_stack.queue_messages("DueDeadLetterQueue") == []
    fresh_stack.advance(18 * MINUTE_MS)
    [message] = fresh_stack.queue_messages("DueDeadLetterQueue")
    assert json.loads(message.body) == poison._asdict()
    assert fresh_stack.queue_messages("DueQueue") == []


@pytest.mark.both_engines
def test_a_hundred_credits_that_fall_due_together_are_given_in_one_sweep(
    fresh_stack: Stack, api: Api, monkeypatch: pytest.MonkeyPatch
) -> None:
    # So few at a time that the sweep has to go round several times.
    monkeypatch.setattr("grapevine.engine.due._PER_SHARD", 5)
    program = Program(fresh_stack, api)
    others = [Program(fresh_stack, api, friends=20, window=1) for _ in range(5)]
    api.trigger(program.id, program.friend, delayInDays=1)
    leap(fresh_stack, fresh_stack.now_ms() + DAY_MS)

    assert fresh_stack.invoke(SWEEP, {}) == {"sent": 101}
    fresh_stack.drain()

    assert program.counts() == (1, 1, 0)
    stored = invariants.table_of(fresh_stack).values()
    statuses = [item["status"] for item in stored if item["type"] == "Referral"]
    assert sorted(statuses) == ["CREDIT_AWARDED", *["CREDIT_EXPIRED"] * 20 * len(others)]
    assert not invariants.waiting(fresh_stack)
