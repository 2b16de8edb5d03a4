from __future__ import annotations

from typing import Any

import pytest

from local import aws
from local.stack import Stack
from tests.local.conftest import put, seen

pytestmark = pytest.mark.both_engines


@pytest.fixture
def outside(sample: Stack) -> Any:
    """A client as another process has it: it knows the endpoint's URL and nothing else."""
    return aws.client("dynamodb", f"{sample.url}/_local/dynamodb")


def test_a_client_from_outside_works_on_the_stacks_table(outside: Any, sample: Stack) -> None:
    put(sample, "a")
    [table] = outside.list_tables()["TableNames"]

    found = outside.get_item(TableName=table, Key={"group": {"S": "g"}, "name": {"S": "a"}})

    assert found["Item"]["type"] == {"S": "Fact"}


def test_what_is_written_from_outside_reaches_the_stream(outside: Any, sample: Stack) -> None:
    item = {"group": {"S": "g"}, "name": {"S": "b"}, "type": {"S": "Fact"}, "raw": {"B": b"\xff"}}

    outside.put_item(TableName=sample.table_name, Item=item)
    sample.drain()

    assert seen(sample) == ["b"]


def test_errors_keep_their_type(outside: Any, sample: Stack) -> None:
    refused = {
        "TableName": sample.table_name,
        "Item": {"group": {"S": "g"}, "name": {"S": "c"}},
        "ConditionExpression": "attribute_exists(board)",
    }

    with pytest.raises(outside.exceptions.ConditionalCheckFailedException):
        outside.put_item(**refused)
    with pytest.raises(outside.exceptions.TransactionCanceledException) as cancelled:
        outside.transact_write_items(TransactItems=[{"Put": refused}])

    assert cancelled.value.response["CancellationReasons"][0]["Code"] == "ConditionalCheckFailed"
