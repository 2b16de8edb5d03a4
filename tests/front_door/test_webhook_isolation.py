"""What is wrong with one endpoint, one delivery or one record stays with it."""

from __future__ import annotations

import json
import socket
import time
from collections.abc import Iterator
from contextlib import ExitStack
from typing import Any

import pytest

from grapevine import runtime
from grapevine.engine.webhooks.schedule import MOST_ATTEMPTS
from local.stack import Stack
from tests.api import Api
from tests.conftest import TEMPLATE
from tests.hooks import ADDED, DELIVER, PARAMETERS, RELAY, Hooks, use_sender
from tests.scenarios import DAY_MS, MINUTE_MS
from tests.webhooks.conftest import Receiver, serving

DEADLINE_S = 3.0
"""Enough for an attempt at a healthy endpoint that fifty others starve of a processor."""


@pytest.fixture
def hooks(engine: str) -> Iterator[Hooks]:
    with (
        Stack(TEMPLATE, engine=engine, parameters=PARAMETERS) as stack,
        Api(stack.url, stack.api_key) as api,
    ):
        yield Hooks(stack, api)


@pytest.fixture
def silent() -> Iterator[Receiver]:
    """Takes connections and does nothing with them."""
    with ExitStack() as started:
        yield started.enter_context(serving(hang))


def hang(_peer: socket.socket, receiver: Receiver) -> None:
    receiver.closing.wait()


def test_an_endpoint_that_hangs_delays_nobody_beyond_its_own_deadline(
    hooks: Hooks, silent: Receiver
) -> None:
    """A hundred of its deliveries stand in the queue before those of the others."""
    use_sender(hooks.stack, deadline_seconds=DEADLINE_S)
    hooks.create(f"http://127.0.0.1:{silent.port}/")
    hooks.create(hooks.inbox("up"))
    other = Hooks(hooks.stack, hooks.api)
    other.create(other.inbox("up"))
    with hooks.stack.hold(DELIVER):
        for _ in range(100):
            hooks.api.add(hooks.campaign_id)
        other.api.add(other.campaign_id)
        hooks.stack.drain()

    began = hooks.stack.now_ms()
    started = time.monotonic()
    hooks.stack.drain()
    took = time.monotonic() - started

    came, came_elsewhere = first_arrivals(hooks), first_arrivals(other)
    last = max([*came.values(), *came_elsewhere.values()])
    assert len(came) == 100
    assert len(came_elsewhere) == 1
    assert last - began < took * 1000 - DEADLINE_S * 1000 / 2
    assert silent.connections >= 100


def first_arrivals(hooks: Hooks) -> dict[str, int]:
    """When each event came first, by its id. On a machine that is busy enough, the healthy endpoint
    answers after the deadline, too, and what it has taken comes again."""
    came: dict[str, int] = {}
    for each in hooks.received("up"):
        came.setdefault(each["headers"]["webhook-id"], each["receivedAt"])
    return came


def test_what_is_answered_too_late_comes_again_under_the_same_id(hooks: Hooks) -> None:
    use_sender(hooks.stack, deadline_seconds=0.3)
    webhook = hooks.create(hooks.inbox("up"))
    hooks.respond("up", delayMs=500)

    hooks.happen()
    hooks.stack.advance(MINUTE_MS)

    assert len(hooks.received("up")) == 2
    assert len(first_arrivals(hooks)) == 1
    assert [each["outcome"] for each in hooks.attempts(webhook)] == ["failed", "delivered"]


def test_an_endpoint_that_always_fails_changes_nothing_for_others(hooks: Hooks) -> None:
    bad, good = hooks.create(hooks.inbox("bad")), hooks.create(hooks.inbox("good"))
    hooks.respond("bad", status=500, times=1000)

    for _ in range(20):
        hooks.api.add(hooks.campaign_id)
    hooks.stack.drain()

    assert len(hooks.received("good")) == 20
    assert {each["status"] for each in hooks.deliveries(good)} == {"DELIVERED"}
    assert hooks.shown(good)["failureCount"] == 0
    assert hooks.shown(bad)["failureCount"] == 20


def test_a_failure_of_theirs_never_goes_to_the_dead_letter_queue(
    hooks: Hooks, silent: Receiver
) -> None:
    use_sender(hooks.stack, deadline_seconds=0.1)
    hooks.create(f"http://127.0.0.1:{silent.port}/")
    hooks.create(hooks.inbox("bad"))
    hooks.create("http://127.0.0.1:9/")
    hooks.respond("bad", status=500, times=1000)

    hooks.happen()
    hooks.stack.advance(4 * DAY_MS)

    for webhook in ("primary", "second", "third"):
        assert hooks.delivery(webhook)["status"] == "FAILED"
        assert len(hooks.attempts(webhook)) == MOST_ATTEMPTS
    assert hooks.stack.queue_messages("WebhookDeadLetterQueue") == []


def test_a_failure_of_ours_goes_to_the_dead_letter_queue_and_holds_up_nobody(hooks: Hooks) -> None:
    """A delivery without the id of its event: no code of ours can have written it."""
    webhook = hooks.create(hooks.inbox("up"))
    with hooks.stack.hold(DELIVER):
        hooks.happen()
        hooks.happen()
        broken = hooks.item(webhook, hooks.deliveries(webhook)[1]["id"])
        hooks.stack.dynamodb.update_item(
            TableName=hooks.stack.table_name,
            Key={"partition": {"S": broken.key.partition}, "sort": {"S": broken.key.sort}},
            UpdateExpression="REMOVE eventId",
        )

    hooks.stack.drain()
    assert len(hooks.received("up")) == 1
    hooks.stack.advance(17 * MINUTE_MS)

    (letter,) = hooks.stack.queue_messages("WebhookDeadLetterQueue")
    assert json.loads(letter.body) == broken.key._asdict()
    assert letter.receive_count == 5
    assert len(hooks.received("up")) == 1


def test_a_kms_that_fails_is_a_failure_of_ours_and_the_event_comes_when_it_is_back(
    hooks: Hooks,
) -> None:
    hooks.create(hooks.inbox("up"), secret="secret")
    kms = hooks.stack._clients["kms"]

    def fail(**_: object) -> None:
        raise ConnectionError

    kms.meta.events.register_first("before-call.kms.Decrypt", fail)
    hooks.happen()
    hooks.stack.advance(4 * MINUTE_MS)
    assert hooks.received("up") == []
    kms.meta.events.unregister("before-call.kms.Decrypt", fail)
    hooks.stack.advance(4 * MINUTE_MS)

    assert len(hooks.received("up")) == 1
    assert hooks.shown("primary")["failureCount"] == 0
    assert hooks.stack.queue_messages("WebhookDeadLetterQueue") == []


def test_a_health_that_cannot_be_written_repeats_no_attempt(hooks: Hooks) -> None:
    webhook = hooks.create(hooks.inbox("bad"))
    hooks.respond("bad", status=410)
    events = hooks.stack._clients["dynamodb"].meta.events

    def fail(params: Any, **_: object) -> None:
        if b"failureCount" in params["body"]:
            raise ConnectionError

    events.register_first("before-call.dynamodb.UpdateItem", fail)
    hooks.happen()
    hooks.stack.advance(17 * MINUTE_MS)
    events.unregister("before-call.dynamodb.UpdateItem", fail)

    assert len(hooks.received("bad")) == 1
    assert hooks.delivery(webhook)["status"] == "FAILED"
    assert hooks.stack.queue_messages("WebhookDeadLetterQueue") == []


def test_a_poison_record_lands_in_the_failure_queue_and_blocks_nothing(hooks: Hooks) -> None:
    hooks.create(hooks.inbox("up"))
    with hooks.stack.hold(RELAY):
        before = [hooks.api.add(hooks.campaign_id)["id"] for _ in range(3)]
        hooks.stack.dynamodb.put_item(
            TableName=hooks.stack.table_name,
            Item={"partition": {"S": "X"}, "sort": {"S": "X"}, "type": {"S": "Profile"}},
        )
        after = [hooks.api.add(hooks.campaign_id)["id"] for _ in range(3)]

    hooks.stack.drain()

    told = [json.loads(each["body"])["data"]["id"] for each in hooks.received("up")]
    assert sorted(told) == sorted(before + after)
    letters = [
        each
        for each in hooks.stack.queue_messages("StreamFailureQueue")
        if "RelayChanges" in each.body
    ]
    (letter,) = letters
    assert json.loads(letter.body)["DDBStreamBatchInfo"]["batchSize"] == 1


def test_a_campaign_that_cannot_be_told_of_does_not_keep_others_from_it(hooks: Hooks) -> None:
    """Its own item is broken, so the relay fails for this campaign, again and again."""
    hooks.create(hooks.inbox("up"))
    other = Hooks(hooks.stack, hooks.api)
    other.create(other.inbox("up"))
    with hooks.stack.hold(RELAY):
        hooks.api.add(hooks.campaign_id)
        other.api.add(other.campaign_id)
        hooks.api.add(hooks.campaign_id)
        other.api.add(other.campaign_id)
        break_campaign(hooks)

    hooks.stack.drain()

    assert hooks.received("up") == []
    assert len(other.received("up")) == 2
    assert len({each["headers"]["webhook-id"] for each in other.received("up")}) == 2


def break_campaign(hooks: Hooks) -> None:
    with runtime.using(hooks.stack.runtime()):
        hooks.stack.dynamodb.update_item(
            TableName=hooks.stack.table_name,
            Key={
                "partition": {"S": f"CAMPAIGN#{hooks.campaign_id}"},
                "sort": {"S": "CAMPAIGN"},
            },
            UpdateExpression="REMOVE accountId",
        )


def test_subscriptions_are_kept(hooks: Hooks) -> None:
    """A webhook without events, one for others, and a disabled one are told nothing."""
    hooks.create(hooks.inbox("none"), events=[])
    hooks.create(hooks.inbox("others"), events=["CAMPAIGN_ENDED"])
    hooks.create(hooks.inbox("disabled"), events=[ADDED], isEnabled=False)

    hooks.happen()

    for name in ("none", "others", "disabled"):
        assert hooks.received(name) == []
