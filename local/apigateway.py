"""API Gateway's HTTP API: picks the route, makes the payload 2.0 event, reads the answer.

It decodes a path once and as a whole, before it looks for a route: `a%2Fb` is two segments, what
follows a `%3F` is cut off, and only `a%252Fb` reaches a parameter, as `a%2Fb`. (As it was found in
events of live stages by the authors of adapters: hotsock/voker PR 8, middleapi/standard-server PR
93. AWS documents no more than that it decodes.)
"""

from __future__ import annotations

import base64
import datetime
import json
import uuid
from collections.abc import Iterable, Mapping
from typing import Any
from urllib.parse import parse_qsl, unquote

from local.declarations import DEFAULT_ROUTE, Route
from local.http_messages import Request, Response

_ANY = "ANY"
_API_ID = "local"
_TEXT_TYPES = ("text/", "application/json", "application/javascript", "application/xml")
_TEXT_SUFFIXES = ("+json", "+xml")

INTERNAL_ERROR = Response.json(500, {"message": "Internal Server Error"})
BAD_GATEWAY = Response.json(502, {"message": "Bad Gateway"})
NOT_FOUND = Response.json(404, {"message": "Not Found"})


def decoded(path: str) -> str:
    """A path as routes and functions see it."""
    return unquote(path).split("?", 1)[0]


class Router:
    """Finds the most specific route of a request."""

    def __init__(self, routes: Iterable[Route]) -> None:
        self._routes = sorted(routes, key=_specificity)

    def match(self, method: str, path: str) -> tuple[Route, dict[str, str]] | None:
        """The route of a path as `decoded` gives it, and its parameters; the default route takes
        what is left."""
        segments = path.split("/")
        for route in self._routes:
            if route.path == DEFAULT_ROUTE:
                return route, {}
            parameters = _parameters(route.path.split("/"), segments)
            if parameters is not None and route.method in (method, _ANY):
                return route, parameters
        return None


def _specificity(route: Route) -> tuple[Any, ...]:
    """Sorts fixed segments before parameters before `{rest+}`, and one method before all."""
    kinds = [_kind(segment) for segment in route.path.split("/")]
    return route.path == DEFAULT_ROUTE, kinds, route.method == _ANY


def _kind(segment: str) -> int:
    if not segment.startswith("{"):
        return 0
    return 2 if segment.endswith("+}") else 1


def _parameters(route: list[str], path: list[str]) -> dict[str, str] | None:
    parameters: dict[str, str] = {}
    for position, segment in enumerate(route):
        if _kind(segment) == 2:
            rest = "/".join(path[position:])
            return {**parameters, segment[1:-2]: rest} if rest else None
        if position >= len(path):
            return None
        if _kind(segment) == 0:
            if segment != path[position]:
                return None
        elif not path[position]:
            return None
        else:
            parameters[segment[1:-1]] = path[position]
    return parameters if len(route) == len(path) else None


def event(
    request: Request, route: Route, parameters: Mapping[str, str], *, account_id: str, now_ms: int
) -> dict[str, Any]:
    """The event that the route's function gets."""
    headers = request.joined_headers()
    cookies = headers.pop("cookie", None)
    route_key = DEFAULT_ROUTE if route.path == DEFAULT_ROUTE else f"{route.method} {route.path}"
    made: dict[str, Any] = {
        "version": "2.0",
        "routeKey": route_key,
        "rawPath": decoded(request.path),
        "rawQueryString": request.query,
        "headers": headers,
        "requestContext": _request_context(request, route_key, account_id, now_ms),
        "isBase64Encoded": False,
    }
    if cookies is not None:
        made["cookies"] = [each.strip() for each in cookies.split(";")]
    if request.query:
        made["queryStringParameters"] = _query(request.query)
    if parameters:
        made["pathParameters"] = dict(parameters)
    if request.body:
        made["body"], made["isBase64Encoded"] = _body(request, headers)
    return made


def _request_context(
    request: Request, route_key: str, account_id: str, now_ms: int
) -> dict[str, Any]:
    headers = request.joined_headers()
    moment = datetime.datetime.fromtimestamp(now_ms / 1000, datetime.UTC)
    domain = headers.get("host", "localhost")
    return {
        "accountId": account_id,
        "apiId": _API_ID,
        "domainName": domain,
        "domainPrefix": domain.split(".")[0],
        "http": {
            "method": request.method,
            "path": decoded(request.path),
            "protocol": request.protocol,
            "sourceIp": request.source_ip,
            "userAgent": headers.get("user-agent", ""),
        },
        "requestId": str(uuid.uuid4()),
        "routeKey": route_key,
        "stage": "$default",
        "time": moment.strftime("%d/%b/%Y:%H:%M:%S +0000"),
        "timeEpoch": now_ms,
    }


def _query(query: str) -> dict[str, str]:
    joined: dict[str, str] = {}
    for name, value in parse_qsl(query, keep_blank_values=True):
        joined[name] = f"{joined[name]},{value}" if name in joined else value
    return joined


def _body(request: Request, headers: Mapping[str, str]) -> tuple[str, bool]:
    """API Gateway tells text from the rest by its type: a form, for one, comes as base64."""
    kind = headers.get("content-type", "text/plain").split(";")[0].strip().lower()
    if kind.startswith(_TEXT_TYPES) or kind.endswith(_TEXT_SUFFIXES):
        try:
            return request.body.decode(), False
        except UnicodeDecodeError:
            pass
    return base64.b64encode(request.body).decode(), True


def response(payload: Any) -> Response:
    """What the client gets for a function's answer; an answer of no known form is a 500."""
    if not isinstance(payload, Mapping) or "statusCode" not in payload:
        # Payload 2.0 infers the rest when the function just returns its body.
        body = payload if isinstance(payload, str) else json.dumps(payload)
        return Response(200, (("Content-Type", "application/json"),), body.encode())
    try:
        return _explicit_response(payload)
    except (AttributeError, TypeError, ValueError):
        return INTERNAL_ERROR


def _explicit_response(payload: Mapping[str, Any]) -> Response:
    headers = [(str(name), str(value)) for name, value in (payload.get("headers") or {}).items()]
    if not any(name.lower() == "content-type" for name, _ in headers):
        headers.append(("Content-Type", "text/plain;charset=UTF-8"))
    cookies = [("Set-Cookie", str(each)) for each in payload.get("cookies") or ()]
    text = payload.get("body") or ""
    encoded = payload.get("isBase64Encoded", False)
    body = base64.b64decode(text, validate=True) if encoded else text.encode()
    return Response(int(payload["statusCode"]), (*headers, *cookies), body)
