"""What the stack needs of a DynamoDB: clients, tables, streams and figures of cost."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple, Protocol

from local.capacity import TableShape
from local.declarations import Table
from local.metering import Images, Meter, Write
from local.stream_records import StreamRecord


class ShardRecord(NamedTuple):
    shard_id: str
    record: StreamRecord


class StreamSource(Protocol):
    """The changes of one table, each given once, in order."""

    def take(self) -> list[ShardRecord]: ...


class RawAnswer(NamedTuple):
    status: int
    body: bytes


class Engine(Protocol):
    account_id: str

    def client(self) -> Any:
        """A new DynamoDB client, on which nobody listens yet."""

    def create_table(self, table: Table) -> StreamSource | None:
        """Makes an empty table; its stream, if it declares one."""

    def delete_table(self, table: Table) -> None: ...

    def peek(self, writes: Sequence[Write]) -> Images:
        """What lies under these keys, read past every meter."""

    def meter(self, shapes: Mapping[str, TableShape]) -> Meter: ...

    def forward(self, target: str, body: bytes) -> RawAnswer:
        """Answers a raw DynamoDB call; `target` is its X-Amz-Target header."""
