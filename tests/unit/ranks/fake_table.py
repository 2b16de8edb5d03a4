"""A table in memory that shows a test every call before and after it is carried out."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from botocore.exceptions import ClientError

from grapevine.table.writes import Condition

Item = dict[str, Any]

ANYWAY = Condition("attribute_not_exists(#partition) OR attribute_exists(#partition)")
"""A condition that always holds: what is left of one that somebody has removed."""


class FakeTable:
    """As much of a DynamoDB client as the rank index uses. `happening` is called twice per call: it
    may raise, which is a crash, or call the table itself, which is somebody else being faster.
    `reads` has the number of keys of each BatchGetItem; `stored` is shown each item that is put."""

    def __init__(self) -> None:
        self.items: dict[tuple[str, str], Item] = {}
        self.happening: Callable[[], None] = lambda: None
        self.stored: Callable[[Item], None] = lambda _: None
        self.reads: list[int] = []

    def batch_get_item(self, *, RequestItems: Item) -> Item:  # noqa: N803
        self.happening()
        [(table, request)] = RequestItems.items()
        assert request["ConsistentRead"]
        assert len(request["Keys"]) <= 100
        self.reads.append(len(request["Keys"]))
        found = [self.items[_key(key)] for key in request["Keys"] if _key(key) in self.items]
        self.happening()
        return {"Responses": {table: found}}

    def put_item(self, *, Item: Item, ConditionExpression: str, **request: Any) -> None:  # noqa: N803
        self.happening()
        before = self.items.get(_key(Item))
        if ConditionExpression == ANYWAY.expression:
            holds = True
        elif ConditionExpression == "attribute_not_exists(#partition)":
            holds = before is None
        else:
            assert ConditionExpression == "#version = :version"
            expected = request["ExpressionAttributeValues"][":version"]
            holds = before is not None and before["version"] == expected
        if not holds:
            error = {"Error": {"Code": "ConditionalCheckFailedException"}}
            raise ClientError(error, "PutItem")  # type: ignore[arg-type]
        self.items[_key(Item)] = Item
        self.stored(Item)
        self.happening()


def _key(attributes: Item) -> tuple[str, str]:
    return attributes["partition"]["S"], attributes["sort"]["S"]
