"""One request and its answer over a connected socket, within a deadline whatever the peer does.

A plain socket's timeout begins anew with each piece that arrives: a peer that sends one byte at a
time could hold it for ever. Here each wait gets only what is left of the whole.
"""

from __future__ import annotations

import http
import io
import re
import socket
import ssl
import time
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import dataclass
from http.client import HTTPConnection, HTTPException, HTTPResponse
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from _typeshed import ReadableBuffer, WriteableBuffer

MOST_BODY_BYTES = 64 * 1024
_MOST_ANSWER_BYTES = 2 * MOST_BODY_BYTES
"""With the head, the marks between chunks, and interim answers."""
_LONGEST_SNIPPET = 1000
_BYTES_PER_SEND = 16 * 1024
_CONTROL = re.compile(r"[\x00-\x08\x0b-\x1f\x7f-\x9f]")


class Deadline:
    """The end of an attempt, by a clock that nobody sets."""

    def __init__(self, seconds: float) -> None:
        self._ends_at = time.monotonic() + seconds

    def left(self) -> float:
        """The seconds that remain, always more than none.

        Raises:
            TimeoutError
        """
        left = self._ends_at - time.monotonic()
        if left <= 0:
            raise TimeoutError
        return left


@dataclass(frozen=True, slots=True)
class Answer:
    """`snippet` is the beginning of the body as text, the two headers are as they came."""

    status: int
    retry_after: str | None
    location: str | None
    snippet: str


def post(
    peer: socket.socket,
    target: str,
    headers: Mapping[str, str],
    body: bytes,
    deadline: Deadline,
) -> Answer:
    """Sends the request and gives the answer; redirects are answers like any other.

    The headers are sent as they are, with the `Host` among them.

    The status decides, and the body is read for its snippet only: an answer whose body breaks
    off, drags on past the deadline or is larger than 64 KiB is an answer all the same.

    Raises:
        OSError: also as TimeoutError, when the head of the answer did not arrive in time.
        HTTPException: what came is not HTTP.
    """
    wire = _Wire(peer, deadline)
    connection = HTTPConnection(headers["Host"])
    connection.sock = wire
    connection.request("POST", target, body, dict(headers))
    final = wire.response()
    while 100 < final.status < 200 and final.status != 101:
        final = wire.response()
    return Answer(
        status=final.status,
        retry_after=final.getheader("Retry-After"),
        location=final.getheader("Location"),
        snippet=_snippet(_read_body(final)),
    )


def phrase(status: int) -> str:
    """`500 Internal Server Error`, in our words: the peer's own would be any text at all."""
    with suppress(ValueError):
        return f"{status} {http.HTTPStatus(status).phrase}"
    return str(status)


class _Incoming(io.RawIOBase):
    """What the peer sends, up to the limit of an answer."""

    def __init__(self, peer: socket.socket, deadline: Deadline) -> None:
        self._peer = peer
        self._deadline = deadline
        self._room = _MOST_ANSWER_BYTES
        self.ended = False

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: WriteableBuffer, /) -> int:
        self._peer.settimeout(self._deadline.left())
        count = self._peer.recv_into(buffer)
        self._room -= count
        if self._room < 0:
            raise HTTPException("the answer is too large")
        self.ended = not count
        return count


class _Shared(io.BufferedReader):
    """Read by one answer after the other: an interim one does not close it when it is dropped."""

    def close(self) -> None:
        pass


class _Wire:
    """As much of a socket as http.client uses."""

    def __init__(self, peer: socket.socket, deadline: Deadline) -> None:
        self._peer = peer
        self._deadline = deadline
        self._incoming = _Incoming(peer, deadline)
        self._shared = _Shared(self._incoming)

    def sendall(self, data: ReadableBuffer) -> None:
        rest = memoryview(data)
        # A peer that does not read to the end may have answered: that says more than this error.
        with suppress(BrokenPipeError, ConnectionResetError, ssl.SSLEOFError):
            while rest:
                self._peer.settimeout(self._deadline.left())
                rest = rest[self._peer.send(rest[:_BYTES_PER_SEND]) :]

    def makefile(self, _mode: str) -> _Shared:
        return self._shared

    def response(self) -> HTTPResponse:
        """The next answer, with its whole head."""
        as_socket: Any = self
        response = HTTPResponse(as_socket, method="POST")
        response.begin()
        if self._incoming.ended:
            # http.client takes the end of the stream for the end of the head.
            raise HTTPException("the answer ended within its head")
        return response


def _read_body(response: HTTPResponse) -> bytes:
    body = bytearray()
    length = response.length
    most = MOST_BODY_BYTES if length is None else min(length, MOST_BODY_BYTES)
    with suppress(OSError, HTTPException, ValueError):
        while len(body) < most and (piece := response.read1(most - len(body))):
            body += piece
    return bytes(body)


def _snippet(body: bytes) -> str:
    return _CONTROL.sub("", body.decode("utf-8", "replace"))[:_LONGEST_SNIPPET]
