"""What each call to DynamoDB cost in request units: as reported and corrected, or estimated.

DynamoDB Local reports three things that AWS would not: nothing for a missing key in BatchGetItem
and nothing for a Query that finds nothing (AWS takes the least unit for both), and a wrong figure
for TransactWriteItems (AWS takes two units per item and kilobyte, one for each index write).
Moto reports constants, so its figures are computed here from the sizes of the items.

Two figures are estimates on both engines. Refused writes are charged with the size of what was
there, because no engine reports them; what a Query reads and then filters out is not seen on moto.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Any, NamedTuple, Protocol

from local.capacity import IndexShape, Item, TableShape, item_size, read_units, write_blocks

Parameters = Mapping[str, Any]
Answer = Mapping[str, Any]
Images = list[Item | None]

READS = frozenset({"GetItem", "BatchGetItem", "TransactGetItems", "Query", "Scan"})
WRITES = frozenset({"PutItem", "UpdateItem", "DeleteItem", "BatchWriteItem", "TransactWriteItems"})


class Cost(NamedTuple):
    read_units: float = 0.0
    write_units: float = 0.0


class Write(NamedTuple):
    """One item that a call writes, or checks on the way."""

    table: str
    key: Item


Peek = Callable[[Sequence[Write]], Images]
"""Reads items past the meter; None for each that is not there."""


class Meter(Protocol):
    """`before` is what to remember until the call's answer is there."""

    def before(self, operation: str, parameters: Parameters) -> Images: ...

    def cost(
        self, operation: str, parameters: Parameters, answer: Answer, before: Images
    ) -> Cost: ...


class _Writes:
    """The arithmetic of writes, from the images before and after."""

    def __init__(self, shapes: Mapping[str, TableShape], peek: Peek) -> None:
        self._shapes = shapes
        self._peek = peek

    def images(self, operation: str, parameters: Parameters) -> Images:
        return self._peek(self._writes(operation, parameters))

    def units(
        self, operation: str, parameters: Parameters, answer: Answer, before: Images
    ) -> float:
        transactional = operation == "TransactWriteItems"
        if _error(answer):
            factor = 2 if transactional else 1
            return factor * sum(write_blocks(image) for image in before) if _refused(answer) else 0
        writes = self._writes(operation, parameters)
        return sum(
            self._shapes[write.table].write_units(old, new, transactional=transactional)
            for write, old, new in zip(writes, before, self._peek(writes), strict=True)
        )

    def _writes(self, operation: str, parameters: Parameters) -> list[Write]:
        if operation == "TransactWriteItems":
            requests = [next(iter(each.values())) for each in parameters["TransactItems"]]
            return [self._write(each["TableName"], each) for each in requests]
        if operation == "BatchWriteItem":
            return [
                self._write(table, next(iter(each.values())))
                for table, requests in parameters["RequestItems"].items()
                for each in requests
            ]
        return [self._write(parameters["TableName"], parameters)]

    def _write(self, table: str, request: Parameters) -> Write:
        if "Key" in request:
            return Write(table, request["Key"])
        return Write(table, self._shapes[table].key_of(request["Item"]))


class EstimatingMeter:
    """Computes every cost from the sizes of items, for an engine that reports none."""

    def __init__(self, shapes: Mapping[str, TableShape], peek: Peek) -> None:
        self._shapes = shapes
        self._peek = peek
        self._writes = _Writes(shapes, peek)

    def before(self, operation: str, parameters: Parameters) -> Images:
        return self._writes.images(operation, parameters) if operation in WRITES else []

    def cost(self, operation: str, parameters: Parameters, answer: Answer, before: Images) -> Cost:
        if operation in WRITES:
            return Cost(write_units=self._writes.units(operation, parameters, answer, before))
        if operation not in READS or _error(answer):
            return Cost()
        return Cost(read_units=self._read(operation, parameters, answer))

    def _read(self, operation: str, parameters: Parameters, answer: Answer) -> float:
        consistent = bool(parameters.get("ConsistentRead"))
        if operation in ("Query", "Scan"):
            return read_units(self._size_of_page(parameters, answer), consistent=consistent)
        if operation == "GetItem":
            (image,) = self._peek([Write(parameters["TableName"], parameters["Key"])])
            return read_units(_size(image), consistent=consistent)
        if operation == "TransactGetItems":
            gets = [each["Get"] for each in parameters["TransactItems"]]
            images = self._peek([Write(each["TableName"], each["Key"]) for each in gets])
            return sum(read_units(_size(image), transactional=True) for image in images)
        return sum(
            read_units(_size(image), consistent=bool(request.get("ConsistentRead")))
            for table, request in parameters["RequestItems"].items()
            for image in self._peek([Write(table, key) for key in request["Keys"]])
        )

    def _size_of_page(self, parameters: Parameters, answer: Answer) -> int:
        shape = self._shapes[parameters["TableName"]]
        index = shape.indexes.get(parameters.get("IndexName", ""))
        items = answer.get("Items", [])
        if all(name in item for item in items for name in shape.keys):
            keys = [Write(parameters["TableName"], shape.key_of(item)) for item in items]
            items = [image for image in self._peek(keys) if image]
        return sum(item_size(_projected(shape, index, item)) for item in items)


class ReportedMeter:
    """Reads ConsumedCapacity and corrects what DynamoDB Local reports wrongly."""

    def __init__(self, shapes: Mapping[str, TableShape], peek: Peek) -> None:
        self._writes = _Writes(shapes, peek)

    def before(self, operation: str, parameters: Parameters) -> Images:
        # Only a transaction's cost has to be computed, which takes two reads past the meter.
        if operation == "TransactWriteItems":
            return self._writes.images(operation, parameters)
        return []

    def cost(self, operation: str, parameters: Parameters, answer: Answer, before: Images) -> Cost:
        if operation == "TransactWriteItems":
            return Cost(write_units=self._writes.units(operation, parameters, answer, before))
        if operation in WRITES:
            return Cost(write_units=_reported(answer) or float(_refused(answer)))
        if operation not in READS or _error(answer):
            return Cost()
        return Cost(read_units=_corrected_read(operation, parameters, answer))


def _corrected_read(operation: str, parameters: Parameters, answer: Answer) -> float:
    reported = _reported(answer)
    if operation in ("Query", "Scan"):
        return reported or read_units(0, consistent=bool(parameters.get("ConsistentRead")))
    if operation == "BatchGetItem":
        return reported + sum(_missing(parameters, answer))
    return reported


def _missing(parameters: Parameters, answer: Answer) -> Iterator[float]:
    """The least unit for each key that was looked for and is not there."""
    for table, request in parameters["RequestItems"].items():
        found = len(answer.get("Responses", {}).get(table, []))
        later = len(answer.get("UnprocessedKeys", {}).get(table, {}).get("Keys", []))
        unit = read_units(0, consistent=bool(request.get("ConsistentRead")))
        yield unit * (len(request["Keys"]) - found - later)


def _reported(answer: Answer) -> float:
    reported = answer.get("ConsumedCapacity") or []
    each_table = reported if isinstance(reported, list) else [reported]
    return sum(float(table.get("CapacityUnits", 0)) for table in each_table)


def _error(answer: Answer) -> str | None:
    code: str | None = answer.get("Error", {}).get("Code")
    return code


def _refused(answer: Answer) -> bool:
    return _error(answer) in ("ConditionalCheckFailedException", "TransactionCanceledException")


def _size(image: Item | None) -> int:
    return item_size(image) if image else 0


def _projected(shape: TableShape, index: IndexShape | None, item: Item) -> Item:
    if index is None or index.attributes is None:
        return item
    kept = {*shape.keys, *index.keys, *index.attributes}
    return {name: value for name, value in item.items() if name in kept}
