from __future__ import annotations

from typing import Any

import pytest

from grapevine.engine.mechanics.receipts import Identity, fingerprint_of
from grapevine.table import exact_json


def read(metadata: str) -> Any:
    return exact_json.loads(metadata)


@pytest.mark.parametrize(
    ("one", "other", "same"),
    [
        ('{"a": 1.50}', '{"a": 1.5}', True),
        ('{"a": 2}', '{"a": 2.00}', True),
        ('{"a": -0.0}', '{"a": 0}', True),
        ('{"a": 1, "b": {"c": 2, "d": 3}}', '{"b": {"d": 3, "c": 2.0}, "a": 1}', True),
        ('{"a": 1.50}', '{"a": "1.50"}', False),
        ('{"a": 1}', '{"a": true}', False),
        ('{"a": "true"}', '{"a": true}', False),
        ('{"a": null}', "{}", False),
        ('{"a": [1, 2]}', '{"a": [2, 1]}', False),
        ('{"a": 123456789012345.1}', '{"a": 123456789012345.2}', False),
        ('{"a": 0.12345678901234567890123456789012345678}', '{"a": 0.1234567890123456789}', False),
    ],
)
def test_i7_a_request_is_the_same_when_its_values_are_however_they_are_written(
    one: str, other: str, same: bool
) -> None:
    prints = [fingerprint_of("u", "purchase", read(each)) for each in (one, other)]

    assert (prints[0] == prints[1]) is same


def test_what_a_client_sends_is_never_what_makes_a_servers_event_known() -> None:
    server, client = (
        Identity.of("c", explicit="k", natural="n", fingerprint="", trust=trust)
        for trust in ("server", "client")
    )

    written_by_client = {receipt.key for receipt in client.receipts("", 1)}

    assert not written_by_client & set(server.keys())
    assert server.event_id != client.event_id
    assert {one.key for one in server.receipts("", 1)} & set(client.keys())
