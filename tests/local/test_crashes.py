from __future__ import annotations

import json
from typing import Any

import pytest

from local.stack import Stack
from tests.local.conftest import Http, put, seen

PUTS = [
    ["put_item", {"TableName": "$TABLE", "Item": {"group": {"S": "g"}, "name": {"S": name}}}]
    for name in "abc"
]


def write(http_: Http) -> tuple[int, Any]:
    return http_("POST", "/write", json.dumps(PUTS), [("Content-Type", "application/json")])


def names(stack: Stack) -> list[str]:
    items = stack.dynamodb.scan(TableName=stack.table_name)["Items"]
    return sorted(item["name"]["S"] for item in items)


@pytest.mark.parametrize("calls", [0, 1, 2, 3])
def test_what_was_called_before_the_kill_is_done_and_nothing_after(
    sample: Stack, http_: Http, calls: int
) -> None:
    with sample.kill_after(calls) as order:
        status, _ = write(http_)

    assert status == 502
    assert order.happened
    assert names(sample) == list("abc")[:calls]


def test_an_invocation_with_fewer_calls_survives(sample: Stack, http_: Http) -> None:
    with sample.kill_after(4) as order:
        status, _ = write(http_)

    assert (status, order.happened) == (200, False)


def test_only_one_invocation_is_killed(sample: Stack, http_: Http) -> None:
    with sample.kill_after(1):
        statuses = [write(http_)[0] for _ in range(2)]

    assert statuses == [502, 200]


def test_the_order_can_name_a_function(sample: Stack, http_: Http) -> None:
    with sample.kill_after(1, "ProjectFunction") as order:
        status, _ = write(http_)
        put(sample, "x", "y")
        sample.drain()

    assert (status, order.happened) == (200, True)
    # The batch came again, since its first delivery had died after the first record.
    assert seen(sample) == ["x", "x", "y"]
