"""The stack's own routes under `/_local`: draining, the clock, inboxes, mail, the raw table."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import TYPE_CHECKING, Any
from urllib.parse import parse_qs

from local.clock import BackwardMove
from local.http_messages import Request, Response
from local.inbox import BadScript
from local.mail_service import BadFailure

if TYPE_CHECKING:
    from local.stack import Stack

PREFIX = "/_local"

_LATEST_MS = 253_402_300_799_000  # the end of the year 9999
_CALLS = "DynamoDB_20120810."
_LIST_TABLES = _CALLS + "ListTables"


class _Refused(Exception):
    """A request that makes no sense; the message says why."""


class Control:
    """Answers what lies under PREFIX; `None` for everything else."""

    def __init__(self, stack: Stack) -> None:
        self._stack = stack
        self._areas: dict[str, Callable[[Request, list[str]], Response]] = {
            "clock": self._clock,
            "drain": self._drain,
            "dynamodb": self._dynamodb,
            "inbox": self._inbox,
            "mail": self._mail,
            "queues": self._queues,
            "stack": self._facts,
        }

    def answer(self, request: Request) -> Response | None:
        if not request.path.startswith((PREFIX + "/", PREFIX + "?")) and request.path != PREFIX:
            return None
        _, _, area, *rest = [*request.path.split("/"), ""]
        route = self._areas.get(area)
        if route is None:
            return Response.json(404, {"message": f"nothing at {request.path}"})
        try:
            return route(request, [each for each in rest if each])
        except (_Refused, BadFailure, BadScript, BackwardMove) as refused:
            return Response.json(400, {"message": str(refused)})

    def _drain(self, request: Request, _rest: list[str]) -> Response:
        if request.method != "POST":
            return _not_allowed("POST")
        return Response.json(200, self._stack.drain())

    def _clock(self, request: Request, _rest: list[str]) -> Response:
        if request.method == "POST":
            self._move_clock(_object(request))
        elif request.method != "GET":
            return _not_allowed("GET, POST")
        return Response.json(200, {"now": self._stack.now_ms()})

    def _move_clock(self, move: dict[str, Any]) -> None:
        if move.keys() not in ({"now"}, {"advanceMs"}):
            raise _Refused('give {"now": ms} or {"advanceMs": n}')
        ((name, value),) = move.items()
        if type(value) is not int or not 0 <= value <= _LATEST_MS:
            raise _Refused(f"{name} must be a whole number of milliseconds, from 0")
        if name == "now":
            self._stack.set_clock(value)
        else:
            self._stack.advance(value)

    def _inbox(self, request: Request, rest: list[str]) -> Response:
        if not rest:
            return Response.json(404, {"message": "an inbox has a name: /_local/inbox/{name}"})
        name, *below = rest
        inboxes = self._stack.inboxes
        if request.method == "POST" and below == ["respond"]:
            inboxes.respond(name, _object(request))
            return Response.json(200, {})
        if request.method == "GET" and not below:
            return Response.json(200, inboxes.received(name))
        if request.method == "DELETE" and not below:
            inboxes.empty(name)
            return Response(204)
        return inboxes.receive(name, request)

    def _mail(self, request: Request, rest: list[str]) -> Response:
        service = self._stack.mail
        if request.method == "POST" and rest == ["fail"]:
            asked = {"times": 1, **_object(request)}
            if asked.keys() != {"failure", "times"} or type(asked["times"]) is not int:
                raise _Refused('give {"failure": name} and, if you like, "times"')
            service.fail(str(asked["failure"]), asked["times"])
            return Response.json(200, {})
        if rest or request.method not in ("GET", "DELETE"):
            return _not_allowed("GET, DELETE, POST /_local/mail/fail")
        if request.method == "DELETE":
            service.empty()
            return Response(204)
        recipient = parse_qs(request.query).get("to", [None])[0]
        return Response.json(200, [each.described() for each in service.sent(recipient)])

    def _dynamodb(self, request: Request, _rest: list[str]) -> Response:
        target = request.joined_headers().get("x-amz-target", "")
        if request.method != "POST" or not target.startswith(_CALLS):
            return Response.json(400, {"message": "this is a DynamoDB endpoint"})
        if target == _LIST_TABLES:
            # The endpoint may hold other tables, too; a stack shows its own.
            names = [table.name for table in self._stack.declared.tables.values()]
            return Response.json(200, {"TableNames": names})
        status, body = self._stack.engine.forward(target, request.body)
        return Response(status, (("Content-Type", "application/x-amz-json-1.0"),), body)

    def _facts(self, _request: Request, _rest: list[str]) -> Response:
        declared = self._stack.declared
        return Response.json(
            200,
            {
                "tables": {key: table.name for key, table in declared.tables.items()},
                "queues": {key: queue.url for key, queue in declared.queues.items()},
                "functions": {key: each.name for key, each in declared.functions.items()},
            },
        )

    def _queues(self, _request: Request, _rest: list[str]) -> Response:
        return Response.json(
            200,
            {
                key: [
                    {"messageId": each.message_id, "body": each.body, "visibleAt": each.visible_at}
                    for each in self._stack.queue_messages(key)
                ]
                for key in self._stack.declared.queues
            },
        )


def _object(request: Request) -> dict[str, Any]:
    try:
        body = json.loads(request.body)
    except ValueError:
        body = None
    if not isinstance(body, dict):
        raise _Refused("the body must be a JSON object")
    return body


def _not_allowed(methods: str) -> Response:
    return Response.json(405, {"message": f"use {methods}"}).with_headers([("Allow", methods)])
