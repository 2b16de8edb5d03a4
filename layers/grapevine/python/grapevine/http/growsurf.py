"""The GrowSurf dialect: a Bearer key, and errors in the body form of the GrowSurf REST API v2."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from typing import Any

from pydantic import BaseModel

from grapevine import errors, runtime
from grapevine.engine.access import Access, authorize
from grapevine.errors import GrapevineError, InvalidRequest, Problem
from grapevine.http.body import LARGEST_BODY_BYTES, parse_body
from grapevine.http.endpoint import Dialect, Response, waiting_time
from grapevine.http.models.errors import BlockedError, Error, ErrorDetail

_SUPPORT_URL = "https://docs.growsurf.com/developer-tools/rest-api/api-reference"

# Error class -> status, name, code (the API's own words). The first match counts.
_REFUSALS: tuple[tuple[type[GrapevineError], int, str, str], ...] = (
    (errors.InvalidRequest, 400, "BadRequestError", "BAD_REQUEST_ERROR"),
    (errors.NotAuthorized, 403, "NotAuthorizedError", "NOT_AUTHORIZED_ERROR"),
    (errors.NotFound, 404, "NotFoundError", "NOT_FOUND_ERROR"),
    (errors.InvalidRewardState, 406, "InvalidRewardState", "INVALID_REWARD_STATE"),
    (errors.Busy, 409, "DuplicateRequestError", "DUPLICATE_REQUEST_ERROR"),
    (errors.PayloadTooLarge, 413, "PayloadTooLargeError", "PAYLOAD_TOO_LARGE_ERROR"),
    (errors.UnsupportedMediaType, 415, "UnsupportedMediaTypeError", "UNSUPPORTED_MEDIA_TYPE_ERROR"),
    (errors.LimitReached, 429, "RateLimit", "RATE_LIMIT"),
    (errors.PlayLimitReached, 409, "ConflictError", "CONFLICT_ERROR"),
    (errors.CodeNotRedeemable, 409, "ConflictError", "CONFLICT_ERROR"),
    (errors.AlreadyLinked, 409, "ConflictError", "CONFLICT_ERROR"),
    (errors.VersionConflict, 412, "ConflictError", "CONFLICT_ERROR"),
    (errors.KeyReused, 422, "UnprocessableEntityError", "UNPROCESSABLE_ENTITY_ERROR"),
    (errors.UnsupportedProgram, 422, "UnprocessableEntityError", "UNPROCESSABLE_ENTITY_ERROR"),
)

_LONGEST_ECHO = 200


class _GrowSurf(Dialect):
    largest_body = LARGEST_BODY_BYTES

    def authorize(self, scope: str, headers: Mapping[str, str], path: Mapping[str, str]) -> Access:
        return authorize(self.api_key(headers), scope, path.get("id"), path.get("participant"))

    def api_key(self, headers: Mapping[str, str]) -> str | None:
        """The secret key that the request carries."""
        scheme, _, secret = headers.get("authorization", "").partition(" ")
        return secret.strip() or None if scheme.lower() == "bearer" else None

    def parse(self, data: bytes, content_type: str | None) -> dict[str, Any]:
        return parse_body(data, content_type)

    def acceptance(self, answer: BaseModel) -> Response:
        return Response(200, answer.model_dump_json(by_alias=True, exclude_unset=True), {})

    def refusal(self, error: GrapevineError) -> Response:
        if isinstance(error, errors.ParticipantBlocked):
            return Response(422, _blocked_body(error), {})
        for kind, status, name, code in _REFUSALS:
            if isinstance(error, kind):
                headers = waiting_time(error)
                if isinstance(error, errors.LimitReached):
                    # The official SDKs would try again within seconds.
                    headers["x-should-retry"] = "false"
                problems = error.problems if isinstance(error, InvalidRequest) else ()
                return Response(status, _body(status, name, code, str(error), problems), headers)
        return self.failure()

    def failure(self) -> Response:
        message = "Something went wrong on the server. Try again."
        return Response(
            500, _body(500, "InternalServerError", "INTERNAL_SERVER_ERROR", message), {}
        )


def _blocked_body(error: errors.ParticipantBlocked) -> str:
    block = error.block
    body = BlockedError(
        name="ParticipantBlockedError",
        code="PARTICIPANT_BLOCKED_ERROR",
        message=error.message,
        status=422,
        support_url=_SUPPORT_URL,
        timestamp=_iso(runtime.now_ms()),
        fraud_risk_level=block.fraud_risk_level,
        fraud_reason_code=block.fraud_reason_code,
        matched_participant_ids=list(block.matched_participant_ids),
        email=block.email,
        referrer_id=block.referrer_id,
        ip_address=block.ip_address,
        fingerprint=block.fingerprint,
        blocked_at=_iso(block.blocked_at),
    )
    return body.model_dump_json(by_alias=True, exclude={"errors"})


def _iso(ms: int) -> str:
    moment = datetime.fromtimestamp(ms / 1000, tz=UTC)
    return moment.isoformat(timespec="milliseconds").replace("+00:00", "Z")


def _body(status: int, name: str, code: str, message: str, problems: Sequence[Problem] = ()) -> str:
    body = Error(
        name=name,
        code=code,
        message=message,
        status=status,
        support_url=_SUPPORT_URL,
        timestamp=_iso(runtime.now_ms()),
        errors=[_detail(problem) for problem in problems] or None,
    )
    return body.model_dump_json(by_alias=True, exclude_none=not problems)


def _detail(problem: Problem) -> ErrorDetail:
    value = problem.value
    if value is not None:
        text = value if isinstance(value, str) else json.dumps(value, default=str)
        # Half a surrogate pair cannot be sent back.
        value = text.encode("utf-8", "replace").decode()[:_LONGEST_ECHO]
    return ErrorDetail(
        location=problem.location,
        param=problem.field,
        value=value,
        msg=problem.message,
        field=problem.field,
        code=problem.code,
        message=problem.message,
    )


growsurf = _GrowSurf()
endpoint = growsurf.endpoint
