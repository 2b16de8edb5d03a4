"""The relay, the deliverer and the sweep die after each single call, and what they are given comes
twice, in pieces or not at all: each transition is one event all the same, and it arrives."""

from __future__ import annotations

import itertools
from collections import Counter
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from typing import Any

import pytest

from grapevine.engine.due import LEASE_MS
from grapevine.engine.webhooks.dispatch import FIRST_ATTEMPT_BY_MS
from local import invocation
from local.stack import Stack
from tests.api import Api, Json
from tests.conftest import TEMPLATE
from tests.hooks import ADDED, DELIVER, PARAMETERS, RELAY, SWEEP, Hooks
from tests.mailing import FROM
from tests.scenarios import DAY_MS, MINUTE_MS, Interruption, leap

GOAL, ENDED = "PARTICIPANT_REACHED_A_GOAL", "CAMPAIGN_ENDED"


@pytest.fixture(scope="module")
def stack_with_hooks(engine: str) -> Iterator[tuple[Stack, Api]]:
    with (
        Stack(TEMPLATE, engine=engine, parameters=PARAMETERS) as stack,
        Api(stack.url, stack.api_key) as api,
    ):
        yield stack, api


@pytest.fixture
def campaign(stack_with_hooks: tuple[Stack, Api]) -> Callable[[], Hooks]:
    """A campaign with two webhooks that want everything."""

    def new() -> Hooks:
        hooks = Hooks(*stack_with_hooks)
        for name in ("one", "two"):
            hooks.create(hooks.inbox(name), events=[ADDED, GOAL, ENDED], secret=f"of {name}")
        return hooks

    return new


def told(hooks: Hooks, inbox: str) -> list[tuple[str, str]]:
    """The ids and bodies that came, each as often as it did."""
    return [(each["headers"]["webhook-id"], each["body"]) for each in hooks.received(inbox)]


def names(hooks: Hooks, inbox: str) -> Counter[str]:
    """How many different events came of each kind."""
    return Counter(_name(body) for _, body in dict(told(hooks, inbox)).items())


def _name(body: str) -> str:
    return body.split('"')[3]


def assert_once(hooks: Hooks, **expected: int) -> None:
    """Exactly these events came to both inboxes, under the same ids, each once."""
    for inbox in ("one", "two"):
        came = told(hooks, inbox)
        assert len(came) == len({event_id for event_id, _ in came})
        assert names(hooks, inbox) == expected
    assert sorted(told(hooks, "one")) == sorted(told(hooks, "two"))


def somebody_joins(hooks: Hooks) -> None:
    hooks.api.add(hooks.campaign_id)
    hooks.api.add(hooks.campaign_id)


def a_friend_is_credited(hooks: Hooks) -> None:
    path = f"/v2/campaign/{hooks.campaign_id}/reward-configs"
    hooks.api.ok("POST", path, {"type": "SINGLE_SIDED", "title": "Mug", "isUnlimited": True})
    referrer = hooks.api.add(hooks.campaign_id)["id"]
    hooks.api.add(hooks.campaign_id, referredBy=referrer, referralStatus="CREDIT_AWARDED")


def the_campaign_ends(hooks: Hooks) -> None:
    hooks.api.add(hooks.campaign_id)
    hooks.api.set_status(hooks.campaign_id, "COMPLETE")


HAPPENINGS = {
    "somebody joins": (somebody_joins, {ADDED: 2}),
    "a friend is credited": (a_friend_is_credited, {ADDED: 2, GOAL: 1}),
    "the campaign ends": (the_campaign_ends, {ADDED: 1, ENDED: 1}),
}


@pytest.mark.timeout(300)
@pytest.mark.parametrize("name", HAPPENINGS)
def test_a_relay_that_dies_anywhere_makes_each_event_once(
    campaign: Callable[[], Hooks], name: str
) -> None:
    happen, expected = HAPPENINGS[name]
    campaigns = []

    for calls in itertools.count():
        hooks = campaign()
        with hooks.stack.kill_after(calls, RELAY) as order:
            happen(hooks)
            hooks.stack.drain()
        campaigns.append(hooks)
        if not order.happened:
            break
    hooks.stack.advance(3 * MINUTE_MS)

    assert len(campaigns) > 6, "the relay made hardly a call"
    for hooks in campaigns:
        assert_once(hooks, **expected)
    assert hooks.stack.queue_messages("StreamFailureQueue") == []


@pytest.mark.parametrize("failing", ["mail.relay", "post.queue", "activities.record"])
def test_news_of_another_kind_that_cannot_be_told_holds_up_no_event(
    campaign: Callable[[], Hooks], monkeypatch: pytest.MonkeyPatch, failing: str
) -> None:
    hooks = campaign()
    sender = {"sender": {"fromEmail": FROM}}
    path = f"/v2/campaign/{hooks.campaign_id}"
    hooks.api.ok("PATCH", f"{path}/emails", {"settings": sender})
    added = hooks.api.add(hooks.campaign_id)
    [record] = hooks.stack.take_records(RELAY)

    def fail(*_: Any) -> None:
        raise OSError("out of reach")

    with monkeypatch.context() as broken:
        broken.setattr(f"grapevine.engine.relaying.{failing}", fail)
        failed = hooks.stack.deliver(RELAY, [record])
        hooks.stack.drain()
        came, mails = told(hooks, "one"), hooks.stack.mail.sent(added["email"])
    answers = [hooks.stack.deliver(RELAY, [record]) for _ in range(2)]
    hooks.stack.drain()

    assert failed["batchItemFailures"] != []
    assert not any(answer["batchItemFailures"] for answer in answers)
    assert len(mails) == (failing == "activities.record")
    assert len(came) == 1
    assert_once(hooks, **{ADDED: 1})
    assert len(hooks.stack.mail.sent(added["email"])) == 1
    log = hooks.api.ok("GET", f"{path}/participant/{added['id']}/activity-logs")["activityLogs"]
    assert [line["type"] for line in log].count("COMMON") == 1


def test_batches_that_come_twice_and_in_pieces_make_each_event_once(
    campaign: Callable[[], Hooks],
) -> None:
    hooks = campaign()
    with hooks.stack.hold(RELAY):
        for happen, _ in HAPPENINGS.values():
            happen(hooks)
        hooks.stack.drain()
        records = hooks.stack.take_records(RELAY)
    assert len(records) == 8

    middle = len(records) // 2
    batches = [records[middle:], records, records[:middle], *([each] for each in records), records]
    with hooks.stack.hold(DELIVER):
        for batch in batches:
            assert hooks.stack.deliver(RELAY, batch) == {"batchItemFailures": []}
    hooks.stack.drain()

    assert_once(hooks, **{ADDED: 5, GOAL: 1, ENDED: 1})


@pytest.mark.both_engines
def test_a_batch_that_is_relayed_twice_at_the_same_time_makes_each_event_once(
    campaign: Callable[[], Hooks],
) -> None:
    hooks = campaign()
    with hooks.stack.hold(RELAY):
        for _ in range(4):
            hooks.api.add(hooks.campaign_id)
        records = hooks.stack.take_records(RELAY)

    with ThreadPoolExecutor(4) as pool:
        for answer in pool.map(lambda _: hooks.stack.deliver(RELAY, records), range(4)):
            assert answer == {"batchItemFailures": []}
    hooks.stack.drain()

    assert_once(hooks, **{ADDED: 4})


def test_a_deliverer_that_dies_anywhere_delivers_in_the_end(campaign: Callable[[], Hooks]) -> None:
    campaigns = []

    for calls in itertools.count():
        hooks = campaign()
        hooks.api.add(hooks.campaign_id)
        with hooks.stack.kill_after(calls, DELIVER) as order:
            hooks.stack.drain()
        campaigns.append(hooks)
        if not order.happened:
            break
    hooks.stack.advance(LEASE_MS)

    assert len(campaigns) > 4
    for hooks in campaigns:
        assert_once(hooks, **{ADDED: 1})
    assert hooks.stack.queue_messages("WebhookDeadLetterQueue") == []


def test_only_dying_between_the_attempt_and_its_record_repeats_it_with_the_same_bytes(
    campaign: Callable[[], Hooks],
) -> None:
    hooks = campaign()
    hooks.api.add(hooks.campaign_id)

    with dying_before_the_record(hooks.stack):
        hooks.stack.drain()
    assert len(told(hooks, "one") + told(hooks, "two")) == 2
    hooks.stack.advance(LEASE_MS)

    came = {inbox: told(hooks, inbox) for inbox in ("one", "two")}
    assert sorted(map(len, came.values())) == [1, 2]
    assert len({each for inbox in came.values() for each in inbox}) == 1
    for webhook in ("primary", "second"):
        assert [each["status"] for each in hooks.deliveries(webhook)] == ["DELIVERED"]


@contextmanager
def dying_before_the_record(stack: Stack) -> Iterator[None]:
    """The process of one delivery dies after the endpoint's answer, before it is written down."""
    sent = Interruption()

    def look(params: Any, **_: Any) -> None:
        running = invocation.current()
        if running and running.function_id == DELIVER and b"DELIVERED" in params["body"]:
            first, sent.happened = not sent.happened, True
            if first:
                raise invocation.Killed

    events = stack._clients["dynamodb"].meta.events
    events.register("before-call.dynamodb.TransactWriteItems", look)
    try:
        yield
    finally:
        events.unregister("before-call.dynamodb.TransactWriteItems", look)
    assert sent.happened


def test_a_failure_that_dies_between_record_and_queue_is_swept_up(
    campaign: Callable[[], Hooks],
) -> None:
    """The next attempt is in the due index even if no message for it is sent."""
    campaigns = []

    for calls in itertools.count(3):
        hooks = campaign()
        hooks.respond("one", status=500)
        hooks.respond("two", status=500)
        hooks.api.add(hooks.campaign_id)
        with hooks.stack.kill_after(calls, DELIVER) as order:
            hooks.stack.drain()
        campaigns.append(hooks)
        if not order.happened:
            break
    hooks.stack.advance(LEASE_MS)

    for hooks in campaigns:
        for inbox in ("one", "two"):
            assert len(set(told(hooks, inbox))) == 1
            assert len(told(hooks, inbox)) in (2, 3)
        assert {each["status"] for each in hooks.deliveries("primary")} == {"DELIVERED"}
        assert {each["status"] for each in hooks.deliveries("second")} == {"DELIVERED"}


def test_messages_that_come_twice_are_attempted_once(campaign: Callable[[], Hooks]) -> None:
    hooks = campaign()
    with hooks.stack.hold(DELIVER):
        somebody_joins(hooks)
        hooks.stack.drain()
        records = hooks.stack.take_records(DELIVER)
    assert len(records) == 4

    for batch in (records, records[2:], records[:1], records):
        assert hooks.stack.deliver(DELIVER, batch) == {"batchItemFailures": []}

    assert_once(hooks, **{ADDED: 2})


@pytest.mark.both_engines
def test_a_message_that_comes_to_two_containers_at_once_is_attempted_once(
    campaign: Callable[[], Hooks],
) -> None:
    hooks = campaign()
    hooks.respond("one", status=200, delayMs=500)
    with hooks.stack.hold(DELIVER):
        hooks.happen()
        records = hooks.stack.take_records(DELIVER)

    with ThreadPoolExecutor(6) as pool:
        list(pool.map(lambda _: hooks.stack.deliver(DELIVER, records), range(6)))

    assert_once(hooks, **{ADDED: 1})


def test_a_message_that_comes_again_after_a_failure_does_not_hurry_the_next_attempt(
    campaign: Callable[[], Hooks],
) -> None:
    hooks = campaign()
    hooks.respond("one", status=500, times=100)
    with hooks.stack.hold(DELIVER):
        hooks.happen()
        records = hooks.stack.take_records(DELIVER)

    for _ in range(5):
        hooks.stack.deliver(DELIVER, records)

    assert len(hooks.received("one")) == 1


def lose_messages(hooks: Hooks) -> list[Json]:
    """Everything in the webhook queue is gone; what was lost."""
    with hooks.stack.hold(DELIVER):
        hooks.stack.drain()
        return hooks.stack.take_records(DELIVER)


def test_first_attempts_whose_messages_were_lost_are_swept_up(
    campaign: Callable[[], Hooks],
) -> None:
    hooks = campaign()
    somebody_joins(hooks)
    assert len(lose_messages(hooks)) == 4

    hooks.stack.advance(4 * MINUTE_MS)

    assert_once(hooks, **{ADDED: 2})


def test_all_later_attempts_are_swept_up_when_every_message_is_lost(
    campaign: Callable[[], Hooks],
) -> None:
    hooks = campaign()
    hooks.respond("one", status=500, times=3)
    hooks.respond("two", status=500, times=3)
    hooks.happen()

    for _ in range(60):
        hooks.stack.queues.receive("WebhookQueue", 100, visibility_timeout_s=10**9)
        hooks.stack.advance(MINUTE_MS)

    for inbox in ("one", "two"):
        assert len(told(hooks, inbox)) == 4
        assert len(set(told(hooks, inbox))) == 1


@pytest.mark.timeout(300)
def test_a_sweep_that_dies_anywhere_loses_and_doubles_nothing(
    campaign: Callable[[], Hooks],
) -> None:
    campaigns = []

    for calls in itertools.count():
        hooks = campaign()
        somebody_joins(hooks)
        assert len(lose_messages(hooks)) == 4
        leap(hooks.stack, hooks.stack.now_ms() + FIRST_ATTEMPT_BY_MS + MINUTE_MS)
        with hooks.stack.kill_after(calls, SWEEP) as order:
            hooks.stack.drain()
        campaigns.append(hooks)
        if not order.happened:
            break
        hooks.stack.advance(LEASE_MS + 2 * MINUTE_MS)

    assert len(campaigns) > 10, "the sweep made hardly a call"
    for hooks in campaigns:
        assert_once(hooks, **{ADDED: 2})


def test_a_sweep_finds_what_fell_due_while_nothing_swept(campaign: Callable[[], Hooks]) -> None:
    hooks = campaign()
    hooks.respond("one", status=500, times=2)
    hooks.respond("two", status=410)
    hooks.happen()

    with hooks.stack.hold(DELIVER):
        hooks.stack.advance(DAY_MS)
    hooks.stack.advance(DAY_MS)

    assert len(told(hooks, "one")) == 3
    assert len(told(hooks, "two")) == 1
    assert [each["status"] for each in hooks.deliveries("primary")] == ["DELIVERED"]
