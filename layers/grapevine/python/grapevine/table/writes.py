"""Writes and their conditions, and what DynamoDB takes for them.

Conditions come in the only kinds that the engine needs: the item must not exist (`ABSENT`), must
exist (`PRESENT`), or must still have the version that was read (`version(n)`). What the totals
contain of an item must also be of the same count (`counted_in(n, m)`). A player's entry on a board
is known by since when its points are what they are (`reached_at(ms)`). A suppression is only lifted
or replaced for the reason that it was read with (`suppressed_for(reason)`), or while it is the wish
of whom it was (`wished_by(hash)`). What has expired is replaced as it was read (`expiring_at(s)`).
Counts that many add to have no version: for them there is what must be left (`left_and_still`
and its neighbours).
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from grapevine.table.attributes import Item, marshal
from grapevine.table.keys import Key

MOST_WRITES = 100
"""That DynamoDB takes in one transaction."""

_NAME = re.compile(r"[A-Za-z]+")


@dataclass(frozen=True, slots=True)
class Condition:
    """`#name` in the expression stands for the attribute of that name."""

    expression: str
    values: tuple[tuple[str, Any], ...] = ()


ABSENT = Condition("attribute_not_exists(#partition)")
PRESENT = Condition("attribute_exists(#partition)")


def version(number: int) -> Condition:
    return Condition("#version = :version", ((":version", number),))


def suppressed_for(reason: str) -> Condition:
    """An address that is still suppressed for this reason."""
    return Condition("#reason = :reason", ((":reason", reason),))


def wished_by(participant_hash: str) -> Condition:
    """An address that is still suppressed because this participant unsubscribed."""
    return Condition("#wishOf = :wish", ((":wish", participant_hash),))


def expiring_at(seconds: int) -> Condition:
    """An item that still ends when it did."""
    return Condition("#expiresAt = :expiresAt", ((":expiresAt", seconds),))


def reached_at(time: int) -> Condition:
    """A player's entry on a board that still has the points that it had since then (ms)."""
    return Condition("#reachedAt = :reachedAt", ((":reachedAt", time),))


def counted_in(generation: int, number: int) -> Condition:
    """The version, and the generation in which it was counted."""
    values = ((":version", number), (":generation", generation))
    return Condition("#version = :version AND #generation = :generation", values)


def version_and_secret(number: int, secret_number: int) -> Condition:
    values = ((":version", number), (":secret", secret_number))
    return Condition("#version = :version AND #secretNumber = :secret", values)


def left_and_still(count: str, limit: str, attribute: str, value: int) -> Condition:
    """The count is below another attribute, and a third one has still this value."""
    return Condition(f"#{count} < #{limit} AND #{attribute} = :value", ((":value", value),))


def absent_or_below(count: str, limit: int) -> Condition:
    return Condition(f"attribute_not_exists(#{count}) OR #{count} < :limit", ((":limit", limit),))


def still_and_within(
    first: tuple[str, int], second: tuple[str, int], count: str, limit: int
) -> Condition:
    """Two attributes have still these values, and the count is not beyond the limit."""
    return Condition(
        f"#{first[0]} = :first AND #{second[0]} = :second AND #{count} <= :limit",
        ((":first", first[1]), (":second", second[1]), (":limit", limit)),
    )


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
    """Adds to number attributes; without a condition, the item is created with `type` where there
    is none."""

    key: Key
    type: str
    amounts: Mapping[str, int]
    condition: Condition | None = None


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
    clause = conditioned(add.condition) if add.condition else {}
    return {
        **clause,
        "Key": marshal(key_attributes(add.key)),
        "UpdateExpression": f"SET #type = :type ADD {additions}",
        "ExpressionAttributeNames": {
            "#type": "type",
            **names,
            **clause.get("ExpressionAttributeNames", {}),
        },
        "ExpressionAttributeValues": {
            **marshal({":type": add.type, **values}),
            **clause.get("ExpressionAttributeValues", {}),
        },
    }


def conditioned(condition: Condition) -> dict[str, Any]:
    names = {
        name for part in condition.expression.split("#")[1:] for name in _NAME.findall(part)[:1]
    }
    clause: dict[str, Any] = {
        "ConditionExpression": condition.expression,
        "ExpressionAttributeNames": {f"#{name}": name for name in names},
    }
    if condition.values:
        clause["ExpressionAttributeValues"] = marshal(dict(condition.values))
    return clause


def key_attributes(key: Key) -> Item:
    return {"partition": key.partition, "sort": key.sort}
