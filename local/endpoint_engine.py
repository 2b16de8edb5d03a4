"""DynamoDB at an endpoint URL: DynamoDB Local, for concurrency, sizes and capacity figures."""

from __future__ import annotations

import secrets
import urllib.error
import urllib.request
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from local import aws
from local.capacity import TableShape
from local.declarations import Table
from local.engine import RawAnswer, ShardRecord, StreamSource
from local.metering import Images, Meter, ReportedMeter, Write
from local.names import REGION
from local.stream_records import as_event, is_noop

_ACCOUNT_ID = "000000000000"


class EndpointEngine:
    """The tables have names of their own and are deleted at the end: nothing else is touched."""

    def __init__(self, url: str) -> None:
        self.account_id = _ACCOUNT_ID
        self._url = url
        # To DynamoDB Local another key is another account.
        self._access_key = f"local{secrets.token_hex(8)}"
        self._client = self.client()

    def client(self) -> Any:
        return aws.client("dynamodb", self._url, self._access_key)

    def create_table(self, table: Table) -> StreamSource | None:
        self._client.create_table(TableName=table.name, **table.request)
        self._client.get_waiter("table_exists").wait(TableName=table.name)
        if not table.stream_arn:
            return None
        described = self._client.describe_table(TableName=table.name)["Table"]
        return _EndpointStream(
            aws.client("dynamodbstreams", self._url, self._access_key),
            described["LatestStreamArn"],
        )

    def delete_table(self, table: Table) -> None:
        self._client.delete_table(TableName=table.name)

    def peek(self, writes: Sequence[Write]) -> Images:
        return [
            self._client.get_item(TableName=write.table, Key=write.key, ConsistentRead=True).get(
                "Item"
            )
            for write in writes
        ]

    def meter(self, shapes: Mapping[str, TableShape]) -> Meter:
        return ReportedMeter(shapes, self.peek)

    def forward(self, target: str, body: bytes) -> RawAnswer:
        request = urllib.request.Request(  # noqa: S310 - the URL is the engine's, given by its user
            self._url,
            data=body,
            headers={
                "X-Amz-Target": target,
                "Content-Type": "application/x-amz-json-1.0",
                # DynamoDB Local reads the account and the region here and checks no signature.
                "Authorization": "AWS4-HMAC-SHA256 "
                f"Credential={self._access_key}/20200101/{REGION}/dynamodb/aws4_request, "
                "SignedHeaders=host, Signature=none",
            },
        )
        try:
            with urllib.request.urlopen(request, timeout=10) as answer:  # noqa: S310
                return RawAnswer(answer.status, answer.read())
        except urllib.error.HTTPError as refused:
            with refused:
                return RawAnswer(refused.code, refused.read())


@dataclass(slots=True)
class _Shard:
    shard_id: str
    iterator: str | None


class _EndpointStream:
    """Reads every shard to its end, in the order in which they were opened.

    DynamoDB Local has one open shard at a time and starts a new one every few hours; a new one
    is read only when nothing is left in those before it, so a table's changes stay in order.
    """

    def __init__(self, client: Any, stream_arn: str) -> None:
        self._client = client
        self._stream_arn = stream_arn
        self._shards: dict[str, _Shard] = {}

    def take(self) -> list[ShardRecord]:
        return [
            ShardRecord(shard.shard_id, as_event(record))
            for shard in self._open_shards()
            for record in self._read(shard)
            if not is_noop(record)
        ]

    def _open_shards(self) -> list[_Shard]:
        if not any(shard.iterator for shard in self._shards.values()):
            described = self._client.describe_stream(StreamArn=self._stream_arn)
            for each in described["StreamDescription"]["Shards"]:
                shard_id = each["ShardId"]
                if shard_id not in self._shards:
                    self._shards[shard_id] = _Shard(shard_id, self._first_iterator(shard_id))
        return list(self._shards.values())

    def _first_iterator(self, shard_id: str) -> str:
        iterator: str = self._client.get_shard_iterator(
            StreamArn=self._stream_arn, ShardId=shard_id, ShardIteratorType="TRIM_HORIZON"
        )["ShardIterator"]
        return iterator

    def _read(self, shard: _Shard) -> Iterator[dict[str, Any]]:
        while shard.iterator:
            page = self._client.get_records(ShardIterator=shard.iterator)
            shard.iterator = page.get("NextShardIterator")
            yield from page["Records"]
            if not page["Records"]:
                return
