"""DynamoDB in this process: moto's, called directly, without a socket and one call at a time."""

from __future__ import annotations

import itertools
import threading
from collections.abc import Mapping, Sequence
from typing import Any

from botocore.awsrequest import AWSPreparedRequest, AWSResponse
from botocore.compat import HTTPHeaders
from moto.core.botocore_stubber import MockRawResponse
from moto.core.request import normalize_request
from moto.dynamodb.models import dynamodb_backends
from moto.dynamodb.models import table as models
from moto.dynamodb.models.dynamo_type import Item

from local import aws
from local.capacity import TableShape
from local.declarations import Table
from local.engine import RawAnswer, ShardRecord, StreamSource
from local.metering import EstimatingMeter, Images, Meter, Write
from local.moto_handler import QuickHandler
from local.moto_table import SnapshotTable
from local.names import REGION
from local.stream_records import StreamRecord, as_event, is_noop

_ENDPOINT = f"https://dynamodb.{REGION}.amazonaws.com/"
_accounts = itertools.count(100_000_000_001)


class _Nothing(list[Any]):
    """Where moto notes every item that it has ever made, also of tables that are gone."""

    def append(self, value: Any, /) -> None:
        del value


_KINDS: tuple[Any, ...] = (
    Item,
    SnapshotTable,
    models.SecondaryIndex,
    models.StreamRecord,
    models.StreamShard,
    models.Table,
)
for _kind in _KINDS:
    _kind.instances_tracked = _Nothing()


class MotoEngine:
    """Each engine is an AWS account of its own inside moto, so stacks do not see each other.

    A lock makes calls one after the other: moto copies a table to roll a transaction back, and
    whatever another thread wrote meanwhile would be lost. It follows that transactions never
    conflict here; DynamoDB Local is for that.
    """

    def __init__(self) -> None:
        self.account_id = str(next(_accounts))
        self._lock = threading.RLock()
        self._backend = dynamodb_backends[self.account_id][REGION]

    def client(self) -> Any:
        client = aws.client("dynamodb")
        client.meta.events.register("before-send.dynamodb", self._before_send)
        return client

    def create_table(self, table: Table) -> StreamSource | None:
        self.client().create_table(TableName=table.name, **table.request)
        SnapshotTable.adopt(self._backend.tables[table.name])
        return _MotoStream(self, table.name) if table.stream_arn else None

    def delete_table(self, table: Table) -> None:
        with self._lock:
            self._backend.tables.pop(table.name, None)

    def peek(self, writes: Sequence[Write]) -> Images:
        with self._lock:
            found = [self._backend.get_item(write.table, dict(write.key)) for write in writes]
            return [item.to_json()["Attributes"] if item else None for item in found]

    def take_records(self, table_name: str) -> tuple[str, list[StreamRecord]]:
        """The shard's id and its records since the last time, as moto has them."""
        with self._lock:
            shard = self._backend.tables[table_name].stream_shard
            assert shard is not None
            records = [each.to_json() for each in shard.items]
            shard.starting_sequence_number += len(shard.items)
            shard.items.clear()
            return shard.id, records

    def meter(self, shapes: Mapping[str, TableShape]) -> Meter:
        return EstimatingMeter(shapes, self.peek)

    def forward(self, target: str, body: bytes) -> RawAnswer:
        headers = HTTPHeaders()
        headers["X-Amz-Target"] = target
        headers["Content-Type"] = "application/x-amz-json-1.0"
        # Moto looks for the region in the signature.
        headers["Authorization"] = f"AWS4-HMAC-SHA256 Credential=local/x/{REGION}/dynamodb/x"
        status, _, answer = self._answer(
            AWSPreparedRequest("POST", _ENDPOINT, headers, body, False)
        )
        return RawAnswer(status, answer)

    def _before_send(self, request: AWSPreparedRequest, **_: Any) -> AWSResponse:
        status, headers, body = self._answer(request)
        raw: Any = MockRawResponse(body)
        return AWSResponse(request.url, status, HTTPHeaders.from_dict(headers), raw)

    def _answer(self, request: AWSPreparedRequest) -> tuple[int, dict[str, Any], bytes]:
        request.headers["x-moto-account-id"] = self.account_id
        normalized = normalize_request(request)
        target = normalized.headers["X-Amz-Target"]
        sent: Any = request.body
        with self._lock:
            for table in self._backend.tables.values():
                if isinstance(table, SnapshotTable):
                    table.begins_call(target, sent)
            status, headers, body = QuickHandler.dispatch(
                normalized, normalized.raw_url, normalized.headers
            )
        return status, headers, body.encode() if isinstance(body, str) else body


class _MotoStream:
    """Takes the records out of moto's shard, which would keep, and copy, them for ever."""

    def __init__(self, engine: MotoEngine, table_name: str) -> None:
        self._engine = engine
        self._table_name = table_name

    def take(self) -> list[ShardRecord]:
        shard_id, records = self._engine.take_records(self._table_name)
        return [
            ShardRecord(shard_id, as_event(each))
            for each, following in itertools.zip_longest(records, records[1:])
            if not is_noop(each) and not _is_half_upsert(each, following)
        ]


def _is_half_upsert(record: StreamRecord, following: StreamRecord | None) -> bool:
    """Moto reports an UpdateItem that makes an item as two INSERTs, the first with keys only."""
    return (
        following is not None
        and record["eventName"] == following["eventName"] == "INSERT"
        and record["dynamodb"]["Keys"] == following["dynamodb"]["Keys"]
    )
