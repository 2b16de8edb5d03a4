"""What an endpoint answers, and what becomes of it."""

from __future__ import annotations

import socket
from email.utils import formatdate

import pytest

from grapevine.engine.webhooks import schedule
from grapevine.engine.webhooks.outcome import Kind
from grapevine.engine.webhooks.sender import Sender
from tests.webhooks.conftest import Receive, Receiver, answering, status

NOW = 1_700_000_000_000
BODY = '{"event":"NEW_PARTICIPANT_ADDED","data":{"firstName":"Žofie"}}'.encode()
SENDER = Sender(local_hosts={"127.0.0.1"}, deadline_seconds=5, now_ms=lambda: NOW)


def url(receiver: Receiver, path: str = "/") -> str:
    return f"http://127.0.0.1:{receiver.port}{path}"


def test_an_endpoint_gets_the_bytes_and_headers_as_they_are(receive: Receive) -> None:
    receiver = receive(status("200 OK"))

    outcome = SENDER.attempt(url(receiver, "/in?a=b"), {"webhook-id": "evt_1"}, BODY)

    [request] = receiver.requests
    assert outcome.kind == "delivered"
    assert request.line == "POST /in?a=b HTTP/1.1"
    assert request.body == BODY
    assert request.headers == {
        "host": f"127.0.0.1:{receiver.port}",
        "user-agent": "Grapevine-Webhooks/1",
        "content-type": "application/json",
        "content-length": str(len(BODY)),
        "accept": "*/*",
        "accept-encoding": "identity",
        "connection": "close",
        "webhook-id": "evt_1",
    }


@pytest.mark.parametrize(
    ("line", "kind", "message"),
    [
        ("200 OK", "delivered", "200 OK"),
        ("201 Whatever <script>", "delivered", "201 Created"),
        ("204 No Content", "delivered", "204 No Content"),
        ("299 Odd", "delivered", "299"),
        ("410 Gone", "gone", "410 Gone"),
        ("101 Switching Protocols", "failed", "101 Switching Protocols"),
        ("300 Multiple Choices", "failed", "300 Multiple Choices; redirects are not followed"),
        ("304 Not Modified", "failed", "304 Not Modified; redirects are not followed"),
        ("400 Bad Request", "failed", "400 Bad Request"),
        ("404 Not Found", "failed", "404 Not Found"),
        ("429 Too Many Requests", "failed", "429 Too Many Requests"),
        ("500 Internal Server Error", "failed", "500 Internal Server Error"),
        ("999 Beyond", "failed", "999"),
    ],
)
def test_the_status_decides(receive: Receive, line: str, kind: Kind, message: str) -> None:
    receiver = receive(status(line))

    outcome = SENDER.attempt(url(receiver), {}, BODY)

    assert (outcome.kind, outcome.message) == (kind, message)
    assert outcome.status == int(line[:3])


@pytest.mark.parametrize("code", [301, 302, 303, 307, 308])
@pytest.mark.parametrize("where", ["here", "", "/elsewhere", "file:///etc/passwd", "http://["])
def test_a_redirect_is_not_followed(receive: Receive, code: int, where: str) -> None:
    elsewhere = receive(status("200 OK"))
    location = url(elsewhere) if where == "here" else where
    receiver = receive(status(f"{code} Moved", f"Location: {location}"))

    outcome = SENDER.attempt(url(receiver), {}, BODY)

    assert (outcome.kind, outcome.status) == ("failed", code)
    assert len(receiver.requests) == 1
    assert elsewhere.connections == 0


@pytest.mark.parametrize(
    ("header", "asked_for"),
    [
        ("120", 120_000),
        (formatdate(NOW / 1000 + 60, usegmt=True), 60_000),
        ("99999999999999999999", 999_999_999_999_000),
        ("a while", None),
        ("-1", None),
    ],
)
@pytest.mark.parametrize("line", ["429 Too Many Requests", "503 Service Unavailable"])
def test_what_retry_after_asks_for_is_told(
    receive: Receive, line: str, header: str, asked_for: int | None
) -> None:
    receiver = receive(status(line, f"Retry-After: {header}"))

    outcome = SENDER.attempt(url(receiver), {}, BODY)

    assert outcome.kind == "failed"
    assert outcome.retry_after_ms == asked_for


@pytest.mark.parametrize("line", ["200 OK", "410 Gone"])
def test_an_endpoint_that_needs_nothing_more_is_not_asked_when(receive: Receive, line: str) -> None:
    receiver = receive(status(line, "Retry-After: 5"))

    outcome = SENDER.attempt(url(receiver), {}, BODY)

    assert outcome.retry_after_ms is None
    assert schedule.next_attempt_at(outcome, attempts_made=1, now_ms=0, random=lambda: 0) is None


@pytest.mark.parametrize("interim", [b"100 Continue", b"103 Early Hints\r\nLink: <a>", b"102 Wait"])
def test_interim_answers_are_passed_over(receive: Receive, interim: bytes) -> None:
    receiver = receive(
        answering(2 * (b"HTTP/1.1 " + interim + b"\r\n\r\n") + b"HTTP/1.1 410 Gone\r\n\r\nbye")
    )

    outcome = SENDER.attempt(url(receiver), {}, BODY)

    assert (outcome.kind, outcome.response_snippet) == ("gone", "bye")


@pytest.mark.parametrize(
    ("answer", "snippet"),
    [
        (b"Content-Length: 5\r\n\r\nhello, world", "hello"),
        (b"\r\nuntil the end", "until the end"),
        (b"Transfer-Encoding: chunked\r\n\r\n3\r\nabc\r\n2;x=y\r\nde\r\n0\r\n\r\n", "abcde"),
        (b"Transfer-Encoding: chunked\r\n\r\n3\r\nabc\r\nnonsense\r\n", "abc"),
        (b"Content-Length: 100\r\n\r\nbroken off", "broken off"),
        (b"Content-Length: nonsense\r\n\r\nabc", "abc"),
        (b"\r\n\xffa\x00b\x1b[31m\r\n\tc", "\ufffdab[31m\n\tc"),
        ("\r\nŽofie".encode(), "Žofie"),
    ],
)
def test_the_beginning_of_the_answer_is_kept(receive: Receive, answer: bytes, snippet: str) -> None:
    receiver = receive(answering(b"HTTP/1.1 500 Internal Server Error\r\n" + answer))

    outcome = SENDER.attempt(url(receiver), {}, BODY)

    assert (outcome.status, outcome.response_snippet) == (500, snippet)


def test_an_endpoint_that_answers_before_it_has_read_the_event_is_understood(
    receive: Receive,
) -> None:
    def hasty(peer: socket.socket, receiver: Receiver) -> None:
        peer.sendall(b"HTTP/1.1 410 Gone\r\nContent-Length: 0\r\n\r\n")
        peer.shutdown(socket.SHUT_WR)
        receiver.closing.wait(0.2)

    receiver = receive(hasty)

    outcome = SENDER.attempt(url(receiver), {}, bytes(300_000))

    assert outcome.status == 410
