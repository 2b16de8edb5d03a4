"""Writes and their conditions, and what DynamoDB takes for them.

Conditions come in the only kinds that the engine needs: the item must not exist (`ABSENT`), must
exist (`PRESENT`), or must still have the version that was read (`version(n)`).
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from grapevine.table.attributes import Item, marshal
from grapevine.table.keys import Key


@dataclass(frozen=True, slots=True)
class Condition:
    expression: str
    values: tuple[tuple[str, Any], ...] = ()


ABSENT = Condition("attribute_not_exists(#partition)")
PRESENT = Condition("attribute_exists(#partition)")


def version(number: int) -> Condition:
    return Condition("#version = :version", ((":version", number),))


@dataclass(frozen=True, slots=True)
class Put:
    item: Item
    condition: Condition

    @property
    def key(self) -> Key:
        return Key(self.item["partition"], self.item["sort"])


@dataclass(frozen=True, slots=True)
class Delete:
    key: Key
    condition: Condition


@dataclass(frozen=True, slots=True)
class Add:
    """Adds to number attributes, creating the item with `type` where there is none."""

    key: Key
    type: str
    amounts: Mapping[str, int]


@dataclass(frozen=True, slots=True)
class Check:
    """Writes nothing, but the condition must hold for the others to be written."""

    key: Key
    condition: Condition


Write = Put | Delete | Add | Check


def transact_item(table: str, write: Write) -> Any:
    match write:
        case Put(item=item, condition=condition):
            return {"Put": {"TableName": table, "Item": marshal(item), **conditioned(condition)}}
        case Delete(key=key, condition=condition):
            where = marshal(key_attributes(key))
            return {"Delete": {"TableName": table, "Key": where, **conditioned(condition)}}
        case Check(key=key, condition=condition):
            where = marshal(key_attributes(key))
            return {"ConditionCheck": {"TableName": table, "Key": where, **conditioned(condition)}}
        case Add():
            return {"Update": {"TableName": table, **addition(write)}}


def addition(add: Add) -> Any:
    names = {f"#a{index}": name for index, name in enumerate(add.amounts)}
    values = {f":a{index}": amount for index, amount in enumerate(add.amounts.values())}
    additions = ", ".join(f"#a{index} :a{index}" for index in range(len(names)))
    return {
        "Key": marshal(key_attributes(add.key)),
        "UpdateExpression": f"SET #type = :type ADD {additions}",
        "ExpressionAttributeNames": {"#type": "type", **names},
        "ExpressionAttributeValues": marshal({":type": add.type, **values}),
    }


def conditioned(condition: Condition) -> dict[str, Any]:
    name = "#version" if condition.values else "#partition"
    clause: dict[str, Any] = {
        "ConditionExpression": condition.expression,
        "ExpressionAttributeNames": {name: name[1:]},
    }
    if condition.values:
        clause["ExpressionAttributeValues"] = marshal(dict(condition.values))
    return clause


def key_attributes(key: Key) -> Item:
    return {"partition": key.partition, "sort": key.sort}
