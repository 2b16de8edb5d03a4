"""A stack of small functions made for these tests, and how to look at what it did."""

from __future__ import annotations

import http.client
import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from local.stack import Stack

SAMPLE = Path(__file__).parent / "sample" / "template.yaml"

MINUTE = 60_000
HOUR = 60 * MINUTE


@pytest.fixture
def sample(engine: str) -> Iterator[Stack]:
    """An empty stack for one test; nothing happens in it by itself."""
    with Stack(SAMPLE, engine, api_key=None) as stack:
        yield stack


class Http:
    """Sends requests exactly as they are written, and reads the answers as JSON."""

    def __init__(self, stack: Stack) -> None:
        self.port = int(stack.url.rsplit(":", 1)[1])

    def __call__(
        self,
        method: str,
        target: str,
        body: bytes | str | None = None,
        headers: list[tuple[str, str]] | None = None,
    ) -> tuple[int, Any]:
        status, _, content = self.full(method, target, body, headers)
        return status, json.loads(content) if content else None

    def full(
        self,
        method: str,
        target: str,
        body: bytes | str | None = None,
        headers: list[tuple[str, str]] | None = None,
    ) -> tuple[int, list[tuple[str, str]], bytes]:
        connection = http.client.HTTPConnection("127.0.0.1", self.port, timeout=30)
        try:
            connection.putrequest(method, target, skip_accept_encoding=True)
            content = body.encode() if isinstance(body, str) else body
            for name, value in headers or []:
                connection.putheader(name, value)
            if content is not None:
                connection.putheader("Content-Length", str(len(content)))
            connection.endheaders(content)
            answer = connection.getresponse()
            return answer.status, answer.getheaders(), answer.read()
        finally:
            connection.close()


@pytest.fixture
def http_(sample: Stack) -> Http:
    return Http(sample)


def put(stack: Stack, *names: str, **attributes: str) -> None:
    """Writes a fact for each name; `do` asks the consumer for trouble."""
    for name in names:
        item = {"group": "g", "name": name, "type": "Fact", **attributes}
        stack.dynamodb.put_item(
            TableName=stack.table_name, Item={key: {"S": value} for key, value in item.items()}
        )


def seen(stack: Stack) -> list[str]:
    """The names of the facts and messages that consumers took, in order."""
    bodies = [json.loads(each.body) for each in stack.queue_messages("SeenQueue")]
    return [body for body in bodies if isinstance(body, str)]


def fired(stack: Stack, source: str) -> list[dict[str, Any]]:
    """What the tick function was told by one kind of schedule, in order."""
    bodies = [json.loads(each.body) for each in stack.queue_messages("SeenQueue")]
    return [body for body in bodies if isinstance(body, dict) and body["source"] == source]


def lost(stack: Stack) -> list[dict[str, Any]]:
    """What was sent to the failure destination."""
    return [json.loads(each.body) for each in stack.queue_messages("StreamFailureQueue")]
