"""What the OpenAPI document says of endpoints of each API."""

from __future__ import annotations

from typing import Any

from grapevine.http.endpoint import Nothing, Request
from grapevine.http.gamifyhost import gamifyhost, of_events
from grapevine.http.models.gamifyhost import EventResult, RecordEvent
from grapevine.http.models.referd import Accepted, SendEvents
from grapevine.http.referd import referd
from local.openapi import document

SCOPE = "event:write"


@of_events.endpoint(
    "POST /v1/campaigns/{slug}/events",
    scope=SCOPE,
    body=RecordEvent,
    response=EventResult,
    refusals=(409, 422),
)
def record(_: Request[RecordEvent, Nothing]) -> EventResult:
    raise NotImplementedError


@gamifyhost.endpoint("GET /v1/campaigns/codes/stats", scope=SCOPE, response=EventResult)
def stats(_: Request[Nothing, Nothing]) -> EventResult:
    raise NotImplementedError


@referd.endpoint(
    "POST /integrations/event", scope=SCOPE, body=SendEvents, response=Accepted, refusals=(422,)
)
def send_events(_: Request[SendEvents, Nothing]) -> Accepted:
    raise NotImplementedError


DOCUMENT = document(
    [("record", "records", record), ("stats", "counts", stats), ("send", "sends", send_events)]
)


def operation(method: str, path: str) -> Any:
    return DOCUMENT["paths"][path][method]


def test_an_event_of_gamifyhosts_is_described_as_it_is_answered() -> None:
    described = operation("post", "/v1/campaigns/{slug}/events")

    assert described["security"] == [{"apiSecret": []}]
    assert [each["name"] for each in described["parameters"]] == ["slug", "Idempotency-Key"]
    assert list(described["requestBody"]["content"]) == ["application/json"]
    answers = described["responses"]
    assert list(answers) == ["200", "400", "401", "403", "404", "409", "422", "503"]
    success = answers["200"]["content"]["application/json"]["schema"]["properties"]
    assert success == {
        "status": {"const": "success"},
        "data": {"$ref": "#/components/schemas/EventResult"},
    }
    refused = answers["404"]["content"]["application/json"]["schema"]
    assert refused == {"$ref": "#/components/schemas/GamifyHostError"}


def test_a_route_without_a_campaign_and_a_body_has_neither_404_nor_key() -> None:
    described = operation("get", "/v1/campaigns/codes/stats")

    assert described["parameters"] == []
    assert list(described["responses"]) == ["200", "400", "401", "403", "503"]


def test_events_of_referds_are_described_as_they_are_answered() -> None:
    described = operation("post", "/integrations/event")

    assert described["security"] == [{"appKey": []}, {"appKey": [], "appSecret": []}]
    assert [each["name"] for each in described["parameters"]] == ["Idempotency-Key"]
    assert list(described["responses"]) == ["200", "400", "401", "403", "422", "503"]
    success = described["responses"]["200"]["content"]["application/json"]["schema"]
    assert success == {"$ref": "#/components/schemas/Accepted"}


def test_every_schema_that_is_spoken_of_is_there() -> None:
    schemas = DOCUMENT["components"]["schemas"]

    assert {"Error", "GamifyHostError", "ReferdError", "RecordEvent", "SendEvents"} <= set(schemas)
    assert set(schemas["RecordEvent"]["properties"]) == {
        "userId",
        "eventType",
        "metadata",
        "reference",
    }
