"""One attempt to deliver an event, to the checked address and within a deadline.

Whatever the other side does, `Sender.attempt` gives an outcome; what it raises is a failure of
ours. Redirects are not followed, and one that leads inside is refused like a URL that does. No
proxy is asked whatever the environment says: http.client knows none.
"""

from __future__ import annotations

import errno
import functools
import os
import socket
import ssl
import time
from collections.abc import Callable, Container, Mapping, Sequence
from concurrent.futures import Future
from contextlib import ExitStack
from dataclasses import dataclass
from http.client import HTTPException
from threading import Thread
from typing import TypeVar
from urllib.parse import urljoin

from grapevine import runtime
from grapevine.engine.webhooks import destinations, exchange
from grapevine.engine.webhooks.destinations import (
    Destination,
    RefusedDestination,
    Resolve,
    UnresolvedHost,
)
from grapevine.engine.webhooks.exchange import Answer, Deadline
from grapevine.engine.webhooks.outcome import Kind, Outcome
from grapevine.engine.webhooks.schedule import retry_after_ms

T = TypeVar("T")

DEADLINE_SECONDS = 15.0
_MOST_ADDRESSES = 4
_OUR_FAULT = frozenset({errno.EMFILE, errno.ENFILE, errno.ENOBUFS, errno.ENOMEM})
_FIXED_HEADERS = {
    "User-Agent": "Grapevine-Webhooks/1",
    "Content-Type": "application/json",
    "Accept": "*/*",
    "Accept-Encoding": "identity",
    "Connection": "close",
}

Connect = Callable[[tuple[str, int], float], socket.socket]
"""Connects to an address and port within so many seconds."""


def resolve_by_system(host: str, port: int) -> Sequence[str]:
    """What the machine's resolver answers, after as long as that takes.

    Raises:
        UnresolvedHost
    """
    try:
        found = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)
    except (socket.gaierror, UnicodeError):
        raise UnresolvedHost(host) from None
    return [str(address[0]) for *_, address in found]


@functools.cache
def trust_of_system() -> ssl.SSLContext:
    """Verifies certificates and names against the machine's authorities; TLS 1.2 or later."""
    context = ssl.create_default_context()
    context.set_alpn_protocols(["http/1.1"])
    return context


@dataclass(frozen=True, slots=True)
class Sender:
    """Sends to the public internet, and to those hosts of this machine that are named.

    `deadline_seconds` covers the whole attempt, from the resolution of the name to the answer.
    """

    local_hosts: Container[str] = ()
    resolve: Resolve = resolve_by_system
    connect: Connect = socket.create_connection
    tls: Callable[[], ssl.SSLContext] = trust_of_system
    now_ms: Callable[[], int] = runtime.now_ms
    deadline_seconds: float = DEADLINE_SECONDS

    def attempt(self, url: str, headers: Mapping[str, str], body: bytes) -> Outcome:
        """Posts the body with the headers and tells what came of it."""
        started = time.monotonic()
        kind, message, answer = self._attempt(url, headers, body)
        return Outcome(
            kind=kind,
            message=message,
            status=answer.status if answer else None,
            response_snippet=answer.snippet if answer else "",
            duration_ms=round((time.monotonic() - started) * 1000),
            retry_after_ms=self._retry_after(kind, answer),
        )

    def _attempt(
        self, url: str, headers: Mapping[str, str], body: bytes
    ) -> tuple[Kind, str, Answer | None]:
        deadline = Deadline(self.deadline_seconds)
        try:
            destination = destinations.parse(url, self.local_hosts)
            answer = self._post(destination, headers, body, deadline)
        except RefusedDestination as refusal:
            return "refused_by_policy", str(refusal), None
        except (UnresolvedHost, OSError, HTTPException) as error:
            if isinstance(error, OSError) and error.errno in _OUR_FAULT:
                raise
            return "failed", self._reason(error), None
        kind, message = _verdict(answer.status)
        if 300 <= answer.status < 400 and self._leads_inside(url, answer, deadline):
            kind, message = "refused_by_policy", f"{message}, least of all to where this one leads"
        return kind, message, answer

    def _leads_inside(self, url: str, answer: Answer, deadline: Deadline) -> bool:
        try:
            target = urljoin(url, answer.location or "")
            return _in_time(
                lambda: destinations.leads_inside(target, self.local_hosts, self.resolve), deadline
            )
        except (ValueError, TimeoutError):
            return False

    def _post(
        self, destination: Destination, headers: Mapping[str, str], body: bytes, deadline: Deadline
    ) -> Answer:
        addresses = _in_time(
            lambda: destinations.checked_addresses(destination, self.resolve), deadline
        )
        with ExitStack() as open_sockets:
            peer = open_sockets.enter_context(
                self._connected(addresses[:_MOST_ADDRESSES], destination.port, deadline)
            )
            peer.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            if destination.scheme == "https":
                secure = self.tls().wrap_socket(
                    peer,
                    server_hostname=destination.host,
                    do_handshake_on_connect=False,
                )
                peer = open_sockets.enter_context(secure)
                secure.settimeout(deadline.left())
                secure.do_handshake()
            complete = {"Host": destination.authority, **_FIXED_HEADERS, **headers}
            return exchange.post(peer, destination.target, complete, body, deadline)

    def _connected(self, addresses: Sequence[str], port: int, deadline: Deadline) -> socket.socket:
        """Tries one address after the other; each gets its share of the time that is left."""
        *others, last = addresses
        for index, address in enumerate(others):
            try:
                return self.connect((address, port), deadline.left() / (len(addresses) - index))
            except OSError as error:
                if error.errno in _OUR_FAULT:
                    raise
        return self.connect((last, port), deadline.left())

    def _retry_after(self, kind: Kind, answer: Answer | None) -> int | None:
        if answer is None or kind != "failed":
            return None
        return retry_after_ms(answer.retry_after, self.now_ms())

    def _reason(self, error: Exception) -> str:
        match error:
            case UnresolvedHost() | socket.gaierror():
                return "The host's name could not be resolved."
            case TimeoutError():
                return f"No answer within {self.deadline_seconds:g} seconds."
            case OSError():
                return _broken(error)
        return "The answer is not HTTP."


def _broken(error: OSError) -> str:
    match error:
        case ssl.SSLCertVerificationError():
            return f"The certificate could not be verified: {error.verify_message}."
        case ssl.SSLError():
            return f"TLS failed: {error.reason or 'the connection was closed'}."
        case ConnectionRefusedError():
            return "The connection was refused."
        case ConnectionError():
            return "The connection was closed before an answer came."
    return f"No connection: {os.strerror(error.errno) if error.errno else 'unknown reason'}."


def _verdict(status: int) -> tuple[Kind, str]:
    told = exchange.phrase(status)
    if 200 <= status < 300:
        return "delivered", told
    if status == 410:
        return "gone", told
    if 300 <= status < 400:
        return "failed", f"{told}; redirects are not followed"
    return "failed", told


def _in_time(work: Callable[[], T], deadline: Deadline) -> T:
    """What the work gives, or TimeoutError; work that hangs is left behind in its thread.

    The system's resolver has no deadline of its own, and a slow name server is a peer too.
    """
    result: Future[T] = Future()

    def run() -> None:
        try:
            result.set_result(work())
        except Exception as error:  # noqa: BLE001 - raised where the result is asked for
            result.set_exception(error)

    Thread(target=run, name="resolve", daemon=True).start()
    return result.result(deadline.left())
