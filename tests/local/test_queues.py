from __future__ import annotations

import json
import threading
from dataclasses import replace
from typing import Any

import pytest

from local import sqs_api
from local.functions import Outcome
from local.invocation import Invocation
from local.queue_consumer import QueueConsumer
from local.stack import Stack
from tests.local.conftest import MINUTE, seen


def send(stack: Stack, **body: Any) -> None:
    stack.queues.send("WorkQueue", json.dumps(body))


def test_messages_are_delivered_and_deleted(sample: Stack) -> None:
    send(sample, name="a")
    send(sample, name="b")

    drained = sample.drain()

    assert drained["queueMessages"] == 2
    assert seen(sample) == ["a", "b"]
    assert sample.queue_messages("WorkQueue") == []


def test_only_the_reported_message_comes_back_after_its_visibility_timeout(sample: Stack) -> None:
    send(sample, name="a")
    send(sample, name="b", fail=1)

    sample.drain()
    before = seen(sample)
    sample.advance(MINUTE - 5_000)
    still = seen(sample)
    sample.advance(10_000)

    assert (before, still, seen(sample)) == (["a"], ["a"], ["a", "b"])


def test_a_handler_that_raises_gets_the_whole_batch_again(sample: Stack) -> None:
    send(sample, name="a", **{"raise": True})
    send(sample, name="b")

    sample.drain()

    assert seen(sample) == []
    assert len(sample.queue_messages("WorkQueue")) == 2


def test_a_message_that_keeps_failing_goes_to_the_dead_letter_queue(sample: Stack) -> None:
    send(sample, name="a", fail=99)

    sample.advance(10 * MINUTE)

    [message] = sample.queue_messages("DeadLetterQueue")
    assert json.loads(message.body)["name"] == "a"
    assert message.receive_count == 3
    assert sample.queue_messages("WorkQueue") == []


def test_a_delayed_message_waits_for_the_stacks_clock(sample: Stack) -> None:
    sample.queues.send("WorkQueue", json.dumps({"name": "late"}), delay_s=300)

    sample.drain()
    early = seen(sample)
    sample.advance(5 * MINUTE)

    assert (early, seen(sample)) == ([], ["late"])


def test_the_sqs_client_of_handlers_speaks_to_the_same_queues(sample: Stack) -> None:
    client = sqs_api.client(sample.queues)
    url = client.get_queue_url(QueueName=sample.queues.declaration("WorkQueue").name)["QueueUrl"]

    entries = [{"Id": str(n), "MessageBody": f"m{n}"} for n in range(3)]
    sent = client.send_message_batch(QueueUrl=url, Entries=entries)
    received = client.receive_message(QueueUrl=url, MaxNumberOfMessages=10)["Messages"]
    client.change_message_visibility(
        QueueUrl=url, ReceiptHandle=received[0]["ReceiptHandle"], VisibilityTimeout=0
    )
    again = client.receive_message(QueueUrl=url, MaxNumberOfMessages=10)["Messages"]
    client.delete_message(QueueUrl=url, ReceiptHandle=again[0]["ReceiptHandle"])

    assert [each["Id"] for each in sent["Successful"]] == ["0", "1", "2"]
    assert [each["Body"] for each in again] == ["m0"]
    assert [each.body for each in sample.queue_messages("WorkQueue")] == ["m1", "m2"]


@pytest.mark.parametrize(
    ("request_", "code"),
    [
        ({"MessageBody": "x", "DelaySeconds": 901}, "InvalidParameterValue"),
        ({"MessageBody": "x" * 1_048_577}, "InvalidParameterValue"),
    ],
)
def test_what_sqs_refuses_is_refused(sample: Stack, request_: dict[str, Any], code: str) -> None:
    client = sqs_api.client(sample.queues)
    url = sample.queues.declaration("WorkQueue").url

    with pytest.raises(client.exceptions.ClientError) as refused:
        client.send_message(QueueUrl=url, **request_)

    assert refused.value.response["Error"]["Code"] == code


def test_an_unknown_queue_does_not_exist(sample: Stack) -> None:
    client = sqs_api.client(sample.queues)

    with pytest.raises(client.exceptions.QueueDoesNotExist):
        client.send_message(QueueUrl="https://sqs.us-east-1.amazonaws.com/1/no", MessageBody="x")


def test_a_message_of_a_group_with_many_under_way_waits_for_others(sample: Stack) -> None:
    for body, group in (("a1", "a"), ("a2", "a"), ("a3", "a"), ("b1", "b"), ("c", None)):
        sample.queues.send("WorkQueue", body, group=group)

    first = sample.queues.receive("WorkQueue", 1)
    others = sample.queues.receive("WorkQueue", 10)

    assert [each.body for each in first + others] == ["a1", "b1", "c", "a2", "a3"]


def test_batches_go_side_by_side_up_to_the_concurrency_of_the_mapping(sample: Stack) -> None:
    (mapping,) = sample.declared.queue_mappings
    together, running, most = threading.Barrier(3), threading.Semaphore(3), []

    def invoke(function_id: str, event: Any) -> Outcome:
        assert running.acquire(blocking=False), "more than three at once"
        together.wait(timeout=10)
        most.append(len(event["Records"]))
        running.release()
        return Outcome("request", Invocation(function_id))

    for number in range(6):
        send(sample, name=str(number))
    three = replace(mapping, max_concurrency=3, batch_size=1)
    progress = QueueConsumer(three, sample.queues, invoke).step()

    assert (progress.records, most) == (6, [1] * 6)
    assert sample.queue_messages("WorkQueue") == []


def test_a_mapping_that_says_nothing_of_concurrency_goes_one_by_one(sample: Stack) -> None:
    (mapping,) = sample.declared.queue_mappings

    assert mapping.max_concurrency == 1
