"""Endpoints that are slow, endless, broken or absent: each attempt ends in time."""

from __future__ import annotations

import errno
import socket
import threading
import time
from collections.abc import Sequence
from dataclasses import replace
from http.client import HTTPException
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from grapevine.engine.webhooks import exchange, schedule
from grapevine.engine.webhooks.destinations import UnresolvedHost
from grapevine.engine.webhooks.exchange import Deadline
from grapevine.engine.webhooks.outcome import Outcome
from grapevine.engine.webhooks.sender import Sender, resolve_by_system
from tests.webhooks.conftest import (
    HOST,
    Behaviour,
    Certificate,
    Receive,
    Receiver,
    answering,
    read_request,
    status,
)

BODY = b'{"event":"CAMPAIGN_ENDED"}'
DEADLINE = 0.4
SENDER = Sender(
    local_hosts={"127.0.0.1", HOST},
    resolve=lambda _host, _port: ["127.0.0.1"],
    deadline_seconds=DEADLINE,
)
PATIENT = replace(SENDER, deadline_seconds=10)


def url(receiver: Receiver) -> str:
    return f"http://127.0.0.1:{receiver.port}/"


def sending(first: bytes, then: bytes = b"") -> Behaviour:
    """Sends something, and goes on in small pieces, or in silence, until the test ends."""

    def behave(peer: socket.socket, receiver: Receiver) -> None:
        receiver.requests.append(read_request(peer))
        peer.sendall(first)
        while not receiver.closing.wait(0.02):
            peer.sendall(then)

    return behave


def deaf(_peer: socket.socket, receiver: Receiver) -> None:
    """Takes the connection and does nothing with it."""
    receiver.closing.wait()


def assert_retried(outcome: Outcome) -> None:
    assert outcome.kind == "failed"
    assert schedule.next_attempt_at(outcome, attempts_made=1, now_ms=0, random=lambda: 0.5) == 5000


@pytest.mark.parametrize(
    "behave",
    [
        deaf,
        sending(b""),
        sending(b"", b"H"),
        sending(b"HTTP/1.1 200 OK\r\n"),
        sending(b"HTTP/1.1 200 OK\r\nX-A: b", b"c"),
        sending(b"HTTP/1.1 200 OK\r\n", b"X-A: b\r\n"),
        sending(b"HTTP/1.1 100 Continue\r\n\r\n", b"HTTP/1.1 100 Continue\r\n\r\n"),
        sending(b"HTTP/1.1 103 Early Hints\r\n\r\n", b"HTTP/1.1 103 Early Hints\r\n\r\n"),
    ],
    ids=[
        "deaf",
        "silent",
        "trickled status line",
        "head breaks off",
        "trickled header",
        "trickled headers",
        "endless continue",
        "endless hints",
    ],
)
def test_a_slow_head_fails_at_the_deadline(receive: Receive, behave: Behaviour) -> None:
    receiver = receive(behave)

    outcome = SENDER.attempt(url(receiver), {}, BODY)

    assert_retried(outcome)
    assert outcome.message == "No answer within 0.4 seconds."
    assert outcome.status is None
    assert 400 <= outcome.duration_ms < 5000


@pytest.mark.parametrize(
    "head",
    [
        b"HTTP/1.1 200 OK\r\n\r\n",
        b"HTTP/1.1 200 OK\r\nContent-Length: 100000\r\n\r\n",
        b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n186A0\r\n",
    ],
    ids=["until the end", "length", "chunk"],
)
def test_a_slow_body_is_left_at_the_deadline_and_the_status_counts(
    receive: Receive, head: bytes
) -> None:
    receiver = receive(sending(head, b"x"))

    outcome = SENDER.attempt(url(receiver), {}, BODY)

    assert (outcome.kind, outcome.status) == ("delivered", 200)
    assert set(outcome.response_snippet) == {"x"}
    assert 400 <= outcome.duration_ms < 5000


def test_a_body_that_is_complete_is_not_waited_for(receive: Receive) -> None:
    receiver = receive(sending(b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok"))

    outcome = PATIENT.attempt(url(receiver), {}, BODY)

    assert outcome.response_snippet == "ok"
    assert outcome.duration_ms < 5000


def test_a_peer_that_does_not_read_a_large_event_fails_at_the_deadline(receive: Receive) -> None:
    receiver = receive(deaf)

    outcome = SENDER.attempt(url(receiver), {}, bytes(20_000_000))

    assert_retried(outcome)
    assert 400 <= outcome.duration_ms < 5000


def trickling_handshake(peer: socket.socket, receiver: Receiver) -> None:
    peer.sendall(b"\x16\x03\x03\x40\x00\x02\x00\x3f\xfc")
    while not receiver.closing.wait(0.02):
        peer.sendall(b"\x03")


@pytest.mark.parametrize("behave", [deaf, trickling_handshake])
def test_a_slow_tls_handshake_fails_at_the_deadline(receive: Receive, behave: Behaviour) -> None:
    receiver = receive(behave)

    outcome = SENDER.attempt(f"https://127.0.0.1:{receiver.port}/", {}, BODY)

    assert_retried(outcome)
    assert outcome.message == "No answer within 0.4 seconds."
    assert outcome.duration_ms < 5000


def test_a_slow_answer_over_tls_fails_at_the_deadline(
    receive: Receive, certificate: Certificate
) -> None:
    receiver = receive(sending(b"", b"H"), certificate.server())

    outcome = replace(SENDER, tls=certificate.trusted).attempt(
        f"https://{HOST}:{receiver.port}/", {}, BODY
    )

    assert_retried(outcome)
    assert outcome.message == "No answer within 0.4 seconds."


class _Counting(socket.socket):
    """Counts what it receives."""

    received = 0

    def recv_into(self, *arguments: Any) -> int:
        count = super().recv_into(*arguments)
        self.received += count
        return count


@pytest.mark.parametrize(
    "head",
    [
        b"HTTP/1.1 200 OK\r\nContent-Length: 10000000\r\n\r\n",
        b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n989680\r\n",
        b"HTTP/1.1 200 OK\r\n\r\n",
    ],
    ids=["length", "chunk", "until the end"],
)
def test_of_a_large_answer_64_kib_are_read(receive: Receive, head: bytes) -> None:
    receiver = receive(answering(head + b"x" * 10_000_000))
    made: list[_Counting] = []

    def connect(address: tuple[str, int], timeout: float) -> socket.socket:
        made.append(_Counting(socket.AF_INET, socket.SOCK_STREAM))
        made[0].settimeout(timeout)
        made[0].connect(address)
        return made[0]

    outcome = replace(PATIENT, connect=connect).attempt(url(receiver), {}, BODY)

    assert outcome.kind == "delivered"
    assert outcome.response_snippet == "x" * 1000
    assert made[0].received <= 64 * 1024 + 8192
    assert made[0].fileno() == -1


@pytest.mark.parametrize(
    "answer",
    [
        b"",
        b"HTTP/1.1 200 OK\r\nX-A: b",
        b"HTTP/1.1 200 OK\r\nX-A: b\r\n",
        b"HTTP/1.1 2",
        b"HTTP/1.1 20 OK\r\n\r\n",
        b"SSH-2.0-OpenSSH_9.6\r\n",
        b"220 mail.example.com ESMTP\r\n",
        b"<html>hello</html>\n",
        b"\x15\x03\x01\x00\x02\x02\x16",
        b"HTTP/1.1 200 OK\r\n" + b"X-A: b\r\n" * 200 + b"\r\n",
        b"HTTP/1.1 200 OK\r\nX-A: " + b"b" * 1_000_000 + b"\r\n\r\n",
        b"H" * 1_000_000,
        b"HTTP/1.1 103 Early Hints\r\n\r\n" * 10_000,
    ],
    ids=range(13),
)
def test_what_is_not_an_answer_fails(receive: Receive, answer: bytes) -> None:
    receiver = receive(answering(answer))

    outcome = PATIENT.attempt(url(receiver), {}, BODY)

    assert_retried(outcome)
    assert outcome.status is None
    assert outcome.message in {
        "The answer is not HTTP.",
        "The connection was closed before an answer came.",
    }


def test_a_refused_connection_fails() -> None:
    with socket.create_server(("127.0.0.1", 0)) as listener:
        port = listener.getsockname()[1]

    outcome = SENDER.attempt(f"http://127.0.0.1:{port}/", {}, BODY)

    assert_retried(outcome)
    assert outcome.message == "The connection was refused."


def test_a_connection_that_is_not_made_in_time_fails() -> None:
    allowed: list[float] = []

    def slow_connect(_address: tuple[str, int], timeout: float) -> socket.socket:
        allowed.append(timeout)
        raise TimeoutError

    outcome = replace(SENDER, connect=slow_connect).attempt("http://127.0.0.1/", {}, BODY)

    assert_retried(outcome)
    assert 0 < allowed[0] <= DEADLINE


@pytest.mark.parametrize("number", [errno.EHOSTUNREACH, errno.ENETUNREACH, errno.ECONNRESET])
def test_a_network_that_does_not_lead_there_fails(number: int) -> None:
    def connect(_address: tuple[str, int], _timeout: float) -> socket.socket:
        raise OSError(number, "")

    outcome = replace(SENDER, connect=connect).attempt("http://127.0.0.1/", {}, BODY)

    assert_retried(outcome)


@pytest.mark.parametrize("number", [errno.EMFILE, errno.ENOMEM])
@pytest.mark.parametrize("addresses", [["127.0.0.1"], ["127.0.0.1", "127.0.0.2"]])
def test_a_machine_without_means_is_a_failure_of_ours(number: int, addresses: list[str]) -> None:
    def connect(_address: tuple[str, int], _timeout: float) -> socket.socket:
        raise OSError(number, "")

    sender = replace(SENDER, connect=connect, resolve=lambda _host, _port: addresses)

    with pytest.raises(OSError, match=f"Errno {number}"):
        sender.attempt(f"http://{HOST}/", {}, BODY)


def test_a_name_that_does_not_resolve_fails() -> None:
    def resolve(host: str, _port: int) -> Sequence[str]:
        raise UnresolvedHost(host)

    outcome = replace(SENDER, resolve=resolve).attempt(f"https://{HOST}/", {}, BODY)

    assert_retried(outcome)
    assert outcome.message == "The host's name could not be resolved."


def test_a_name_server_that_does_not_answer_fails_at_the_deadline() -> None:
    done = threading.Event()

    def resolve(_host: str, _port: int) -> Sequence[str]:
        done.wait(10)
        return ["127.0.0.1"]

    outcome = replace(SENDER, resolve=resolve).attempt(f"https://{HOST}/", {}, BODY)

    done.set()
    assert_retried(outcome)
    assert 400 <= outcome.duration_ms < 5000


def test_the_system_resolver_gives_addresses_or_says_that_there_are_none() -> None:
    assert "127.0.0.1" in resolve_by_system("localhost", 443)
    with pytest.raises(UnresolvedHost):
        resolve_by_system("a" * 64 + ".example.test", 443)


def test_a_self_signed_certificate_fails(receive: Receive, certificate: Certificate) -> None:
    receiver = receive(status("200 OK"), certificate.server())

    outcome = PATIENT.attempt(f"https://{HOST}:{receiver.port}/", {}, BODY)

    assert_retried(outcome)
    assert outcome.message.startswith("The certificate could not be verified: self")
    assert receiver.requests == []


def test_a_certificate_for_another_name_fails(receive: Receive, certificate: Certificate) -> None:
    receiver = receive(status("200 OK"), certificate.server())
    sender = replace(PATIENT, tls=certificate.trusted, local_hosts={"other.example.test"})

    outcome = sender.attempt(f"https://other.example.test:{receiver.port}/", {}, BODY)

    assert_retried(outcome)
    assert "Hostname mismatch" in outcome.message
    assert receiver.requests == []


def test_a_peer_that_does_not_speak_tls_fails(receive: Receive) -> None:
    receiver = receive(lambda peer, _receiver: peer.sendall(b"HTTP/1.1 400 Bad Request\r\n\r\n"))

    outcome = PATIENT.attempt(f"https://{HOST}:{receiver.port}/", {}, BODY)

    assert_retried(outcome)


@given(answer=st.binary() | st.binary().map(b"HTTP/1.1 200 OK\r\n".__add__))
@settings(deadline=None)
def test_no_answer_raises_anything_unforeseen(answer: bytes) -> None:
    ours, theirs = socket.socketpair()
    with ours, theirs:
        theirs.sendall(answer)
        theirs.shutdown(socket.SHUT_WR)

        try:
            got = exchange.post(ours, "/", {"Host": "a"}, BODY, Deadline(5))
        except (OSError, HTTPException):
            return

    assert 100 <= got.status <= 999


def test_a_deadline_ends() -> None:
    deadline = Deadline(0.01)

    time.sleep(0.02)

    with pytest.raises(TimeoutError):
        deadline.left()
