"""One API endpoint: authorises, reads, calls, answers and logs, the same way for all of them.

A handler module declares its endpoint beside the function it decorates, and Lambda calls the
result. What differs between the APIs that Grapevine speaks is in the endpoint's dialect.
"""

from __future__ import annotations

import time
from abc import ABC, abstractmethod
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, Generic, TypeVar

from pydantic import BaseModel, ValidationError
from pydantic_core import ErrorDetails

from grapevine.engine.access import Access, Caller
from grapevine.engine.participants.lookup import Located
from grapevine.errors import (
    Busy,
    GrapevineError,
    InvalidRequest,
    LimitReached,
    Location,
    Problem,
)
from grapevine.http.body import body_bytes, nested
from grapevine.log import log_defect, logger
from grapevine.table.campaigns import Campaign

Event = Mapping[str, Any]


class Nothing(BaseModel):
    """The body or query of an endpoint that takes none; whatever comes is ignored."""


B = TypeVar("B", bound=BaseModel)
Q = TypeVar("Q", bound=BaseModel)
R = TypeVar("R", bound=BaseModel)


@dataclass(frozen=True, slots=True)
class Request(Generic[B, Q]):
    """An authorised, validated request. Names of headers are in small letters; a repetition of a
    request has the same `repetition_key`, where its API knows any."""

    access: Access
    path: Mapping[str, str]
    headers: Mapping[str, str]
    body: B
    query: Q
    repetition_key: str | None

    @property
    def caller(self) -> Caller:
        return self.access.caller

    @property
    def campaign(self) -> Campaign:
        """The campaign in the path, which belongs to the caller."""
        if self.access.campaign is None:
            raise LookupError("this route names no campaign")
        return self.access.campaign

    @property
    def located(self) -> Located:
        """The participant in the path, as far as the first read has found it."""
        if self.access.located is None:
            raise LookupError("this route names no participant")
        return self.access.located


@dataclass(frozen=True, slots=True)
class Response:
    """`cookies` are whole `Set-Cookie` values."""

    status: int
    body: str
    headers: Mapping[str, str]
    cookies: tuple[str, ...] = ()

    def to_event(self) -> dict[str, Any]:
        """As API Gateway takes it (payload 2.0)."""
        cookies = {"cookies": list(self.cookies)} if self.cookies else {}
        return {
            "statusCode": self.status,
            "headers": {"content-type": "application/json", **self.headers},
            "body": self.body,
            "isBase64Encoded": False,
            **cookies,
        }


class Dialect(ABC):
    """What differs from API to API; `largest_body` in bytes."""

    largest_body: int

    @abstractmethod
    def authorize(self, scope: str, headers: Mapping[str, str], path: Mapping[str, str]) -> Access:
        """Lets the request through, with what an API looks at before the body. Names of headers
        are in small letters.

        Raises:
            NotAuthorized: it does not.
            NotFound: there is no such campaign.
        """

    def locate(self, access: Access, path: Mapping[str, str]) -> Access:
        """With what an API looks at after the body: nothing, unless it says so.

        Raises:
            NotFound: there is no such campaign.
        """
        del path
        return access

    @abstractmethod
    def parse(self, data: bytes, content_type: str | None) -> dict[str, Any]:
        """The fields of a body. Raises InvalidRequest or UnsupportedMediaType."""

    def repetition_key(self, headers: Mapping[str, str], body: BaseModel) -> str | None:
        """By what a client tells a repetition of a request from another one, where it says so.
        Raises InvalidRequest for one that cannot be."""
        del headers, body
        return None

    @abstractmethod
    def acceptance(self, answer: BaseModel) -> Response:
        """The answer to a request that has been done."""

    @abstractmethod
    def refusal(self, error: GrapevineError) -> Response:
        """The answer to a request that the engine refused."""

    @abstractmethod
    def failure(self) -> Response:
        """The answer when we are at fault."""

    def endpoint(
        self,
        route: str,
        *,
        scope: str,
        response: type[R],
        body: type[B] = Nothing,  # type: ignore[assignment]
        query: type[Q] = Nothing,  # type: ignore[assignment]
        refusals: tuple[int, ...] = (),
    ) -> Callable[[Callable[[Request[B, Q]], R | Response]], Endpoint[B, Q, R]]:
        """Makes a function the handler of a route. `refusals` are the statuses that only some
        routes answer, for the OpenAPI document. A `Response` that the function gives is sent as it
        is."""

        def declare(call: Callable[[Request[B, Q]], R | Response]) -> Endpoint[B, Q, R]:
            return Endpoint(
                route=route,
                scope=scope,
                dialect=self,
                body=body,
                query=query,
                response=response,
                refusals=refusals,
                call=call,
            )

        return declare


@dataclass(frozen=True, slots=True, kw_only=True)
class Endpoint(Generic[B, Q, R]):
    """`route` as in the template (`GET /v2/campaign/{id}`), `scope` the key needs, models of what
    goes in and out, `refusals` the statuses of its own: the OpenAPI document is made from them."""

    route: str
    scope: str
    dialect: Dialect
    body: type[B]
    query: type[Q]
    response: type[R]
    refusals: tuple[int, ...]
    call: Callable[[Request[B, Q]], R | Response]

    def __call__(self, event: Event, context: object) -> dict[str, Any]:
        """The Lambda handler: an API Gateway HTTP API event (payload 2.0) in, an answer out."""
        seen: dict[str, Any] = {}

        def respond() -> Response:
            answer = self.call(self._request(event, seen))
            return answer if isinstance(answer, Response) else self.dialect.acceptance(answer)

        return answered(self.route, self.dialect, context, seen, respond)

    def _request(self, event: Event, seen: dict[str, Any]) -> Request[B, Q]:
        """First the key, then what was sent, then all else: so whoever may not ask learns nothing,
        and a request that makes no sense costs nothing."""
        headers = {name.lower(): value for name, value in (event.get("headers") or {}).items()}
        path: Mapping[str, str] = event.get("pathParameters") or {}
        access = self.dialect.authorize(self.scope, headers, path)
        seen |= _ids_in(access)
        data = body_bytes(event, self.dialect.largest_body)
        takes_none = self.body is Nothing
        fields = {} if takes_none else self.dialect.parse(data, headers.get("content-type"))
        body = validated(self.body, fields, "body")
        query = validated(self.query, nested(event.get("queryStringParameters") or {}), "query")
        repetition_key = self.dialect.repetition_key(headers, body)
        access = self.dialect.locate(access, path)
        seen |= _ids_in(access)
        return Request(access, path, headers, body, query, repetition_key)


def _ids_in(access: Access) -> dict[str, str]:
    """What a log line says of who asks for what."""
    ids = {"accountId": access.caller.account_id, "keyId": access.caller.key_id}
    return {**ids, "campaignId": access.campaign.campaign_id} if access.campaign else ids


def waiting_time(error: GrapevineError) -> dict[str, str]:
    """The header that says when to try again, where the error knows."""
    if isinstance(error, Busy | LimitReached):
        return {"retry-after": str(error.retry_after_seconds)}
    return {}


def answered(
    route: str,
    dialect: Dialect,
    context: object,
    seen: Mapping[str, Any],
    respond: Callable[[], Response],
) -> dict[str, Any]:
    """The answer for API Gateway, whatever happens in `respond`, and one log line, with what has
    been `seen` by then."""
    started = time.monotonic()
    refused: dict[str, Any] = {}
    try:
        response = respond()
    except GrapevineError as error:
        response = dialect.refusal(error)
        refused = {"error": type(error).__name__}
        if response.status >= 500 and not isinstance(error, Busy):
            log_defect(error)
    except Exception as error:  # noqa: BLE001 - the client is owed an answer in its API's form
        log_defect(error)
        response = dialect.failure()
    logger().info(
        "request",
        route=route,
        status=response.status,
        durationMs=round((time.monotonic() - started) * 1000),
        requestId=getattr(context, "aws_request_id", None),
        **seen,
        **refused,
    )
    return response.to_event()


M = TypeVar("M", bound=BaseModel)

MOST_PROBLEMS = 20
"""Of a request that an answer lists: a body can have thousands."""

INVALID = "Invalid request. Request params are missing or are invalid"


def validated(model: type[M], values: Mapping[str, Any], location: Location) -> M:
    """The values as a model. Raises InvalidRequest with all that is wrong."""
    try:
        return model.model_validate(values)
    except ValidationError as error:
        problems = [
            Problem(
                location,
                ".".join(str(part) for part in entry["loc"]),
                entry["type"],
                entry["msg"],
                entry["input"] if _may_be_told(model, entry) else None,
            )
            for entry in error.errors(include_url=False, include_context=False)[:MOST_PROBLEMS]
        ]
        raise InvalidRequest(INVALID, *problems) from None


def _may_be_told(model: type[BaseModel], entry: ErrorDetails) -> bool:
    """Whether an answer may say what was sent. A field without a `repr` holds a secret, and for a
    missing one pydantic gives everything that was sent in its place, secrets among it."""
    if not entry["loc"] or entry["type"] == "missing":
        return False
    fields = {field.alias: field for field in model.model_fields.values()}
    field = fields.get(str(entry["loc"][0]))
    return field is None or field.repr
