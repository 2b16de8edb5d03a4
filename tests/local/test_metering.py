from __future__ import annotations

import json
from typing import Any

import pytest

from local.metering import ReportedMeter, Write
from local.stack import Stack
from tests.local.conftest import Http
from tests.local.test_capacity import SHAPE, item

pytestmark = pytest.mark.both_engines


def key(name: str) -> dict[str, Any]:
    return {"group": {"S": "g"}, "name": {"S": name}}


def cost(http_: Http, *calls: tuple[str, dict[str, Any]]) -> tuple[str, str, str]:
    """Calls, read units and write units of one request that makes these calls."""
    status, headers, _ = http_.full(
        "POST", "/write", json.dumps(calls), [("Content-Type", "application/json")]
    )
    assert status == 200
    found = dict(headers)
    return (
        found["X-Local-Calls"],
        found["X-Local-Read-Units"],
        found["X-Local-Write-Units"],
    )


def test_reads_are_counted_even_when_they_find_nothing(http_: Http) -> None:
    get = {"TableName": "$TABLE", "Key": key("none")}
    many = {"RequestItems": {"$TABLE": {"Keys": [key("none"), key("nobody")]}}}
    query = {
        "TableName": "$TABLE",
        "IndexName": "places",
        "KeyConditionExpression": "board = :board",
        "ExpressionAttributeValues": {":board": {"S": "b"}},
    }

    assert cost(http_, ("get_item", get)) == ("1", "0.5", "0")
    assert cost(http_, ("get_item", {**get, "ConsistentRead": True})) == ("1", "1", "0")
    assert cost(http_, ("batch_get_item", many)) == ("1", "1", "0")
    assert cost(http_, ("query", query)) == ("1", "0.5", "0")


def test_writes_are_counted_with_their_index_entries(http_: Http) -> None:
    plain = {"TableName": "$TABLE", "Item": key("a")}
    indexed = {**plain, "Item": {**key("b"), "board": {"S": "b"}, "place": {"N": "1"}}}
    transaction = {
        "TransactItems": [{"Put": {"TableName": "$TABLE", "Item": key(n)}} for n in "cd"]
    }

    assert cost(http_, ("put_item", plain), ("put_item", indexed)) == ("2", "0", "3")
    assert cost(http_, ("transact_write_items", transaction)) == ("1", "0", "4")


def test_a_refused_write_is_paid_for(http_: Http) -> None:
    absent = {"ConditionExpression": "attribute_exists(board)"}
    put = {"TableName": "$TABLE", "Item": key("a"), **absent}

    assert cost(http_, ("put_item", put)) == ("1", "0", "1")
    assert cost(http_, ("transact_write_items", {"TransactItems": [{"Put": put}]})) == (
        "1",
        "0",
        "2",
    )


def test_calls_are_recorded_as_iam_would_check_them(http_: Http, sample: Stack) -> None:
    table = sample.declared.tables["Table"].arn
    change = {
        "TableName": "$TABLE",
        "Key": key("a"),
        "UpdateExpression": "SET x = :x",
        "ExpressionAttributeValues": {":x": {"S": "x"}},
    }
    check = {"TableName": "$TABLE", "Key": key("b"), "ConditionExpression": "attribute_exists(x)"}
    cost(
        http_,
        (
            "transact_write_items",
            {"TransactItems": [{"Update": change}, {"ConditionCheck": check}]},
        ),
        (
            "query",
            {
                "TableName": "$TABLE",
                "IndexName": "places",
                "KeyConditionExpression": "board = :board",
                "ExpressionAttributeValues": {":board": {"S": "b"}},
            },
        ),
    )

    assert sample.calls["WriteFunction"] == {
        ("dynamodb:UpdateItem", table),
        ("dynamodb:ConditionCheckItem", table),
        ("dynamodb:Query", f"{table}/index/places"),
    }


def test_queue_calls_are_recorded_without_being_called_batches(sample: Stack) -> None:
    sample.drain()

    seen_queue = sample.declared.queues["SeenQueue"].arn
    assert sample.calls["TickFunction"] == {("sqs:SendMessage", seen_queue)}


@pytest.mark.parametrize(
    ("operation", "parameters", "answer", "units"),
    [
        (
            "BatchGetItem",
            {"RequestItems": {"t": {"Keys": [1, 2, 3]}}},
            {"Responses": {"t": [1]}, "ConsumedCapacity": [{"CapacityUnits": 0.5}]},
            1.5,
        ),
        (
            "BatchGetItem",
            {"RequestItems": {"t": {"Keys": [1, 2], "ConsistentRead": True}}},
            {"Responses": {}, "ConsumedCapacity": []},
            2,
        ),
        ("Query", {}, {"ConsumedCapacity": {"CapacityUnits": 0.0}}, 0.5),
        ("Query", {"ConsistentRead": True}, {"ConsumedCapacity": {"CapacityUnits": 0.0}}, 1),
        ("GetItem", {}, {"ConsumedCapacity": {"CapacityUnits": 3.5}}, 3.5),
    ],
)
def test_what_dynamodb_local_reports_for_reads_is_corrected(
    operation: str, parameters: dict[str, Any], answer: dict[str, Any], units: float
) -> None:
    meter = ReportedMeter({}, lambda _: [])

    assert meter.cost(operation, parameters, answer, []).read_units == units


def test_a_transactions_cost_is_computed_and_not_taken_from_dynamodb_local() -> None:
    images = {"1": [None, item(place=1)]}
    meter = ReportedMeter({"t": SHAPE}, lambda writes: [images["1"].pop(0) for _ in writes])
    put = {"TransactItems": [{"Put": {"TableName": "t", "Item": item(place=1)}}]}

    before = meter.before("TransactWriteItems", put)
    cost = meter.cost(
        "TransactWriteItems", put, {"ConsumedCapacity": [{"CapacityUnits": 12.0}]}, before
    )

    assert Write("t", {"pk": {"S": "1"}}).table == "t"
    assert cost.write_units == 3
