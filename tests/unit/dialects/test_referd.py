"""Referd's requests and answers, through an endpoint as a handler declares it."""

from __future__ import annotations

import json
from decimal import Decimal
from typing import Any

import pytest

from grapevine import errors
from grapevine.errors import GrapevineError
from grapevine.http.endpoint import Nothing, Request
from grapevine.http.models.referd import Accepted, SendEvents
from grapevine.http.referd import endpoint, referd
from tests.unit.dialects.world import (
    NARROW,
    OTHER_PUBLIC,
    PUBLIC,
    REVOKED,
    SCOPE,
    SECRET,
    THEIR_SECRET,
    Answer,
    World,
)

BODY = {
    "playerUniqueId": "player123",
    "events": {
        "place_order": {"total_amount": "100", "category": ["electronics", "cosmetics"]},
        "review": {},
    },
}
NULL = {"code": 5, "message": "Null Arguments"}
UNAUTHORIZED = {"code": 1000, "message": "Unauthorized"}
FORBIDDEN = {"code": 1002, "message": "Forbidden"}

received: list[Request[SendEvents, Nothing]] = []


@endpoint("POST /integrations/event", scope=SCOPE, body=SendEvents, response=Accepted)
def send_events(request: Request[SendEvents, Nothing]) -> Accepted:
    received.append(request)
    return Accepted()


@pytest.fixture(autouse=True)
def _empty() -> None:
    received.clear()


def send(world: World, body: Any = BODY, **headers: str) -> Answer:
    return world.call(send_events, {"apikey": PUBLIC, **headers}, body)


def last() -> Request[SendEvents, Nothing]:
    return received[-1]


# Keys


@pytest.mark.parametrize("name", ["APIKey", "apiKey", "apikey", "APIKEY"])
def test_the_headers_name_is_written_as_one_likes(world: World, name: str) -> None:
    answer = world.call(send_events, {name: PUBLIC}, BODY)

    assert (answer.status, answer.text) == (200, "{}")


@pytest.mark.parametrize(
    ("headers", "status", "body"),
    [
        ({"apikey": ""}, 403, FORBIDDEN),
        ({"apikey": "nobodys"}, 401, UNAUTHORIZED),
        ({"apikey": REVOKED}, 401, UNAUTHORIZED),
        ({"apikey": NARROW}, 403, FORBIDDEN),
        ({"apikey": "", "secretkey": SECRET}, 403, FORBIDDEN),
        ({"secretkey": "nobodys"}, 401, UNAUTHORIZED),
        ({"secretkey": REVOKED}, 401, UNAUTHORIZED),
        ({"secretkey": THEIR_SECRET}, 401, UNAUTHORIZED),
        ({"secretkey": NARROW}, 403, FORBIDDEN),
        ({"secretkey": PUBLIC}, 403, FORBIDDEN),
        ({"apikey": OTHER_PUBLIC, "secretkey": SECRET}, 401, UNAUTHORIZED),
    ],
)
def test_a_missing_key_is_forbidden_and_a_wrong_one_unauthorized(
    world: World, headers: dict[str, str], status: int, body: Any
) -> None:
    answer = send(world, **headers)

    assert (answer.status, answer.body) == (status, body)
    assert not received


def test_no_header_at_all_is_a_missing_key(world: World) -> None:
    answer = world.call(send_events, {}, BODY)

    assert (answer.status, answer.body) == (403, FORBIDDEN)


@pytest.mark.parametrize(
    ("headers", "trust"),
    [
        ({}, "client"),
        ({"secretkey": ""}, "client"),
        ({"SecretKey": SECRET}, "server"),
        ({"apikey": SECRET}, "server"),
        ({"apikey": SECRET, "secretkey": SECRET}, "server"),
    ],
)
def test_only_a_secret_key_vouches_for_events(
    world: World, headers: dict[str, str], trust: str
) -> None:
    assert send(world, **headers).status == 200
    assert last().caller.trust == trust
    assert last().caller.account_id == "acct_ours"


def test_both_keys_are_read_at_once_and_remembered(world: World) -> None:
    send(world, secretkey=SECRET)
    cold = world.reads
    send(world, secretkey=SECRET)

    assert (cold, world.reads - cold) == (1, 0)
    assert last().access.campaign is None


def test_the_key_is_looked_at_before_the_body(world: World) -> None:
    assert send(world, "{{{", apikey="nobodys").status == 401
    assert send(world, "x" * 70_000, apikey="").status == 403


# Bodies


def test_the_documented_examples_arrive_as_they_were_sent(world: World) -> None:
    assert send(world).status == 200
    assert last().body.player_unique_id == "player123"
    assert last().body.events == BODY["events"]

    reserve = '{"playerUniqueId":"p","events":{"reserve":{"rooms":[1,2.50]}},"isMessageTrigger":1}'
    assert send(world, reserve).status == 200
    assert repr(last().body.events) == repr({"reserve": {"rooms": [1, Decimal("2.50")]}})


def test_nulls_are_dropped_and_the_rest_is_kept(world: World) -> None:
    events = {"a": None, "b": {"x": None, "y": [None, "z"], "t": True, "deep": {"k": None}}}

    assert send(world, {**BODY, "events": events}).status == 200

    kept = {"a": {}, "b": {"y": ["z"], "t": True, "deep": {"k": None}}}
    assert last().body.events == kept


def test_a_players_name_is_taken_and_other_attributes_are_ignored(world: World) -> None:
    attributes = {"displayName": "Ada", "email": "a@example.com", "totalSpent": 5, "custom": {}}

    assert send(world, {**BODY, "playerAttributes": attributes, "mobile": "1"}).status == 200

    taken = last().body.player_attributes
    assert taken is not None
    assert taken.model_dump() == {"display_name": "Ada"}
    assert send(world, {**BODY, "playerAttributes": None}).status == 200
    assert last().body.player_attributes is None


@pytest.mark.parametrize(
    ("body", "refused"),
    [
        ({}, {"code": 4, "message": "The PlayerUniqueId field is required."}),
        ({"playerUniqueId": "p"}, {"code": 4, "message": "The Events field is required."}),
        (
            {"playerUniqueId": "p", "events": {}},
            {"code": 4, "message": "The Events field is required."},
        ),
        ({"events": {"a": {}}}, {"code": 4, "message": "The PlayerUniqueId field is required."}),
        ("", NULL),
        ("null", NULL),
        ("[]", NULL),
        ("{", NULL),
        ('{"playerUniqueId":"p","events":{"a":{"b":NaN}}}', NULL),
        ({**BODY, "playerUniqueId": None}, NULL),
        ({**BODY, "playerUniqueId": 5}, NULL),
        ({**BODY, "events": None}, NULL),
        ({**BODY, "events": []}, NULL),
        ({**BODY, "events": "review"}, NULL),
        ({**BODY, "playerAttributes": "Ada"}, NULL),
        ({**BODY, "playerAttributes": {"displayName": 5}}, NULL),
        (
            '{"playerUniqueId":"p","events":{"review":{},"review":{}}}',
            {"code": 7, "message": "Event 'review' is replicated"},
        ),
        (
            '{"playerUniqueId":"p","events":{"a.b":{"c":1,"c":1}}}',
            {"code": 7, "message": "Key 'c' is replicated"},
        ),
        (
            '{"events":{"a":{}},"playerUniqueId":"p","playerUniqueId":"p"}',
            {"code": 7, "message": "Key 'playerUniqueId' is replicated"},
        ),
    ],
)
def test_a_refused_body_has_the_apis_own_code(world: World, body: Any, refused: Any) -> None:
    answer = send(world, body)

    assert (answer.status, answer.body) == (400, refused)
    assert not received


@pytest.mark.parametrize(
    "fields",
    [
        {"playerUniqueId": " "},
        {"playerUniqueId": "p" * 101},
        {"events": {"": {}}},
        {"events": {" ": {}}},
        {"events": {"e" * 101: {}}},
        {"events": {"internal:referral_credited": {}}},
        {"events": {f"e{number}": {} for number in range(21)}},
        {"events": {"a": "text"}},
        {"events": {"a": 5}},
        {"events": {"a": []}},
        {"events": {"a": {"b": [{}]}}},
        {"events": {"a": {"b": "x" * 1001}}},
        {"events": {"a": {"b": 10**15}}},
        {"playerAttributes": {"displayName": "x" * 256}},
        {"x": "y" * 65_536},
    ],
)
def test_a_value_that_cannot_be_is_code_7(world: World, fields: Any) -> None:
    answer = send(world, {**BODY, **fields})

    assert (answer.status, answer.body["code"]) == (400, 7)
    assert answer.body["message"]
    assert not received


def test_twenty_events_fit_and_small_and_capital_letters_differ(world: World) -> None:
    events: dict[str, Any] = {f"e{number}": {} for number in range(18)}

    assert send(world, {**BODY, "events": {**events, "review": {}, "Review": {}}}).status == 200
    assert len(last().body.events) == 20


def test_a_key_of_a_repetition_is_taken(world: World) -> None:
    assert send(world, **{"idempotency-key": '"r1"'}).status == 200
    assert last().repetition_key == "r1"
    assert send(world, **{"idempotency-key": ""}).body["code"] == 7


# Refusals of the engine


@pytest.mark.parametrize(
    ("error", "status", "body", "headers"),
    [
        (
            errors.UnknownEventType("buy"),
            404,
            {"code": 351, "message": "Event Not Found"},
            {},
        ),
        (
            errors.KeyReused(),
            422,
            {"code": 7, "message": "Idempotency-Key was already used with a different request"},
            {},
        ),
        (
            errors.LimitReached("why", 30),
            429,
            {"code": 429, "message": "Too many requests"},
            {"retry-after": "30"},
        ),
        (errors.Busy(), 503, {"code": 13, "message": "Something Wrong"}, {"retry-after": "1"}),
        (errors.InvalidRequest("Because."), 400, {"code": 7, "message": "Because."}, {}),
        (errors.SettingMissing("S"), 500, {"code": 13, "message": "Something Wrong"}, {}),
    ],
)
def test_a_refusal_has_its_status_code_and_words(
    error: GrapevineError, status: int, body: Any, headers: dict[str, str]
) -> None:
    refused = referd.refusal(error)

    assert list(json.loads(refused.body)) == ["code", "message"]
    assert (refused.status, json.loads(refused.body), refused.headers) == (status, body, headers)
