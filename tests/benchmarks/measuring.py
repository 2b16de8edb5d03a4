"""A local stack on DynamoDB Local that remembers every call of every function: its cost, what it
was spent on, and which calls waited for one another."""

from __future__ import annotations

import re
import threading
import time
from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any

from local import invocation
from local.capacity import TableShape, item_size, read_units, write_blocks
from local.declarations import Table
from local.endpoint_engine import EndpointEngine
from local.engine import StreamSource
from local.metering import Answer, Cost, Images, Meter, Parameters, Peek, Write

Units = dict[str, float]
"""Request units by what they were spent on: a kind of item, or an index."""

STANDINGS_PART = ("STANDING", "HEAD", "BLOCK", "NODE")
"""What three ranks are read from: the participant's standing and the rank index."""

PAUSE_S = 0.2
"""Long enough, on a busy machine, for calls of one round to begin before the first one ends."""

_ALONE = ("PutItem", "BatchWriteItem")
"""Writes that are no transactions, at half the price."""

_FIRST_WORD = re.compile(r"[A-Z]+")
_MARGIN = 1e-6


@dataclass(frozen=True, slots=True)
class Call:
    """`items` is how many items it wrote. Times are monotonic seconds."""

    function_id: str
    operation: str
    started: float
    ended: float
    cost: Cost
    reads: Units
    writes: Units
    items: int


class CallLog:
    """A meter that remembers what it measured. Each call is held up by `pause` seconds, so that
    calls made at the same time overlap however busy the machine is."""

    def __init__(self, meter: Meter, shapes: Mapping[str, TableShape], peek: Peek) -> None:
        self._meter, self._shapes, self._peek = meter, shapes, peek
        self._begun = threading.local()
        self._lock = threading.Lock()
        self.pause = 0.0
        self.calls: list[Call] = []
        self.disagreements: list[str] = []
        """Where the meter charges another sum than the sizes of the items amount to."""

    def before(self, operation: str, parameters: Parameters) -> Images:
        self._begun.at = time.monotonic()
        time.sleep(self.pause)
        if operation in _ALONE:
            self._begun.images = self._peek(
                [
                    Write(request["TableName"], _key_of(request))
                    for _, request in _requests(operation, parameters)
                ]
            )
        return self._meter.before(operation, parameters)

    def cost(self, operation: str, parameters: Parameters, answer: Answer, before: Images) -> Cost:
        cost = self._meter.cost(operation, parameters, answer, before)
        running = invocation.current()
        assert running is not None
        reads = _reads(operation, parameters, answer, cost)
        writes, items = self._writes(operation, parameters, answer, before, cost)
        call = Call(
            running.function_id,
            operation,
            self._begun.at,
            time.monotonic(),
            cost,
            reads,
            writes,
            items,
        )
        with self._lock:
            self.calls.append(call)
            for kind, parts, charged in (
                ("read", reads, cost.read_units),
                ("write", writes, cost.write_units),
            ):
                if abs(sum(parts.values()) - charged) > _MARGIN:
                    self.disagreements.append(f"{operation}: {kind} {charged}, parts {dict(parts)}")
        return cost

    @contextmanager
    def recorded(self, pause: float = 0.0) -> Iterator[Record]:
        """What is called in the block, by every function."""
        first, self.pause = len(self.calls), pause
        record = Record()
        try:
            yield record
        finally:
            self.pause = 0.0
            record.calls += self.calls[first:]

    def _writes(
        self,
        operation: str,
        parameters: Parameters,
        answer: Answer,
        before: Images,
        cost: Cost,
    ) -> tuple[Units, int]:
        units: Units = defaultdict(float)
        if not cost.write_units:
            return units, 0
        if "Error" in answer:
            units["refused"] += cost.write_units
            return units, 0
        if operation == "UpdateItem":
            units[_kind(parameters["Key"]["sort"]["S"])] += cost.write_units
            return units, 1
        factor, images = 2, before
        if operation in _ALONE:
            factor, images = 1, self._begun.images
        writes = _requests(operation, parameters)
        for (verb, request), old in zip(writes, images, strict=True):
            new = {"Put": request.get("Item"), "Delete": None}.get(verb, old)
            kind = _kind(_key_of(request)["sort"]["S"])
            shape = self._shapes[request["TableName"]]
            units[kind] += factor * write_blocks(old, new)
            for index, amount in shape.index_units(old, new).items():
                units[index] += amount
        return units, sum(verb != "ConditionCheck" for verb, _ in writes)


def _requests(operation: str, parameters: Parameters) -> list[tuple[str, Parameters]]:
    """What a call writes, as verbs and what goes with each."""
    if operation == "BatchWriteItem":
        return [
            (verb.removesuffix("Request"), {"TableName": table, **request})
            for table, requests in parameters["RequestItems"].items()
            for each in requests
            for verb, request in each.items()
        ]
    requests = parameters.get("TransactItems", [{"Put": parameters}])
    return [next(iter(each.items())) for each in requests]


def _key_of(request: Parameters) -> Parameters:
    item = request.get("Item", request.get("Key"))
    return {name: item[name] for name in ("partition", "sort")}


@dataclass(slots=True)
class Record:
    """Calls that were made in one stretch of time."""

    calls: list[Call] = field(default_factory=list)

    def of(self, *function_ids: str) -> Record:
        return Record([call for call in self.calls if call.function_id in function_ids])

    @property
    def read_units(self) -> float:
        return sum(call.cost.read_units for call in self.calls)

    @property
    def write_units(self) -> float:
        return sum(call.cost.write_units for call in self.calls)

    @property
    def items_written(self) -> int:
        return sum(call.items for call in self.calls)

    def read_of(self, parts: Sequence[str]) -> float:
        reads = self.reads()
        return sum(reads.get(part, 0) for part in parts)

    def reads(self) -> Units:
        return _sum(call.reads for call in self.calls)

    def writes(self) -> Units:
        return _sum(call.writes for call in self.calls)

    @property
    def rounds(self) -> int:
        """The longest chain of calls each of which began when the one before had ended."""
        count, until = 0, float("-inf")
        for call in sorted(self.calls, key=lambda one: one.ended):
            if call.started >= until:
                count, until = count + 1, call.ended
        return count


class MeasuredEngine(EndpointEngine):
    """DynamoDB Local, with a log of what functions call."""

    log: CallLog
    _stream: Any = None

    def create_table(self, table: Table) -> StreamSource | None:
        stream = self._stream = super().create_table(table)
        return stream

    def skip_stream(self) -> None:
        """Nobody is told of what has been written until now."""
        stream = self._stream
        for shard in stream._open_shards():
            shard.iterator = stream._client.get_shard_iterator(
                StreamArn=stream._stream_arn,
                ShardId=shard.shard_id,
                ShardIteratorType="LATEST",
            )["ShardIterator"]

    def meter(self, shapes: Mapping[str, TableShape]) -> Meter:
        self.log = CallLog(super().meter(shapes), shapes, self.peek)
        return self.log


def _sum(parts: Iterable[Units]) -> Units:
    total: Units = defaultdict(float)
    for each in parts:
        for kind, amount in each.items():
            total[kind] += amount
    return total


def _kind(sort: str) -> str:
    found = _FIRST_WORD.match(sort)
    return found[0] if found else sort


def _reads(operation: str, parameters: Parameters, answer: Answer, cost: Cost) -> Units:
    units: Units = defaultdict(float)
    if operation == "BatchGetItem":
        for table, request in parameters["RequestItems"].items():
            consistent = bool(request.get("ConsistentRead"))
            sizes: dict[tuple[str, str], int] = {
                (item["partition"]["S"], item["sort"]["S"]): item_size(item)
                for item in answer.get("Responses", {}).get(table, [])
            }
            for key in request["Keys"]:
                name: tuple[str, str] = (key["partition"]["S"], key["sort"]["S"])
                size = sizes.get(name, 0)
                units[_kind(name[1])] += read_units(size, consistent=consistent)
    elif cost.read_units:
        units[_named(parameters)] += cost.read_units
    return units


def _named(parameters: Mapping[str, Any]) -> str:
    """What a Query or a GetItem reads."""
    if "Key" in parameters:
        return _kind(parameters["Key"]["sort"]["S"])
    values = parameters.get("ExpressionAttributeValues", {})
    sort = values.get(":s", {}).get("S")
    return str(parameters.get("IndexName") or (_kind(sort) if sort else "Query"))
