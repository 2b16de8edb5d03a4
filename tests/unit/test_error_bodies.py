from __future__ import annotations

import json
from datetime import datetime
from typing import Any

import pytest

from grapevine import errors, runtime
from grapevine.errors import GrapevineError, InvalidRequest, Problem
from grapevine.http import unknown_route
from grapevine.http.growsurf import growsurf
from grapevine.runtime import Runtime, Settings

NOW = 1_800_000_000_123
BLOCK = errors.Block(
    fraud_risk_level="HIGH",
    fraud_reason_code="BLOCKED_IP",
    matched_participant_ids=(),
    email="a@example.com",
    referrer_id=None,
    ip_address=None,
    fingerprint=None,
    blocked_at=NOW,
)
REFUSALS: list[tuple[GrapevineError, int, str, str]] = [
    (InvalidRequest("why"), 400, "BadRequestError", "BAD_REQUEST_ERROR"),
    (errors.UnknownParticipant(), 400, "BadRequestError", "BAD_REQUEST_ERROR"),
    (errors.NotAuthorized("why"), 403, "NotAuthorizedError", "NOT_AUTHORIZED_ERROR"),
    (errors.KeyMissing(), 403, "NotAuthorizedError", "NOT_AUTHORIZED_ERROR"),
    (errors.KeyUnknown(), 403, "NotAuthorizedError", "NOT_AUTHORIZED_ERROR"),
    (errors.KeyRevoked(), 403, "NotAuthorizedError", "NOT_AUTHORIZED_ERROR"),
    (errors.NotFound("why"), 404, "NotFoundError", "NOT_FOUND_ERROR"),
    (errors.CampaignNotActive(), 404, "NotFoundError", "NOT_FOUND_ERROR"),
    (errors.PlayLimitReached(), 409, "ConflictError", "CONFLICT_ERROR"),
    (errors.CodeNotRedeemable("EXPIRED"), 409, "ConflictError", "CONFLICT_ERROR"),
    (errors.AlreadyLinked(), 409, "ConflictError", "CONFLICT_ERROR"),
    (errors.VersionConflict(2), 412, "ConflictError", "CONFLICT_ERROR"),
    (errors.KeyReused(), 422, "UnprocessableEntityError", "UNPROCESSABLE_ENTITY_ERROR"),
    (errors.InvalidRewardState("why"), 406, "InvalidRewardState", "INVALID_REWARD_STATE"),
    (errors.Busy(), 409, "DuplicateRequestError", "DUPLICATE_REQUEST_ERROR"),
    (errors.PayloadTooLarge("why"), 413, "PayloadTooLargeError", "PAYLOAD_TOO_LARGE_ERROR"),
    (
        errors.UnsupportedMediaType("why"),
        415,
        "UnsupportedMediaTypeError",
        "UNSUPPORTED_MEDIA_TYPE_ERROR",
    ),
    (errors.LimitReached("why", 60), 429, "RateLimit", "RATE_LIMIT"),
    (
        errors.ParticipantBlocked(BLOCK),
        422,
        "ParticipantBlockedError",
        "PARTICIPANT_BLOCKED_ERROR",
    ),
    (
        errors.UnsupportedProgram("why"),
        422,
        "UnprocessableEntityError",
        "UNPROCESSABLE_ENTITY_ERROR",
    ),
    (errors.SettingMissing("X"), 500, "InternalServerError", "INTERNAL_SERVER_ERROR"),
]


def refused(error: GrapevineError) -> tuple[dict[str, Any], dict[str, str]]:
    with runtime.using(Runtime(Settings({}), now_ms=lambda: NOW)):
        event = growsurf.refusal(error).to_event()
    return json.loads(event["body"]), {"status": str(event["statusCode"]), **event["headers"]}


def test_the_table_names_every_error_of_the_tree() -> None:
    def leaves(kind: type[GrapevineError]) -> set[type[GrapevineError]]:
        return {kind}.union(*map(leaves, kind.__subclasses__()))

    listed = {type(error) for error, *_ in REFUSALS}

    # The third has problems of its own: below.
    roots = {GrapevineError, errors.RequestRefused, errors.UnknownEventType}
    assert leaves(GrapevineError) - listed == roots


@pytest.mark.parametrize(
    ("error", "status", "name", "code"),
    [pytest.param(*row, id=type(row[0]).__name__) for row in REFUSALS],
)
def test_each_error_has_its_status_name_and_code(
    error: GrapevineError, status: int, name: str, code: str
) -> None:
    body, answered = refused(error)

    assert answered["status"] == str(status)
    assert answered["content-type"] == "application/json"
    assert (body["status"], body["name"], body["code"]) == (status, name, code)
    assert body["level"] == "error"
    assert body["supportUrl"].startswith("https://")
    assert datetime.fromisoformat(body["timestamp"]).timestamp() * 1000 == pytest.approx(NOW)
    assert "errors" not in body


def test_a_refusal_says_what_is_wrong_in_both_forms_that_clients_read() -> None:
    problem = Problem("query", "limit", "limit", "Limit cannot be more than 100.", "200")

    body, _ = refused(InvalidRequest("Invalid request.", problem))

    assert body["message"] == "Invalid request."
    assert body["errors"] == [
        {
            "location": "query",
            "param": "limit",
            "value": "200",
            "msg": "Limit cannot be more than 100.",
            "field": "limit",
            "code": "limit",
            "message": "Limit cannot be more than 100.",
        }
    ]


@pytest.mark.parametrize(
    ("value", "echoed"),
    [
        (None, None),
        ("\ud800", "?"),
        ("x" * 10_000, "x" * 200),
        ({"a": [1]}, '{"a": [1]}'),
        (float("nan"), "NaN"),
        (True, "true"),
    ],
)
def test_what_was_sent_is_echoed_as_short_text_that_can_be_sent(
    value: object, echoed: str | None
) -> None:
    body, _ = refused(InvalidRequest("why", Problem("body", "field", "code", "msg", value)))

    assert body["errors"][0]["value"] == echoed


def test_a_failure_of_ours_does_not_tell_what_failed() -> None:
    body, _ = refused(errors.SettingMissing("SECRET_NAME"))

    assert "SECRET_NAME" not in json.dumps(body)


def test_busy_says_when_to_try_again() -> None:
    _, answered = refused(errors.Busy(retry_after_seconds=3))

    assert answered["retry-after"] == "3"


def test_a_type_of_event_that_is_not_known_is_a_wrong_field() -> None:
    body, answered = refused(errors.UnknownEventType("buy"))

    assert answered["status"] == "400"
    assert [each["field"] for each in body["errors"]] == ["eventType"]


@pytest.mark.parametrize("event", [{}, {"rawPath": "/v2/nowhere"}, {"rawPath": "/v11"}])
def test_an_unknown_route_is_a_404_in_the_same_form(event: dict[str, str]) -> None:
    answer = unknown_route.answer(event, None)

    assert answer["statusCode"] == 404
    assert json.loads(answer["body"])["code"] == "NOT_FOUND_ERROR"


@pytest.mark.parametrize("path", ["/v1", "/v1/", "/v1/campaigns", "/v1/campaigns/x/nothing"])
def test_an_unknown_route_of_gamifyhosts_is_told_in_its_words(path: str) -> None:
    answer = unknown_route.answer({"rawPath": path}, None)

    assert (answer["statusCode"], json.loads(answer["body"])) == (
        404,
        {"message": "There is no such endpoint.", "code": 404, "status": "error"},
    )


@pytest.mark.parametrize("path", ["/integrations/nothing", "/api/v3.0/integrations/nothing"])
def test_an_unknown_route_of_referds_is_told_in_its_words(path: str) -> None:
    answer = unknown_route.answer({"rawPath": path}, None)

    assert (answer["statusCode"], json.loads(answer["body"])) == (
        404,
        {"code": 404, "message": "There is no such endpoint."},
    )


@pytest.mark.parametrize(
    ("header", "key"),
    [
        ("Bearer abc", "abc"),
        ("bearer abc", "abc"),
        ("BEARER  abc ", "abc"),
        ("Bearer", None),
        ("Bearer ", None),
        ("Basic abc", None),
        ("abc", None),
        ("", None),
        ("Bearerabc", None),
    ],
)
def test_the_key_is_what_follows_bearer(header: str, key: str | None) -> None:
    assert growsurf.api_key({"authorization": header}) == key


def test_without_a_header_there_is_no_key() -> None:
    assert growsurf.api_key({}) is None
