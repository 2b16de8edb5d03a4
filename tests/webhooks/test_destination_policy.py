"""Where the sender connects: to what was checked, or nowhere."""

from __future__ import annotations

import socket
from collections.abc import Iterator, Sequence
from dataclasses import replace

import pytest

from grapevine.engine.webhooks import schedule
from grapevine.engine.webhooks.outcome import Outcome
from grapevine.engine.webhooks.sender import Sender
from tests.webhooks.conftest import HOST, Certificate, Receive, status

PUBLIC = "93.184.216.34"
BODY = b'{"event":"CAMPAIGN_ENDED"}'


class Network:
    """A network whose every address leads to one port of this machine, and which remembers."""

    def __init__(self, port: int = 0) -> None:
        self.connected: list[tuple[str, int]] = []
        self._port = port

    def connect(self, address: tuple[str, int], timeout: float) -> socket.socket:
        self.connected.append(address)
        return socket.create_connection(("127.0.0.1", self._port), timeout)


def assert_refused(outcome: Outcome, network: Network) -> None:
    assert outcome.kind == "refused_by_policy"
    assert outcome.status is None
    assert network.connected == []
    assert schedule.next_attempt_at(outcome, attempts_made=1, now_ms=0, random=lambda: 0) is None


@pytest.mark.parametrize(
    "answers",
    [
        ["127.0.0.1"],
        ["::1"],
        ["10.1.2.3"],
        ["172.16.0.1"],
        ["192.168.0.1"],
        ["169.254.0.1"],
        ["169.254.169.254"],
        ["fd00:ec2::254"],
        ["fe80::1%lo"],
        ["100.64.0.1"],
        ["::ffff:169.254.169.254"],
        ["64:ff9b::a9fe:a9fe"],
        ["2002:a9fe:a9fe::1"],
        ["224.0.0.1"],
        ["0.0.0.0"],  # noqa: S104 - an address to refuse
        [PUBLIC, "10.0.0.1"],
        ["10.0.0.1", PUBLIC],
    ],
    ids=" ".join,
)
def test_a_name_that_leads_inside_is_refused(answers: list[str]) -> None:
    network = Network()
    sender = Sender(resolve=lambda _host, _port: answers, connect=network.connect)

    outcome = sender.attempt("https://hooks.example.com/in", {}, BODY)

    assert_refused(outcome, network)
    assert outcome.message == "The host has an address that is not public."


@pytest.mark.parametrize(
    "url",
    [
        "https://127.0.0.1/",
        "https://[::1]/",
        "https://[::ffff:127.0.0.1]/",
        "https://169.254.169.254/latest/meta-data/",
        "https://10.0.0.1/",
        "https://100.64.0.1/",
        "https://2130706433/",
        "https://0177.0.0.1/",
        "https://017700000001/",
        "https://0x7f.0.0.1/",
        "https://localhost/",
        "https://user:password@hooks.example.com/",
        "http://hooks.example.com/",
        "https://hooks.example.com:25/",
    ],
)
def test_a_url_that_leads_inside_is_refused(url: str) -> None:
    network = Network()
    sender = Sender(resolve=lambda _host, _port: [PUBLIC], connect=network.connect)

    outcome = sender.attempt(url, {}, BODY)

    assert_refused(outcome, network)


@pytest.mark.parametrize(
    ("location", "refused"),
    [
        ("https://127.0.0.1/", True),
        ("http://169.254.169.254/latest/meta-data/", True),
        ("//[fd00:ec2::254]/", True),
        ("https://[::ffff:10.0.0.1]:22/", True),
        ("http://2130706433/", True),
        ("http://0177.0.0.1/", True),
        ("http://inside.example.com/", True),
        ("http://localhost/", True),
        ("https://mixed.example.com/", True),
        ("http://hooks.example.test/in/", False),
        ("https://elsewhere.example.com/", False),
        ("https://unknown.example.com/", False),
        ("/in/", False),
        ("mailto:nobody", False),
    ],
)
def test_a_redirect_is_never_followed_and_refused_when_it_leads_inside(
    receive: Receive,
    certificate: Certificate,
    location: str,
    refused: bool,
) -> None:
    receiver = receive(
        status("307 Temporary Redirect", f"Location: {location}"), certificate.server()
    )
    network = Network(receiver.port)
    inside = {
        "inside.example.com": ["10.0.0.1"],
        "localhost": ["127.0.0.1"],
        "mixed.example.com": [PUBLIC, "10.0.0.1"],
        "unknown.example.com": [],
    }
    sender = Sender(
        resolve=lambda host, _port: inside.get(host, [PUBLIC]),
        connect=network.connect,
        tls=certificate.trusted,
    )

    outcome = sender.attempt(f"https://{HOST}/in", {}, BODY)

    assert outcome.kind == ("refused_by_policy" if refused else "failed")
    assert outcome.status == 307
    assert network.connected == [(PUBLIC, 443)]


def test_the_connection_goes_to_the_checked_address_and_the_names_stay_those_of_the_url(
    receive: Receive, certificate: Certificate
) -> None:
    receiver = receive(status("200 OK"), certificate.server())
    network = Network(receiver.port)
    sender = Sender(
        resolve=lambda _host, _port: [PUBLIC], connect=network.connect, tls=certificate.trusted
    )

    outcome = sender.attempt(f"https://{HOST}/in", {}, BODY)

    assert outcome.kind == "delivered"
    assert network.connected == [(PUBLIC, 443)]
    assert receiver.names == [HOST]
    assert receiver.requests[0].headers["host"] == HOST


def test_a_name_that_changes_its_answer_after_the_check_gains_nothing(
    receive: Receive, certificate: Certificate
) -> None:
    receiver = receive(status("200 OK"), certificate.server())
    network = Network(receiver.port)
    answers: Iterator[Sequence[str]] = iter([[PUBLIC], ["169.254.169.254"], ["169.254.169.254"]])
    sender = Sender(
        resolve=lambda _host, _port: next(answers), connect=network.connect, tls=certificate.trusted
    )

    first = sender.attempt(f"https://{HOST}/in", {}, BODY)
    second = sender.attempt(f"https://{HOST}/in", {}, BODY)

    assert (first.kind, second.kind) == ("delivered", "refused_by_policy")
    assert network.connected == [(PUBLIC, 443)]


def test_the_next_address_is_tried_when_one_does_not_answer(
    receive: Receive, certificate: Certificate
) -> None:
    receiver = receive(status("200 OK"), certificate.server())
    network = Network(receiver.port)
    tried: list[float] = []

    def connect(address: tuple[str, int], timeout: float) -> socket.socket:
        tried.append(timeout)
        if address[0] != PUBLIC:
            raise TimeoutError
        return network.connect(address, timeout)

    sender = Sender(
        resolve=lambda _host, _port: ["2606:2800:220:1::1", "8.8.8.8", PUBLIC],
        connect=connect,
        tls=certificate.trusted,
        deadline_seconds=9,
    )

    outcome = sender.attempt(f"https://{HOST}/in", {}, BODY)

    assert outcome.kind == "delivered"
    assert tried[0] == pytest.approx(3, abs=0.5)


def test_a_name_with_very_many_addresses_is_given_up_after_a_few() -> None:
    tried: list[tuple[str, int]] = []

    def connect(address: tuple[str, int], _timeout: float) -> socket.socket:
        tried.append(address)
        raise ConnectionRefusedError

    sender = Sender(
        resolve=lambda _host, _port: [f"8.8.4.{last}" for last in range(200)], connect=connect
    )

    outcome = sender.attempt("https://hooks.example.com/", {}, BODY)

    assert outcome.kind == "failed"
    assert len(tried) == 4


def test_no_proxy_of_the_environment_is_asked(
    receive: Receive, monkeypatch: pytest.MonkeyPatch
) -> None:
    proxy, receiver = receive(status("502 Bad Gateway")), receive(status("204 No Content"))
    for name in ("http_proxy", "https_proxy", "all_proxy"):
        monkeypatch.setenv(name, f"http://127.0.0.1:{proxy.port}")
        monkeypatch.setenv(name.upper(), f"http://127.0.0.1:{proxy.port}")

    outcome = Sender(local_hosts={"localhost"}).attempt(
        f"http://localhost:{receiver.port}/", {}, BODY
    )

    assert outcome.status == 204
    assert proxy.connections == 0


def test_a_local_host_is_refused_where_none_is_named(receive: Receive) -> None:
    receiver = receive(status("200 OK"))
    network = Network(receiver.port)
    local = Sender(local_hosts={"localhost"}, resolve=lambda _host, _port: ["127.0.0.1"])
    url = f"http://localhost:{receiver.port}/"

    assert local.attempt(url, {}, BODY).kind == "delivered"
    assert_refused(
        replace(local, local_hosts=frozenset(), connect=network.connect).attempt(url, {}, BODY),
        network,
    )
