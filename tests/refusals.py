"""The form that every refusal of the API has (GrowSurf's error body)."""

from __future__ import annotations

from datetime import datetime
from typing import Any

import httpx

CODES = {
    400: ("BadRequestError", "BAD_REQUEST_ERROR"),
    403: ("NotAuthorizedError", "NOT_AUTHORIZED_ERROR"),
    404: ("NotFoundError", "NOT_FOUND_ERROR"),
    409: ("DuplicateRequestError", "DUPLICATE_REQUEST_ERROR"),
    413: ("PayloadTooLargeError", "PAYLOAD_TOO_LARGE_ERROR"),
    429: ("RateLimit", "RATE_LIMIT"),
    415: ("UnsupportedMediaTypeError", "UNSUPPORTED_MEDIA_TYPE_ERROR"),
    422: ("UnprocessableEntityError", "UNPROCESSABLE_ENTITY_ERROR"),
}
_DETAIL = {"location", "param", "value", "msg", "field", "code", "message"}


def refusal(response: httpx.Response, status: int) -> dict[str, Any]:
    """The body of a refusal with this status, after a look at its form."""
    assert response.status_code == status, response.text
    assert response.headers["content-type"] == "application/json"
    body: dict[str, Any] = response.json()
    blocked = [("ParticipantBlockedError", "PARTICIPANT_BLOCKED_ERROR")] if status == 422 else []
    assert (body["name"], body["code"]) in [CODES[status], *blocked]
    assert body["status"] == status
    assert body["level"] == "error"
    assert body["message"]
    assert body["supportUrl"].startswith("https://")
    assert datetime.fromisoformat(body["timestamp"]).tzinfo is not None
    for detail in body.get("errors", []):
        assert detail.keys() == _DETAIL
    return body


def refused_fields(response: httpx.Response) -> list[str]:
    """The names of the fields that a 400 finds wrong."""
    return [detail["param"] for detail in refusal(response, 400).get("errors", [])]
