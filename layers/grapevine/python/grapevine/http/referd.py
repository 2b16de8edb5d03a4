"""The Referd dialect: a key that apps may carry, no campaign, errors with codes of its own."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import Any

from pydantic import BaseModel

from grapevine import errors
from grapevine.engine.access import Access, authorize_report
from grapevine.engine.mechanics.inbox import Report
from grapevine.errors import GrapevineError, InvalidRequest, Problem
from grapevine.http import exact_body
from grapevine.http.endpoint import Dialect, Nothing, Request, Response, waiting_time
from grapevine.http.exact_body import UNREADABLE, Flaw, sendable
from grapevine.http.idempotency import repetition_key
from grapevine.http.models.referd import ReferdError, SendEvents

# The API's own codes.
MISSING, NULL, INVALID, WRONG = 4, 5, 7, 13
EVENT_NOT_FOUND = 351
UNAUTHORIZED, FORBIDDEN = 1000, 1002

_EVENTS = "events"

# Error class -> status, code and message; None: the error's own. The first match counts. A missing
# key is forbidden and a wrong one unauthorized: so it is in this API.
_REFUSALS: tuple[tuple[type[GrapevineError], int, int, str | None], ...] = (
    (errors.KeyMissing, 403, FORBIDDEN, "Forbidden"),
    (errors.KeyUnknown, 401, UNAUTHORIZED, "Unauthorized"),
    (errors.KeyRevoked, 401, UNAUTHORIZED, "Unauthorized"),
    (errors.NotAuthorized, 403, FORBIDDEN, "Forbidden"),
    (errors.UnknownEventType, 404, EVENT_NOT_FOUND, "Event Not Found"),
    (errors.UnsupportedMediaType, 400, NULL, "Null Arguments"),
    (errors.NotFound, 404, 404, None),
    (errors.KeyReused, 422, INVALID, None),
    (errors.LimitReached, 429, 429, "Too many requests"),
    (errors.Busy, 503, WRONG, "Something Wrong"),
    (errors.RequestRefused, 400, INVALID, None),
)


class _Referd(Dialect):
    largest_body = exact_body.LARGEST_BODY_BYTES

    def authorize(self, scope: str, headers: Mapping[str, str], path: Mapping[str, str]) -> Access:
        del path
        secret = headers.get("secretkey", "").strip()
        return authorize_report(headers.get("apikey", "").strip() or None, secret or None, scope)

    def parse(self, data: bytes, content_type: str | None) -> dict[str, Any]:
        return exact_body.parse_exact(data, content_type, _problem_of, counted=_EVENTS)

    def repetition_key(self, headers: Mapping[str, str], body: BaseModel) -> str | None:
        del body
        return repetition_key(headers)

    def acceptance(self, answer: BaseModel) -> Response:
        return Response(200, answer.model_dump_json(by_alias=True), {})

    def refusal(self, error: GrapevineError) -> Response:
        for kind, status, code, message in _REFUSALS:
            if isinstance(error, kind):
                if status == 400 and isinstance(error, InvalidRequest) and error.problems:
                    return _refused(status, *_told(error.problems[0]))
                return _refused(status, code, message or str(error), waiting_time(error))
        return self.failure()

    def failure(self) -> Response:
        return _refused(500, WRONG, "Something Wrong")


def report_of(request: Request[SendEvents, Nothing]) -> Report:
    """What a request tells."""
    sent = request.body
    attributes = sent.player_attributes
    return Report(
        user_id=sent.player_unique_id,
        events=sent.events,
        display_name=(attributes.display_name if attributes else None) or None,
        trust=request.caller.trust,
        key=request.repetition_key,
    )


def _refused(
    status: int, code: int, message: str, headers: Mapping[str, str] | None = None
) -> Response:
    body = ReferdError(code=code, message=message).model_dump_json()
    return Response(status, body, headers or {})


def _problem_of(flaw: Flaw) -> Problem:
    problem = exact_body.problem_of(flaw)
    if flaw.kind != "replicated":
        return problem
    what = "Event" if flaw.path[:-1] == (_EVENTS,) else "Key"
    return replace(problem, message=f"{what} '{sendable(flaw.path[-1])}' is replicated")


def _told(problem: Problem) -> tuple[int, str]:
    """The first problem is all that this API tells."""
    if problem.code == "missing":
        name = problem.field[:1].upper() + problem.field[1:]
        return MISSING, f"The {name} field is required."
    if problem.code == UNREADABLE or problem.code.endswith("_type"):
        return NULL, "Null Arguments"
    if problem.code in {"events", "replicated"}:
        return INVALID, problem.message
    return INVALID, f"{problem.field}: {problem.message}"


referd = _Referd()
endpoint = referd.endpoint
