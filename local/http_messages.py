"""HTTP requests and answers as the local stack passes them around."""

from __future__ import annotations

import json
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

Headers = tuple[tuple[str, str], ...]


@dataclass(frozen=True, slots=True)
class Request:
    """`path` and `query` are as sent, nothing decoded; header names as sent, too."""

    method: str
    path: str
    query: str
    headers: Headers
    body: bytes
    source_ip: str = "127.0.0.1"
    protocol: str = "HTTP/1.1"

    def joined_headers(self) -> dict[str, str]:
        """Names in lower case, repeated ones joined by commas."""
        joined: dict[str, str] = {}
        for name, value in self.headers:
            key = name.lower()
            joined[key] = f"{joined[key]},{value}" if key in joined else value
        return joined


@dataclass(frozen=True, slots=True)
class Response:
    status: int
    headers: Headers = ()
    body: bytes = b""

    @staticmethod
    def json(status: int, body: Any) -> Response:
        headers = (("Content-Type", "application/json"),)
        return Response(status, headers, json.dumps(body).encode())

    def with_headers(self, more: Iterable[tuple[str, str]]) -> Response:
        return Response(self.status, (*self.headers, *more), self.body)
