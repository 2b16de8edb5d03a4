"""A payload that is larger than one item is stored in parts, and read back byte for byte."""

from __future__ import annotations

import json
import random
from collections.abc import Iterator

import pytest

from grapevine.engine.webhooks import payload
from grapevine.table import store
from grapevine.table.attributes import Item
from grapevine.table.webhooks import WebhookEvent, WebhookPayloadPart, body_of, packed
from grapevine.table.writes import ABSENT, Put
from local.stack import Stack
from tests.conftest import TEMPLATE, inside

LARGEST_ITEM = 400 * 1024
LARGEST_TRANSACTION = 4 * 1024 * 1024
LETTERS = [chr(code) for code in range(0x20, 0x2FF)]


@pytest.fixture(scope="module")
def stack() -> Iterator[Stack]:
    with Stack(TEMPLATE, api_key=None) as started:
        yield started


def winners(number: int, metadata_characters: int) -> bytes:
    """The end of a campaign, each winner with metadata that compresses badly."""
    dice = random.Random(1)  # noqa: S311 - the same metadata each time
    shown = [
        {
            "id": f"p{index}",
            "email": f"winner-{index}@example.com",
            "metadata": {"note": "".join(dice.choices(LETTERS, k=metadata_characters))},
        }
        for index in range(number)
    ]
    return payload.to_bytes({"event": "CAMPAIGN_ENDED", "data": {"winners": shown}})


def pack(body: bytes) -> tuple[WebhookEvent, list[WebhookPayloadPart]]:
    return packed("c", "evt_1", name="CAMPAIGN_ENDED", created_at=1, body=body, expires_at=2)


def size(item: Item) -> int:
    return len(json.dumps(item, ensure_ascii=False).encode())


def test_a_small_payload_is_one_item() -> None:
    event, parts = pack(winners(10, 100))

    assert (event.parts, parts) == (1, [])
    assert body_of(event) == winners(10, 100)


def test_a_thousand_winners_with_long_metadata_come_back_byte_for_byte(stack: Stack) -> None:
    body = winners(1000, 1000)

    event, parts = pack(body)
    items = [entity.to_item() for entity in (event, *parts)]
    with inside(stack):
        store.transact([Put(item, ABSENT) for item in items])
        stored = store.get(event.key)
        assert stored is not None
        read = body_of(WebhookEvent.from_item(stored))

    assert read == body
    assert len(parts) > 2
    assert max(size(item) for item in items) < LARGEST_ITEM
    assert sum(size(item) for item in items) < LARGEST_TRANSACTION


def test_a_part_that_is_missing_is_a_failure_of_ours(stack: Stack) -> None:
    event, _ = packed("c", "evt_2", name="X", created_at=1, body=winners(1000, 1000), expires_at=2)

    with inside(stack), pytest.raises(KeyError):
        body_of(event)
