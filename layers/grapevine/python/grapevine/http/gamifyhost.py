"""The GamifyHost dialect: a secret key in a header, campaigns by slug, answers in an envelope."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any

from pydantic import BaseModel

from grapevine import errors
from grapevine.engine.access import Access, authorize, campaign_called
from grapevine.engine.mechanics.outcomes import Outcome
from grapevine.errors import GrapevineError, InvalidRequest, NotFound, Problem
from grapevine.http import exact_body
from grapevine.http.body import LARGEST_BODY_BYTES
from grapevine.http.endpoint import Dialect, Response, waiting_time
from grapevine.http.idempotency import repetition_key
from grapevine.http.models.gamifyhost import EventResult, FieldError, GamifyHostError, Repeatable
from grapevine.table import exact_json
from grapevine.table.ledger import Win

INVALID_BODY = "Invalid request body"

# Error class -> status and message; None: the error's own. The first match counts.
_REFUSALS: tuple[tuple[type[GrapevineError], int, str | None], ...] = (
    (errors.KeyMissing, 401, "Missing X-API-Secret header"),
    (errors.KeyUnknown, 401, "Invalid API key"),
    (errors.KeyRevoked, 403, "API key has been revoked"),
    (errors.NotAuthorized, 403, None),
    (errors.PayloadTooLarge, 400, INVALID_BODY),
    (errors.UnsupportedMediaType, 400, INVALID_BODY),
    (errors.NotFound, 404, None),
    (errors.CodeNotRedeemable, 409, None),
    (errors.PlayLimitReached, 409, None),
    (errors.AlreadyLinked, 409, None),
    (errors.VersionConflict, 412, None),
    (errors.KeyReused, 422, None),
    (errors.LimitReached, 429, "Too many requests"),
    (errors.Busy, 503, "Temporarily busy, retry the request"),
    (errors.RequestRefused, 400, None),
)


@dataclass(frozen=True, slots=True)
class GamifyHost(Dialect):
    """`not_found` is what a route says of a slug that the account does not have. Campaigns may be
    as they were some seconds ago where the route `remembers` them. `counted` is the one field whose
    numbers are looked at, if not all are."""

    not_found: str = "Campaign not found"
    remembers: bool = False
    counted: str | None = None
    largest_body: int = exact_body.LARGEST_BODY_BYTES

    def authorize(self, scope: str, headers: Mapping[str, str], path: Mapping[str, str]) -> Access:
        del path
        return authorize(headers.get("x-api-secret", "").strip() or None, scope)

    def locate(self, access: Access, path: Mapping[str, str]) -> Access:
        slug = path.get("slug")
        if slug is None:
            return access
        try:
            campaign = campaign_called(access.caller, slug, may_be_remembered=self.remembers)
        except NotFound:
            raise NotFound(self.not_found) from None
        return replace(access, campaign=campaign)

    def parse(self, data: bytes, content_type: str | None) -> dict[str, Any]:
        return exact_body.parse_exact(data, content_type, counted=self.counted)

    def repetition_key(self, headers: Mapping[str, str], body: BaseModel) -> str | None:
        return repetition_key(headers, body.reference if isinstance(body, Repeatable) else None)

    def acceptance(self, answer: BaseModel) -> Response:
        return Response(200, body_of(answer), {})

    def refusal(self, error: GrapevineError) -> Response:
        if isinstance(error, InvalidRequest) and error.problems:
            return _wrong_fields(error)
        for kind, status, message in _REFUSALS:
            if isinstance(error, kind):
                return _refused(status, message or str(error), headers=waiting_time(error))
        return self.failure()

    def failure(self) -> Response:
        return _refused(500, "Internal server error")


def body_of(answer: BaseModel) -> str:
    """The whole body of a success: what a receipt keeps."""
    return _enveloped(answer.model_dump_json(by_alias=True, exclude_unset=True))


def event_body(outcome: Outcome, win: Win | None) -> str:
    """What an event is answered with, and its receipt keeps."""
    return body_of(EventResult.of(outcome, win))


def exact_answer(data: Mapping[str, Any]) -> Response:
    """A success whose numbers are told exactly, fractions included."""
    return Response(200, _enveloped(exact_json.dumps(data)), {})


def _enveloped(data: str) -> str:
    return f'{{"status":"success","data":{data}}}'


def _refused(
    status: int,
    message: str,
    wrong: list[FieldError] | None = None,
    headers: Mapping[str, str] | None = None,
) -> Response:
    body = GamifyHostError(message=message, code=status, status="error", errors=wrong)
    return Response(status, body.model_dump_json(by_alias=True, exclude_none=True), headers or {})


def _wrong_fields(error: InvalidRequest) -> Response:
    is_in_query = all(problem.location == "query" for problem in error.problems)
    message = "Invalid request parameters" if is_in_query else INVALID_BODY
    return _refused(400, message, [_field_error(problem) for problem in error.problems])


def _field_error(problem: Problem) -> FieldError:
    message = "is required" if problem.code == "missing" else problem.message
    return FieldError(field=problem.field, message=message)


gamifyhost = GamifyHost()
of_events = GamifyHost("Campaign not found or not active", remembers=True, counted="metadata")
"""For routes that take events."""
of_players = GamifyHost("Campaign or participant not found")
"""For routes that speak of one player."""
of_mechanics = GamifyHost(largest_body=LARGEST_BODY_BYTES)
"""For the configuration: what GET shows has all the defaults, and is taken as well."""
