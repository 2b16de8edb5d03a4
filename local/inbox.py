"""Receivers for webhooks: they keep what came and answer as they were told."""

from __future__ import annotations

import base64
import threading
from collections import defaultdict, deque
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

from local.http_messages import Request, Response


@dataclass(frozen=True, slots=True)
class Script:
    """An answer to give to the next request."""

    status: int
    delay_ms: int
    headers: tuple[tuple[str, str], ...]
    body: bytes


@dataclass(slots=True)
class _Inbox:
    received: list[dict[str, Any]] = field(default_factory=list)
    scripts: deque[Script] = field(default_factory=deque)


class BadScript(ValueError):
    """A scripted answer that makes no sense; the message says why."""


class Inboxes:
    """All inboxes of a stack; one exists as soon as its name is used."""

    def __init__(self, now_ms: Callable[[], int], wait: Callable[[float], None]) -> None:
        self._inboxes: defaultdict[str, _Inbox] = defaultdict(_Inbox)
        self._now_ms = now_ms
        self._wait = wait
        self._lock = threading.Lock()

    def receive(self, name: str, request: Request) -> Response:
        with self._lock:
            inbox = self._inboxes[name]
            inbox.received.append(_described(request, self._now_ms()))
            script = inbox.scripts.popleft() if inbox.scripts else None
        if script is None:
            return Response.json(200, {})
        self._wait(script.delay_ms / 1000)
        return Response(script.status, script.headers, script.body)

    def received(self, name: str) -> list[dict[str, Any]]:
        with self._lock:
            return list(self._inboxes[name].received)

    def respond(self, name: str, script: Mapping[str, Any]) -> None:
        """Answer the next `times` requests as scripted.

        Raises:
            BadScript: a field is unknown or has no sensible value.
        """
        times, answer = _script(script)
        with self._lock:
            self._inboxes[name].scripts.extend([answer] * times)

    def empty(self, name: str) -> None:
        """Forget what came and what was scripted."""
        with self._lock:
            self._inboxes.pop(name, None)


def _described(request: Request, now: int) -> dict[str, Any]:
    described = {
        "method": request.method,
        "path": request.path,
        "query": request.query,
        "headers": request.joined_headers(),
        "receivedAt": now,
    }
    try:
        return {**described, "body": request.body.decode(), "isBase64Encoded": False}
    except UnicodeDecodeError:
        encoded = base64.b64encode(request.body).decode()
        return {**described, "body": encoded, "isBase64Encoded": True}


def _script(script: Mapping[str, Any]) -> tuple[int, Script]:
    unknown = script.keys() - {"status", "times", "delayMs", "headers", "body"}
    if unknown:
        raise BadScript(f"unknown fields: {', '.join(sorted(unknown))}")
    headers, body = script.get("headers", {}), script.get("body", "")
    if not isinstance(headers, dict) or not isinstance(body, str):
        raise BadScript("headers must be an object and body a text")
    return _whole(script, "times", 1, 1, 10_000), Script(
        status=_whole(script, "status", 200, 200, 599),
        delay_ms=_whole(script, "delayMs", 0, 0, 60_000),
        headers=tuple((str(name), str(value)) for name, value in headers.items()),
        body=body.encode(),
    )


def _whole(script: Mapping[str, Any], name: str, default: int, least: int, most: int) -> int:
    value = script.get(name, default)
    if type(value) is not int or not least <= value <= most:
        raise BadScript(f"{name} must be a whole number from {least} to {most}")
    return value
