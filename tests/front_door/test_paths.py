"""What may stand in a path: names are taken apart by nobody but us, and strange ones fit nobody."""

from __future__ import annotations

import http.client
import json
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any
from urllib.parse import quote, urlsplit

import pytest

from local.stack import Stack
from tests.api import Api
from tests.invariants import table_of

STRANGE = [
    "%2F",
    "a%2Fb",
    "%2f..%2f..",
    "..",
    ".",
    "%2e%2e",
    "%2E",
    "+",
    "%2B",
    "%20",
    "%00",
    "a%00b",
    "%23",
    "a%23b",
    "%0A",
    "%0d%0aX-Injected:1",
    "%7f",
    "%C3%A9",
    "%F0%9F%98%80",
    "%FF",
    "%C0%AF",
    "%ED%A0%80",
    "%",
    "%zz",
    "%2",
    "%25",
    "%252F",
    "%3F",
    "%26",
    "%40",
    "@",
    "a@",
    "@b",
    "a@b@c",
    ";",
    "a;b",
    "~",
    "*",
    "$default",
    "{id}",
    "%7Bid%7D",
    "CAMPAIGN%23x",
    "PROFILE",
    "x" * 101,
    "x" * 3_000,
    "%41" * 500,
    "x" * 300 + "@example.com",
    "null",
    "undefined",
    "__proto__",
    "'%20OR%201=1",
    "%E2%80%AE",
]


CUT = ["%2F", "a%2Fb", "%2f..%2f..", "%3F"]
"""What API Gateway, which decodes a path before it looks for a route, takes for several segments,
or for the end of the path."""


@dataclass(frozen=True)
class Answer:
    status: int
    body: Any
    write_units: str | None


class Wire:
    """Sends a request target as it is given: no client tidies it up."""

    def __init__(self, stack: Stack) -> None:
        self._connection = http.client.HTTPConnection(urlsplit(stack.url).netloc, timeout=30)
        self._headers = {
            "authorization": f"Bearer {stack.api_key}",
            "content-type": "application/json",
        }

    def call(self, method: str, target: str) -> Answer:
        self._connection.request(method, target, body=b"", headers=self._headers)
        response = self._connection.getresponse()
        content = response.read()
        return Answer(response.status, json.loads(content), response.headers["x-local-write-units"])

    def close(self) -> None:
        self._connection.close()


@pytest.fixture
def wire(stack: Stack) -> Iterator[Wire]:
    opened = Wire(stack)
    yield opened
    opened.close()


@pytest.fixture(scope="module")
def campaign_id(stack: Stack) -> str:
    with Api(stack.url, stack.api_key) as api:
        return api.campaign()


def refused(answer: Answer, status: int, code: str) -> None:
    assert (answer.status, answer.body["status"], answer.body["code"]) == (status, status, code)
    assert answer.write_units == "0"


@pytest.mark.parametrize("segment", STRANGE)
def test_a_strange_campaign_id_is_not_found(wire: Wire, segment: str) -> None:
    for method, rest in (
        ("GET", ""),
        ("PATCH", ""),
        ("POST", "/clone"),
        ("GET", "/options"),
        ("GET", "/participants"),
        ("POST", "/participant"),
        ("GET", "/participant/zzzzzz"),
        ("DELETE", "/participant/a@example.com"),
    ):
        answer = wire.call(method, f"/v2/campaign/{segment}{rest}")

        refused(answer, 404, "NOT_FOUND_ERROR")


@pytest.mark.parametrize("segment", STRANGE)
def test_a_strange_participant_is_unknown(wire: Wire, campaign_id: str, segment: str) -> None:
    path = f"/v2/campaign/{campaign_id}/participant/{segment}"

    for method, rest in (
        ("GET", ""),
        ("POST", ""),
        ("DELETE", ""),
        ("POST", "/ref"),
        ("DELETE", "/ref"),
    ):
        expected = (404, "NOT_FOUND_ERROR") if segment in CUT else (400, "BAD_REQUEST_ERROR")
        refused(wire.call(method, path + rest), *expected)


def test_strange_paths_leave_the_table_as_it_was(
    stack: Stack, wire: Wire, campaign_id: str
) -> None:
    before = table_of(stack)

    for segment in STRANGE:
        for method in ("POST", "DELETE", "GET"):
            wire.call(method, f"/v2/campaign/{campaign_id}/participant/{segment}")
            wire.call(method, f"/v2/campaign/{segment}/participant/{segment}")

    assert table_of(stack) == before


@pytest.mark.parametrize(
    "target",
    [
        "/v2/campaign/{id}/../campaigns",
        "/v2/campaign/{id}/participant/../participants",
        "/v2//campaigns",
        "//v2/campaigns",
        "/v2/campaigns/",
        "/v2/campaign/{id}/participant/",
        "/v2/campaign/{id}/participant/a/b",
        "/v2/campaign/{id}/participant/a/ref/",
        "/v2/campaign/{id}%2F..%2Fcampaigns",
        "/v2/campaigns%2F",
        "/",
    ],
)
def test_a_path_is_not_tidied_up_into_another_route(
    wire: Wire, campaign_id: str, target: str
) -> None:
    answer = wire.call("GET", target.replace("{id}", campaign_id))

    refused(answer, 404, "NOT_FOUND_ERROR")


@pytest.mark.parametrize(
    ("email", "segment"),
    [
        ("plus+tag@example.com", "plus+tag@example.com"),
        ("plus+tag@example.com", "plus%2Btag%40example.com"),
        ("plus+tag@example.com", "PLUS%2btag%40EXAMPLE.com"),
        ("hash#x@example.com", "hash%23x@example.com"),
        ("percent%2F@example.com", "percent%252F@example.com"),
        ("amp&x=1@example.com", "amp&x=1@example.com"),
        ("semi'x@example.com", "semi'x@example.com"),
        ("zoë@example.com", "zo%C3%AB@example.com"),
        ("padded@example.com", "%20padded@example.com%20"),
    ],
)
def test_an_email_can_be_named_in_a_path(
    api: Api, wire: Wire, campaign_id: str, email: str, segment: str
) -> None:
    added = api.add(campaign_id, email)

    answer = wire.call("GET", f"/v2/campaign/{campaign_id}/participant/{segment}")

    assert (answer.status, answer.body["id"]) == (200, added["id"])


@pytest.mark.parametrize("sign", ["/", "?"])
def test_an_email_that_api_gateway_takes_apart_is_named_by_its_id(
    api: Api, wire: Wire, campaign_id: str, sign: str
) -> None:
    added = api.add(campaign_id, f"one{sign}x@example.com")
    path = f"/v2/campaign/{campaign_id}/participant"

    once, twice = (quote(f"one{sign}x@example.com", safe=""), f"one{quote(quote(sign, safe=''))}x")
    refused(
        wire.call("GET", f"{path}/{once}"),
        *((404, "NOT_FOUND_ERROR") if sign == "/" else (400, "BAD_REQUEST_ERROR")),
    )
    refused(wire.call("GET", f"{path}/{twice}@example.com"), 400, "BAD_REQUEST_ERROR")
    assert wire.call("GET", f"{path}/{added['id']}").status == 200


def test_a_plus_is_not_a_space(api: Api, wire: Wire, campaign_id: str) -> None:
    api.add(campaign_id, "ab@example.com")

    for segment in ("a+b@example.com", "+ab@example.com", "ab+@example.com"):
        answer = wire.call("GET", f"/v2/campaign/{campaign_id}/participant/{segment}")
        assert answer.status == 400


def test_an_id_is_compared_with_its_case(api: Api, wire: Wire, campaign_id: str) -> None:
    added = api.add(campaign_id, firstName="Gavin")["id"]
    other_case = added.upper()

    answer = wire.call("GET", f"/v2/campaign/{campaign_id}/participant/{other_case}")

    assert answer.status == (200 if other_case == added else 400)


def test_an_escaped_id_is_the_id(api: Api, wire: Wire, campaign_id: str) -> None:
    added = api.add(campaign_id)["id"]
    escaped = "".join(f"%{ord(character):02X}" for character in added)

    answer = wire.call("GET", f"/v2/campaign/{campaign_id}/participant/{escaped}")

    assert (answer.status, answer.body["id"]) == (200, added)


@pytest.mark.parametrize("segment", STRANGE)
def test_a_strange_cursor_gives_an_empty_page(wire: Wire, campaign_id: str, segment: str) -> None:
    cursor = quote(segment, safe="%")

    answer = wire.call("GET", f"/v2/campaign/{campaign_id}/participants?nextId={cursor}")

    assert answer.status == 200
    assert answer.body == {"participants": [], "limit": 10, "nextId": None}


@pytest.mark.parametrize(
    "query", ["?", "?&&", "?=", "?limit", "?limit=", "?%FF=%FF", "?limit=5&limit=6", "?a[b]=1&a=2"]
)
def test_a_strange_query_is_refused_or_ignored(wire: Wire, campaign_id: str, query: str) -> None:
    answer = wire.call("GET", f"/v2/campaign/{campaign_id}/participants{query}")

    assert answer.status in (200, 400)
    assert answer.status == 200 or answer.body["code"] == "BAD_REQUEST_ERROR"
