from __future__ import annotations

import pytest

from local.stack import InvocationFailed, Stack
from tests.local.conftest import MINUTE, fired, lost, put, seen

pytestmark = pytest.mark.both_engines


def test_records_arrive_in_order_in_batches_of_the_declared_size(sample: Stack) -> None:
    put(sample, *"abcdef")

    drained = sample.drain()

    assert seen(sample) == list("abcdef")
    # The audit function reads the same stream on its own.
    assert drained["streamRecords"] == 12


def test_only_records_that_match_the_filter_are_delivered(sample: Stack) -> None:
    put(sample, "a")
    put(sample, "b", type="Other")

    sample.drain()

    assert seen(sample) == ["a"]


def test_a_write_that_changes_nothing_makes_no_record(sample: Stack) -> None:
    put(sample, "a")
    put(sample, "a")

    sample.drain()

    assert seen(sample) == ["a"]


def test_an_upsert_by_update_makes_one_record(sample: Stack) -> None:
    sample.dynamodb.update_item(
        TableName=sample.table_name,
        Key={"group": {"S": "g"}, "name": {"S": "a"}},
        UpdateExpression="SET #type = :fact",
        ExpressionAttributeNames={"#type": "type"},
        ExpressionAttributeValues={":fact": {"S": "Fact"}},
    )

    sample.drain()

    assert seen(sample) == ["a"]


def test_a_refused_transaction_leaves_neither_items_nor_records(sample: Stack) -> None:
    key = {"group": {"S": "g"}, "name": {"S": "a"}}
    update = {
        "TableName": sample.table_name,
        "Key": key,
        "UpdateExpression": "SET flag = :yes",
        "ExpressionAttributeValues": {":yes": {"S": "yes"}},
    }
    missing = {
        "TableName": sample.table_name,
        "Key": {"group": {"S": "g"}, "name": {"S": "none"}},
        "ConditionExpression": "attribute_exists(flag)",
    }
    put(sample, "a")
    sample.drain()

    with pytest.raises(sample.dynamodb.exceptions.TransactionCanceledException):
        sample.dynamodb.transact_write_items(
            TransactItems=[{"Update": update}, {"ConditionCheck": missing}]
        )
    sample.drain()

    assert seen(sample) == ["a"]
    item = sample.dynamodb.get_item(TableName=sample.table_name, Key=key)["Item"]
    assert "flag" not in item


def test_records_before_the_reported_one_are_done_with(sample: Stack) -> None:
    put(sample, "a", "b")
    put(sample, "poison", do="report")
    put(sample, "c")

    sample.drain()

    assert seen(sample) == ["a", "b", "c"]
    [message] = lost(sample)
    assert message["DDBStreamBatchInfo"]["batchSize"] == 1


def test_a_batch_that_raises_is_halved_until_the_poison_stands_alone(sample: Stack) -> None:
    put(sample, "a", "b")
    put(sample, "poison", do="raise")
    put(sample, "c", "d", "e")

    sample.drain()

    # Halves are delivered again, so what stood before the poison may be seen twice.
    assert set(seen(sample)) == set("abcde")
    assert seen(sample)[-3:] == ["c", "d", "e"]
    [message] = lost(sample)
    assert message["DDBStreamBatchInfo"]["batchSize"] == 1
    assert message["requestContext"]["condition"] == "RetryAttemptsExhausted"
    assert message["requestContext"]["approximateInvokeCount"] == 3
    assert message["responseContext"]["functionError"] == "Unhandled"


def test_who_reports_the_first_record_of_a_batch_loses_the_whole_batch(sample: Stack) -> None:
    put(sample, "poison", do="report only")
    put(sample, "a", "b")

    sample.drain()

    assert seen(sample) == []
    [message] = lost(sample)
    assert message["DDBStreamBatchInfo"]["batchSize"] == 3


def test_an_answer_that_names_no_record_fails_the_whole_batch(sample: Stack) -> None:
    put(sample, "a")
    put(sample, "poison", do="misreport")

    sample.drain()

    assert seen(sample) == ["a", "a"]
    assert len(lost(sample)) == 1


def test_records_that_are_too_old_are_given_up_unseen(sample: Stack) -> None:
    records = sample.take_records("ProjectFunction")
    put(sample, "old")
    with sample.hold("ProjectFunction"):
        sample.advance(11 * MINUTE)

    put(sample, "new")
    sample.drain()

    assert records == []
    assert seen(sample) == ["new"]
    [message] = lost(sample)
    assert message["requestContext"]["condition"] == "RecordAgeExceeded"


def test_a_batch_can_be_delivered_twice(sample: Stack) -> None:
    put(sample, "a", "b")
    sample.drain()

    sample.redeliver("ProjectFunction")

    assert seen(sample) == ["a", "b", "a", "b"]


def test_a_batch_can_be_cut_into_single_records(sample: Stack) -> None:
    put(sample, *"abc")

    with sample.batches_of("ProjectFunction", 1):
        sample.drain()

    assert seen(sample) == ["a", "b", "c"]
    sample.redeliver("ProjectFunction")
    assert seen(sample)[-1:] == ["c"]


def test_records_can_be_taken_and_delivered_in_another_order(sample: Stack) -> None:
    put(sample, *"abc")

    records = sample.take_records("ProjectFunction")
    sample.deliver("ProjectFunction", records[::-1])
    sample.drain()

    assert seen(sample) == ["c", "b", "a"]


def test_a_made_up_record_that_fails_raises_in_the_test(sample: Stack) -> None:
    with pytest.raises(InvocationFailed, match="KeyError"):
        sample.deliver("ProjectFunction", [{"dynamodb": {}}])


def test_lambda_sees_the_stream_under_the_name_that_the_template_gives_it(sample: Stack) -> None:
    put(sample, "a")

    [record] = sample.take_records("ProjectFunction")

    assert record["eventName"] == "INSERT"
    assert record["awsRegion"] == "us-east-1"
    assert isinstance(record["dynamodb"]["ApproximateCreationDateTime"], int)
    assert fired(sample, "aws.events") == []
