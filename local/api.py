"""The HTTP API: a request goes to its route's function, and the answer says what it cost."""

from __future__ import annotations

from collections.abc import Callable, Iterable

from local import apigateway
from local.declarations import Route
from local.functions import Functions, Outcome
from local.http_messages import Request, Response
from local.invocation import Invocation


class Api:
    def __init__(
        self,
        routes: Iterable[Route],
        functions: Functions,
        account_id: str,
        now_ms: Callable[[], int],
    ) -> None:
        self._router = apigateway.Router(routes)
        self._functions = functions
        self._account_id = account_id
        self._now_ms = now_ms

    def answer(self, request: Request) -> Response:
        found = self._router.match(request.method, apigateway.decoded(request.path))
        if found is None:
            return apigateway.NOT_FOUND
        route, parameters = found
        event = apigateway.event(
            request, route, parameters, account_id=self._account_id, now_ms=self._now_ms()
        )
        outcome = self._functions.invoke(route.function_id, event)
        return _response(outcome).with_headers(_cost(outcome.invocation))


def _response(outcome: Outcome) -> Response:
    """API Gateway's 500 for a handler that raised; a 502, to be told apart, for a killed one."""
    if outcome.failure is None:
        return apigateway.response(outcome.payload)
    return apigateway.BAD_GATEWAY if outcome.failure.killed else apigateway.INTERNAL_ERROR


def _cost(invocation: Invocation) -> list[tuple[str, str]]:
    return [
        ("X-Local-Calls", str(invocation.calls)),
        ("X-Local-Read-Units", f"{invocation.read_units:g}"),
        ("X-Local-Write-Units", f"{invocation.write_units:g}"),
    ]
