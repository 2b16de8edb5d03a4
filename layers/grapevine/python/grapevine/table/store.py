"""The table's few primitives: get, query a page, put one item, and write in one transaction.

A transaction that loses raises `TransactionCanceled` with the keys whose condition failed; nothing
was written then.
DynamoDB makes each transaction idempotent for the client's own retries by a request token.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from typing import Any

from botocore.exceptions import ClientError

from grapevine import runtime
from grapevine.table.attributes import Item, marshal, unmarshal
from grapevine.table.keys import Key
from grapevine.table.writes import (
    Add,
    Condition,
    Write,
    addition,
    conditioned,
    key_attributes,
    transact_item,
)

_GET_LIMIT = 100
_BATCH_LIMIT = 25
_CONFLICTS = frozenset(
    {
        "TransactionConflict",
        "ThrottlingError",
        "ProvisionedThroughputExceeded",
        "RequestLimitExceeded",
    }
)


class TransactionCanceled(Exception):
    """Nothing was written. `failed` holds the keys whose condition did not hold; it is empty
    when the transaction only met another one on the same items."""

    def __init__(self, failed: frozenset[Key]) -> None:
        super().__init__("transaction canceled")
        self.failed = failed


def get(key: Key) -> Item | None:
    """The item as it is now (strongly consistent)."""
    response = runtime.dynamodb().get_item(
        TableName=runtime.settings().table_name,
        Key=marshal(key_attributes(key)),
        ConsistentRead=True,
    )
    return unmarshal(response["Item"]) if "Item" in response else None


def get_many(keys: Iterable[Key]) -> dict[Key, Item]:
    """Those of the items that exist, strongly consistent each, in calls of a hundred."""
    wanted = list(dict.fromkeys(keys))
    found: dict[Key, Item] = {}
    for start in range(0, len(wanted), _GET_LIMIT):
        found.update(_get_batch(wanted[start : start + _GET_LIMIT]))
    return found


def _get_batch(keys: Sequence[Key]) -> dict[Key, Item]:
    table = runtime.settings().table_name
    found: dict[Key, Item] = {}
    pending: Any = {
        table: {
            "Keys": [marshal(key_attributes(key)) for key in keys],
            "ConsistentRead": True,
        }
    }
    while pending:
        response = runtime.dynamodb().batch_get_item(RequestItems=pending)
        for raw in response["Responses"].get(table, []):
            item = unmarshal(raw)
            found[Key(item["partition"], item["sort"])] = item
        pending = response.get("UnprocessedKeys")
    return found


@dataclass(frozen=True, slots=True)
class Index:
    """An index of the table and the names of its two key attributes."""

    name: str
    partition: str
    sort: str


def query(
    index: Index | None,
    partition: str,
    *,
    limit: int | None = None,
    descending: bool = False,
    prefix: str | None = None,
    between: tuple[str, str] | tuple[int, int] | None = None,
    at_most: int | str | None = None,
) -> list[Item]:
    """The first `limit` items (all, without one) of a partition of the table or of an index.

    `prefix` keeps the sort keys that begin with it, `between` those from the one to the other,
    `at_most` the ones up to it; at most one of them is given. A range that ends before it begins,
    as a forged cursor may make one, holds nothing: DynamoDB would refuse it. The table and its
    local indexes are read consistently; a global index shows a write a moment later.
    """
    first: Any
    last: Any
    if between is not None:
        first, last = between
        if first > last:
            return []
    partition_name, sort_name = (index.partition, index.sort) if index else ("partition", "sort")
    condition, values = "#p = :p", dict[str, Any]({":p": partition})
    if prefix is not None:
        condition, values[":s"] = "#p = :p AND begins_with(#s, :s)", prefix
    if between is not None:
        condition, (values[":s"], values[":t"]) = "#p = :p AND #s BETWEEN :s AND :t", between
    if at_most is not None:
        condition, values[":s"] = "#p = :p AND #s <= :s", at_most
    names = {"#p": partition_name} | ({"#s": sort_name} if "#s" in condition else {})
    request: dict[str, Any] = {
        "TableName": runtime.settings().table_name,
        "KeyConditionExpression": condition,
        "ExpressionAttributeNames": names,
        "ExpressionAttributeValues": marshal(values),
        "ScanIndexForward": not descending,
        "ConsistentRead": partition_name == "partition",
    }
    if index:
        request["IndexName"] = index.name
    items: list[Item] = []
    while True:
        if limit is not None:
            request["Limit"] = limit - len(items)
        response = runtime.dynamodb().query(**request)
        items.extend(unmarshal(raw) for raw in response["Items"])
        last = response.get("LastEvaluatedKey")
        if last is None or (limit is not None and len(items) >= limit):
            return items
        request["ExclusiveStartKey"] = last


def transact(writes: Sequence[Write]) -> None:
    """All of the writes or none.

    Raises:
        TransactionCanceled: a condition did not hold or another transaction was in the way.
    """
    table = runtime.settings().table_name
    try:
        runtime.dynamodb().transact_write_items(
            TransactItems=[transact_item(table, write) for write in writes]
        )
    except ClientError as error:
        code = error.response["Error"]["Code"]
        if code in {"TransactionInProgressException", "TransactionConflictException"}:
            raise TransactionCanceled(frozenset()) from None
        if code != "TransactionCanceledException":
            raise
        reasons = [reason.get("Code", "None") for reason in error.response["CancellationReasons"]]
        failed = frozenset(
            write.key
            for write, reason in zip(writes, reasons, strict=True)
            if reason == "ConditionalCheckFailed"
        )
        if not failed and not _CONFLICTS.intersection(reasons):
            raise
        raise TransactionCanceled(failed) from None


def put(item: Item, condition: Condition) -> bool:
    """Writes one item by itself, at half of what it costs in a transaction. False, and nothing
    written, when the condition does not hold.

    Raises:
        TransactionCanceled: a transaction was in the way; nothing was written.
    """
    write = runtime.dynamodb().put_item
    return _alone(partial(write, Item=marshal(item), **conditioned(condition))) is not None


def remove(keys: Sequence[Key]) -> None:
    """Deletes items, whatever they hold and whether or not they are there."""
    _write_batches([{"DeleteRequest": {"Key": marshal(key_attributes(key))}} for key in keys])


def put_all(items: Iterable[Item]) -> None:
    """Writes items, each by itself, whatever is there."""
    _write_batches([{"PutRequest": {"Item": marshal(item)}} for item in items])


def _write_batches(requests: Sequence[Any]) -> None:
    table = runtime.settings().table_name
    for start in range(0, len(requests), _BATCH_LIMIT):
        pending: Any = {table: requests[start : start + _BATCH_LIMIT]}
        while pending:
            pending = (
                runtime.dynamodb().batch_write_item(RequestItems=pending).get("UnprocessedItems")
            )


def increment(key: Key, type_name: str, attribute: str) -> int:
    """Adds one and gives the new value; the item is created where there is none.

    Not idempotent: a retry may skip a number, never repeat one.
    """
    response = runtime.dynamodb().update_item(
        TableName=runtime.settings().table_name,
        ReturnValues="UPDATED_NEW",
        **addition(Add(key, type_name, {attribute: 1})),
    )
    return int(unmarshal(response["Attributes"])[attribute])


def postpone(key: Key, *, seen_due_at: int, until: int) -> Item | None:
    """Moves an item's due time, if it is still the one that was seen: the claim of a sweep. The
    item after it, or None."""
    values = {":until": until, ":seen": seen_due_at}
    try:
        return change(key, "SET dueAt = :until", values, "dueAt = :seen")
    except TransactionCanceled:
        return None


def change(key: Key, expression: str, values: Mapping[str, Any], condition: str) -> Item | None:
    """The item after an update of it alone; None when the condition does not hold.

    Not idempotent: an `ADD` whose answer is lost on the way is made again by the client.

    Raises:
        TransactionCanceled: a transaction was in the way; nothing was written.
    """
    response = _alone(
        partial(
            runtime.dynamodb().update_item,
            Key=marshal(key_attributes(key)),
            UpdateExpression=expression,
            ConditionExpression=condition,
            ExpressionAttributeValues=marshal(values),
            ReturnValues="ALL_NEW",
        )
    )
    return unmarshal(response["Attributes"]) if response else None


def _alone(write: Callable[..., Any]) -> Any:
    """The answer to a conditional write of one item; None when its condition does not hold."""
    try:
        return write(TableName=runtime.settings().table_name)
    except ClientError as error:
        match error.response["Error"]["Code"]:
            case "ConditionalCheckFailedException":
                return None
            case "TransactionConflictException":
                raise TransactionCanceled(frozenset()) from None
        raise
