"""The public endpoints, which visitors' browsers call without a key: links, reports, the script.

They refuse in the GrowSurf API's error bodies and log like the others. Of whoever calls, nothing is
logged: no address, no user agent, no cookie.
"""

from __future__ import annotations

import hashlib
import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, Generic, TypeVar

from pydantic import BaseModel

from grapevine.engine.tracking.links import Followed
from grapevine.engine.tracking.visits import Visit
from grapevine.http.body import body_bytes, parse_body
from grapevine.http.endpoint import Event, Nothing, Response, answered, validated
from grapevine.http.growsurf import growsurf

VISITOR_COOKIE = "grsf_visitor"
VISITOR_ID = re.compile(r"[A-Za-z0-9_-]{16,64}")

PREFLIGHT_SECONDS = 7200
SCRIPT_SECONDS = 3600

_DAY_SECONDS = 86_400

B = TypeVar("B", bound=BaseModel)
Q = TypeVar("Q", bound=BaseModel)


@dataclass(frozen=True, slots=True)
class PublicRequest(Generic[B, Q]):
    """A validated request of anybody. `origin` is the page's that sent it, as its browser says."""

    path: Mapping[str, str]
    headers: Mapping[str, str]
    body: B
    query: Q
    visit: Visit

    @property
    def origin(self) -> str | None:
        return self.headers.get("origin")


@dataclass(frozen=True, slots=True, kw_only=True)
class PublicEndpoint(Generic[B, Q]):
    """`route` as in the template, models of what goes in and out (`response` None: no JSON),
    `status` of an answer and `refusals`: the OpenAPI document is made from them."""

    route: str
    body: type[B]
    query: type[Q]
    response: type[BaseModel] | None
    status: int
    refusals: tuple[int, ...]
    call: Callable[[PublicRequest[B, Q]], Response]

    def __call__(self, event: Event, context: object) -> dict[str, Any]:
        """The Lambda handler: an API Gateway HTTP API event (payload 2.0) in, an answer out."""
        return answered(self.route, growsurf, context, {}, lambda: self.call(self._request(event)))

    def _request(self, event: Event) -> PublicRequest[B, Q]:
        headers: Mapping[str, str] = event.get("headers") or {}
        fields = {}
        if self.body is not Nothing:
            fields = parse_body(body_bytes(event), _content_type(headers))
        return PublicRequest(
            event.get("pathParameters") or {},
            headers,
            validated(self.body, fields, "body"),
            validated(self.query, event.get("queryStringParameters") or {}, "query"),
            _visit(event, headers),
        )


def public_endpoint(
    route: str,
    *,
    body: type[B] = Nothing,  # type: ignore[assignment]
    query: type[Q] = Nothing,  # type: ignore[assignment]
    response: type[BaseModel] | None = None,
    status: int = 200,
    refusals: tuple[int, ...] = (),
) -> Callable[[Callable[[PublicRequest[B, Q]], Response]], PublicEndpoint[B, Q]]:
    """Makes a function the handler of a public route."""

    def declare(call: Callable[[PublicRequest[B, Q]], Response]) -> PublicEndpoint[B, Q]:
        return PublicEndpoint(
            route=route,
            body=body,
            query=query,
            response=response,
            status=status,
            refusals=refusals,
            call=call,
        )

    return declare


def _content_type(headers: Mapping[str, str]) -> str | None:
    """JSON sent as plain text needs no preflight, so browsers send it in one request."""
    sent = headers.get("content-type", "")
    return None if sent.lower().startswith("text/plain") else sent


def _visit(event: Event, headers: Mapping[str, str]) -> Visit:
    http = event["requestContext"]["http"]
    purposes = ("purpose", "sec-purpose", "x-purpose", "x-moz")
    cookies = dict(each.partition("=")[::2] for each in event.get("cookies") or ())
    visitor_id = cookies.get(VISITOR_COOKIE, "")
    return Visit(
        address=http["sourceIp"],
        user_agent=headers.get("user-agent", ""),
        purpose=" ".join(headers.get(name, "") for name in purposes),
        visitor_id=visitor_id if VISITOR_ID.fullmatch(visitor_id) else None,
    )


def redirect(followed: Followed, request: PublicRequest[Nothing, Q]) -> Response:
    """On to the share URL, never from a cache. The cookie comes back to this campaign's links only,
    and no script can read it: a page is told the visitor's id in its URL."""
    headers = {"location": followed.location, "cache-control": "no-store"}
    if followed.visitor_id is None:
        return Response(302, "", headers)
    secure = request.headers.get("x-forwarded-proto") == "https"
    cookie = (
        f"{VISITOR_COOKIE}={followed.visitor_id}; Path=/r/{request.path['campaignId']}; "
        f"Max-Age={followed.cookie_days * _DAY_SECONDS}; HttpOnly; SameSite=Lax"
    )
    return Response(302, "", headers, (f"{cookie}; Secure" if secure else cookie,))


def to_page(answer: BaseModel, request: PublicRequest[B, Q]) -> Response:
    """An answer that the page which asked may read."""
    return Response(200, answer.model_dump_json(by_alias=True), _cross_origin(request))


def preflight(request: PublicRequest[Nothing, Q]) -> Response:
    """Leave for a page to send JSON."""
    headers = {
        **_cross_origin(request),
        "access-control-allow-methods": "POST",
        "access-control-allow-headers": "content-type",
        "access-control-max-age": str(PREFLIGHT_SECONDS),
    }
    return Response(204, "", headers)


def _cross_origin(request: PublicRequest[B, Q]) -> dict[str, str]:
    return {"access-control-allow-origin": request.origin or "", "vary": "origin"}


def javascript(text: str, request: PublicRequest[Nothing, Q]) -> Response:
    """A script, kept by browsers for an hour; after that they ask whether it has changed."""
    tag = f'"{hashlib.sha256(text.encode()).hexdigest()[:32]}"'
    headers = {
        "content-type": "text/javascript; charset=utf-8",
        "cache-control": f"public, max-age={SCRIPT_SECONDS}",
        "cross-origin-resource-policy": "cross-origin",
        "etag": tag,
    }
    known = request.headers.get("if-none-match", "")
    if tag in [each.strip().removeprefix("W/") for each in known.split(",")]:
        return Response(304, "", headers)
    return Response(200, text, headers)
