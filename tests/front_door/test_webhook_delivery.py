"""When an event is attempted, what each answer means, and what the endpoint is sent each time."""

from __future__ import annotations

import base64
import datetime
import email.utils
import itertools
import json
import shutil
import socket
import subprocess
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from pathlib import Path

import pytest
from standardwebhooks import Webhook as Verifier

from grapevine.engine.webhooks import log, schedule
from grapevine.engine.webhooks.destinations import UnresolvedHost
from local.stack import Stack
from tests.api import Api, Json
from tests.conftest import TEMPLATE
from tests.hooks import PARAMETERS, SWEEP_EVERY_MS, Hooks, use_sender
from tests.scenarios import DAY_MS, HOUR_MS, MINUTE_MS
from tests.webhooks.conftest import (
    Receiver,
    answering,
    make_certificate,
    read_request,
    serving,
)

SECRET = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw"
FREE_TEXT = "tajné heslo 🔑"
NODE_RECEIVER = Path(__file__).parent.parent / "unit" / "webhooks" / "receiver.mjs"
SLACK_MS = 5000
"""The stack's clock runs on while it works, and a queue counts whole seconds."""


@pytest.fixture
def hooks(engine: str) -> Iterator[Hooks]:
    with (
        Stack(TEMPLATE, engine=engine, parameters=PARAMETERS) as stack,
        Api(stack.url, stack.api_key) as api,
    ):
        yield Hooks(stack, api)


Receive = Callable[..., Receiver]


@pytest.fixture
def receive() -> Iterator[Receive]:
    with ExitStack() as started:
        yield lambda behave, tls=None: started.enter_context(serving(behave, tls))


def url(receiver: Receiver) -> str:
    return f"http://127.0.0.1:{receiver.port}/hook"


def wait_until_next(hooks: Hooks, webhook: str) -> int:
    """How long the only delivery waits for its next attempt after the last one (ms)."""
    return hooks.item(webhook).next_attempt_at - int(hooks.attempts(webhook)[-1]["at"])


def assert_retried(hooks: Hooks, webhook: str, message: str) -> None:
    (attempt,) = hooks.attempts(webhook)
    assert (attempt["outcome"], attempt["message"]) == ("failed", message)
    assert hooks.delivery(webhook)["status"] == "PENDING"
    assert 4500 <= wait_until_next(hooks, webhook) <= 5500


def test_ten_attempts_are_made_each_in_its_time_over_three_days(hooks: Hooks) -> None:
    webhook = hooks.create(hooks.inbox("down"), secret=SECRET)
    hooks.respond("down", status=500, times=100)

    hooks.happen()
    for made in range(1, schedule.MOST_ATTEMPTS):
        due = hooks.item(webhook).next_attempt_at
        if due - hooks.stack.now_ms() > 2 * MINUTE_MS:
            hooks.stack.set_clock(due - MINUTE_MS)
            assert len(hooks.received("down")) == made, "an attempt came early"
        hooks.pass_over(webhook)
        assert len(hooks.received("down")) == made + 1

    times = [attempt["at"] for attempt in hooks.attempts(webhook)]
    waits = [later - earlier for earlier, later in itertools.pairwise(times)]
    for wait, planned in zip(waits, schedule.WAITS_MS[1:], strict=True):
        assert 0.9 * planned <= wait <= 1.1 * planned + SWEEP_EVERY_MS + SLACK_MS
    assert 0.9 * 75.5 * HOUR_MS <= times[-1] - times[0] <= 1.1 * 76 * HOUR_MS
    assert hooks.delivery(webhook)["status"] == "FAILED"
    assert hooks.shown(webhook)["failureCount"] == 10
    hooks.stack.advance(4 * DAY_MS)
    assert len(hooks.received("down")) == schedule.MOST_ATTEMPTS


def test_each_attempt_sends_the_same_bytes_and_id_and_is_signed_anew(hooks: Hooks) -> None:
    webhooks = {
        "standard": hooks.create(hooks.inbox("standard"), secret=SECRET),
        "text": hooks.create(hooks.inbox("text"), secret=FREE_TEXT),
    }
    for name in webhooks:
        hooks.respond(name, status=503, times=3)

    hooks.happen(firstName="Žofie 👩‍👩‍👧", metadata={"half": 0.5, "seats": 2**53, "no": ""})
    for _ in range(3):
        hooks.stack.advance(50 * MINUTE_MS)

    verified = []
    for name, secret in (("standard", SECRET), ("text", FREE_TEXT)):
        requests = hooks.received(name)
        assert len(requests) == 4
        assert len({(each["body"], each["headers"]["webhook-id"]) for each in requests}) == 1
        assert len({each["headers"]["webhook-timestamp"] for each in requests}) == 4
        for each in requests:
            assert_signed(each, secret)
            verified.append((each, secret))
    assert node_verifies(verified) == [True] * 8


def assert_signed(request: Json, secret: str) -> None:
    """The Standard Webhooks library makes the same signature, at the time of the attempt."""
    headers = request["headers"]
    stamp = int(headers["webhook-timestamp"])
    growsurf_stamp = int(headers["growsurf-signature"].split(",")[0].removeprefix("ts="))
    assert abs(stamp * 1000 - request["receivedAt"]) < SLACK_MS
    assert growsurf_stamp // 1000 == stamp
    assert signed_by(request, secret) in headers["webhook-signature"].split()


def signed_by(request: Json, secret: str) -> str:
    headers = request["headers"]
    key = secret if secret.startswith("whsec_") else base64.b64encode(secret.encode()).decode()
    at = datetime.datetime.fromtimestamp(int(headers["webhook-timestamp"]), datetime.UTC)
    signature: str = Verifier(key).sign(headers["webhook-id"], at, request["body"])
    return signature


def node_verifies(requests: list[tuple[Json, str]]) -> list[bool]:
    """What a receiver in Node says that writes the body again before it computes the HMAC."""
    program = shutil.which("node")
    assert program, "this test needs Node.js"
    lines = [
        json.dumps(
            {
                "header": request["headers"]["growsurf-signature"],
                "secret": secret,
                "body": base64.b64encode(request["body"].encode()).decode(),
            }
        )
        for request, secret in requests
    ]
    done = subprocess.run(
        [program, str(NODE_RECEIVER)],
        input="\n".join(lines) + "\n",
        capture_output=True,
        check=True,
        encoding="utf-8",
    )
    return [json.loads(line)["answer"] for line in done.stdout.splitlines()]


def test_the_library_verifies_a_request_that_has_just_come(hooks: Hooks) -> None:
    hooks.create(hooks.inbox("up"), secret=SECRET)

    hooks.happen()

    (request,) = hooks.received("up")
    event = Verifier(SECRET).verify(request["body"], request["headers"])
    assert event["event"] == "NEW_PARTICIPANT_ADDED"


def in_three_hours(hooks: Hooks) -> str:
    return email.utils.formatdate((hooks.stack.now_ms() + 3 * HOUR_MS) / 1000, usegmt=True)


RETRY_AFTER: dict[str, tuple[str | Callable[[Hooks], str], int]] = {
    "seconds": ("7200", 2 * HOUR_MS),
    "date": (in_three_hours, 3 * HOUR_MS),
    "date that has passed": ("Wed, 21 Oct 2015 07:28:00 GMT", 5000),
    "shorter than ours": ("1", 5000),
    "nothing": ("", 5000),
    "garbage": ("soon, I hope", 5000),
    "negative": ("-7200", 5000),
    "huge": ("9" * 30, 24 * HOUR_MS),
}


@pytest.mark.parametrize("asked", RETRY_AFTER)
def test_a_wait_that_is_asked_for_is_kept_within_bounds(hooks: Hooks, asked: str) -> None:
    header, wait = RETRY_AFTER[asked]
    value = header(hooks) if callable(header) else header
    webhook = hooks.create(hooks.inbox("busy"))
    hooks.respond("busy", status=429, headers={"Retry-After": value})

    hooks.happen()

    assert hooks.delivery(webhook)["status"] == "PENDING"
    assert 0.9 * wait - SLACK_MS / 5 <= wait_until_next(hooks, webhook) <= 1.1 * wait + 100
    hooks.pass_over(webhook)
    assert hooks.delivery(webhook)["status"] == "DELIVERED"


@pytest.mark.parametrize("status", [400, 401, 404, 408, 429, 500, 503, 599])
def test_an_error_is_tried_again(hooks: Hooks, status: int) -> None:
    webhook = hooks.create(hooks.inbox("broken"))
    hooks.respond("broken", status=status, body="no <b>way</b>")

    hooks.happen()
    (failed,) = hooks.attempts(webhook)
    hooks.stack.advance(10_000)

    assert (failed["outcome"], failed["status"]) == ("failed", status)
    assert failed["response"] == "no <b>way</b>"
    assert [one["outcome"] for one in hooks.attempts(webhook)] == ["failed", "delivered"]


@pytest.mark.parametrize("status", [200, 201, 204, 299])
def test_any_2xx_is_a_success(hooks: Hooks, status: int) -> None:
    webhook = hooks.create(hooks.inbox("up"))
    hooks.respond("up", status=status)

    hooks.happen()
    hooks.stack.advance(DAY_MS)

    assert hooks.delivery(webhook)["status"] == "DELIVERED"
    assert len(hooks.received("up")) == 1


def test_gone_ends_the_delivery_and_leaves_the_webhook_enabled(hooks: Hooks) -> None:
    webhook = hooks.create(hooks.inbox("gone"))
    hooks.respond("gone", status=410)

    hooks.happen()
    hooks.stack.advance(4 * DAY_MS)

    assert hooks.delivery(webhook)["status"] == "FAILED"
    assert [one["outcome"] for one in hooks.attempts(webhook)] == ["gone"]
    assert hooks.shown(webhook)["isEnabled"]


@pytest.mark.parametrize("status", [301, 302, 303, 307, 308])
def test_a_redirect_is_a_failure_and_nobody_follows_it(hooks: Hooks, status: int) -> None:
    webhook = hooks.create(hooks.inbox("moved"))
    hooks.respond("moved", status=status, headers={"Location": hooks.inbox("elsewhere")})

    hooks.happen()

    (attempt,) = hooks.attempts(webhook)
    assert (attempt["outcome"], attempt["status"]) == ("failed", status)
    assert hooks.delivery(webhook)["status"] == "PENDING"
    assert hooks.received("elsewhere") == []


def stalling(first: bytes, then: bytes = b"") -> Callable[[socket.socket, Receiver], None]:
    """Begins an answer, and goes on in small pieces or in silence until the test ends."""

    def behave(peer: socket.socket, receiver: Receiver) -> None:
        receiver.requests.append(read_request(peer))
        peer.sendall(first)
        while not receiver.closing.wait(0.05):
            peer.sendall(then)

    return behave


@pytest.mark.parametrize(
    "answer",
    [(b"",), (b"HTTP/1.1 200 OK\r\nX-A: ", b"b")],
    ids=["silence", "endless header"],
)
def test_slow_headers_are_a_failure_at_the_deadline(
    hooks: Hooks, receive: Receive, answer: tuple[bytes, ...]
) -> None:
    use_sender(hooks.stack, deadline_seconds=0.5)
    webhook = hooks.create(url(receive(stalling(*answer))))

    hooks.happen()

    assert_retried(hooks, webhook, "No answer within 0.5 seconds.")


def test_a_slow_body_does_not_change_what_its_status_said(hooks: Hooks, receive: Receive) -> None:
    use_sender(hooks.stack, deadline_seconds=0.5)
    receiver = receive(stalling(b"HTTP/1.1 200 OK\r\nContent-Length: 100000\r\n\r\n", b"x"))
    webhook = hooks.create(url(receiver))

    hooks.happen()
    hooks.stack.advance(HOUR_MS)

    assert hooks.delivery(webhook)["status"] == "DELIVERED"
    assert len(receiver.requests) == 1


def test_of_a_huge_answer_only_the_beginning_is_read_and_kept(
    hooks: Hooks, receive: Receive
) -> None:
    size = 10 * 1024 * 1024
    head = f"HTTP/1.1 200 OK\r\nContent-Length: {size}\r\n\r\n".encode()
    webhook = hooks.create(url(receive(answering(head + b"x" * size))))

    hooks.happen()

    (attempt,) = hooks.attempts(webhook)
    assert (attempt["outcome"], attempt["response"]) == ("delivered", "x" * 500)


def test_a_refused_connection_is_tried_again(hooks: Hooks) -> None:
    with socket.create_server(("127.0.0.1", 0)) as listener:
        port = listener.getsockname()[1]
    webhook = hooks.create(f"http://127.0.0.1:{port}/")

    hooks.happen()

    assert_retried(hooks, webhook, "The connection was refused.")


def test_a_certificate_that_nobody_vouches_for_is_tried_again(
    hooks: Hooks, receive: Receive, tmp_path: Path
) -> None:
    receiver = receive(answering(b""), make_certificate(tmp_path).server())
    webhook = hooks.create(f"https://127.0.0.1:{receiver.port}/")

    hooks.happen()

    (attempt,) = hooks.attempts(webhook)
    assert attempt["message"].startswith("The certificate could not be verified: self-signed")
    assert_retried(hooks, webhook, attempt["message"])
    assert receiver.requests == []


def test_a_name_that_nobody_knows_is_tried_again(hooks: Hooks) -> None:
    def resolve(host: str, _port: int) -> list[str]:
        raise UnresolvedHost(host)

    use_sender(hooks.stack, resolve=resolve)
    webhook = hooks.create("https://hooks.example.com/")

    hooks.happen()

    assert_retried(hooks, webhook, "The host's name could not be resolved.")


def assert_refused(hooks: Hooks, webhook: str) -> None:
    hooks.stack.advance(4 * DAY_MS)
    (attempt,) = hooks.attempts(webhook)
    assert attempt["outcome"] == "refused_by_policy"
    assert hooks.delivery(webhook)["status"] == "REFUSED"
    shown = hooks.shown(webhook)
    assert (shown["failureCount"], shown["lastFailureAt"]) == (0, None)


@pytest.mark.parametrize("address", ["10.0.0.1", "169.254.169.254", "::1", "::ffff:10.0.0.1"])
def test_a_name_that_leads_inside_is_refused_once_and_for_all(hooks: Hooks, address: str) -> None:
    use_sender(hooks.stack, resolve=lambda _host, _port: ["93.184.215.14", address])
    webhook = hooks.create("https://hooks.example.com/")

    hooks.happen()

    assert_refused(hooks, webhook)


def test_a_redirect_that_leads_inside_is_refused_once_and_for_all(hooks: Hooks) -> None:
    webhook = hooks.create(hooks.inbox("moved"))
    location = {"Location": "http://169.254.169.254/latest/meta-data/"}
    hooks.respond("moved", status=302, headers=location)

    hooks.happen()

    assert_refused(hooks, webhook)
    assert len(hooks.received("moved")) == 1


def test_failures_now_and_then_never_disable(hooks: Hooks) -> None:
    webhook = hooks.create(hooks.inbox("flaky"))

    for _ in range(8):
        hooks.respond("flaky", status=500, times=3)
        hooks.happen()
        assert hooks.shown(webhook)["failureCount"] > 0
        hooks.stack.advance(DAY_MS)
        shown = hooks.shown(webhook)
        assert (shown["isEnabled"], shown["failureCount"]) == (True, 0)

    assert hooks.shown(webhook)["lastFailureAt"] is not None
    assert {one["status"] for one in hooks.deliveries(webhook)} == {"DELIVERED"}


def test_an_endpoint_that_fails_for_more_than_five_days_is_disabled(hooks: Hooks) -> None:
    webhook = hooks.create(hooks.inbox("dead"))
    hooks.respond("dead", status=500, times=1000)

    hooks.happen()
    hooks.stack.advance(60 * HOUR_MS)
    missed = hooks.happen()
    hooks.stack.advance(36 * HOUR_MS)
    after_one = hooks.shown(webhook)
    hooks.stack.advance(54 * HOUR_MS)
    after_two = hooks.shown(webhook)

    assert {one["status"] for one in hooks.deliveries(webhook)} == {"FAILED"}
    assert (after_one["isEnabled"], after_one["autoDisabledDueToFailures"]) == (True, False)
    assert (after_two["isEnabled"], after_two["autoDisabledDueToFailures"]) == (False, True)
    requests = len(hooks.received("dead"))
    hooks.happen()
    assert len(hooks.received("dead")) == requests

    hooks.stack.inboxes.empty(f"{hooks.campaign_id}-dead")
    enabled = hooks.change(webhook, isEnabled=True)
    assert (enabled["isEnabled"], enabled["autoDisabledDueToFailures"]) == (True, False)
    assert enabled["failureCount"] == 0
    hooks.happen()
    assert len(hooks.received("dead")) == 1
    assert hooks.recover(webhook, missed["createdAt"]) == {"recovered": 1, "nextId": None}
    hooks.stack.drain()
    recovered = json.loads(hooks.received("dead")[-1]["body"])
    assert recovered["data"]["id"] == missed["id"]


def test_a_success_clears_what_failed_before(hooks: Hooks) -> None:
    webhook = hooks.create(hooks.inbox("back"))
    hooks.respond("back", status=500, times=12)
    hooks.happen()
    hooks.stack.advance(4 * DAY_MS)
    assert hooks.shown(webhook)["failureCount"] == 10
    hooks.happen()
    assert hooks.shown(webhook)["failureCount"] == 11

    hooks.stack.advance(DAY_MS)

    shown = hooks.shown(webhook)
    assert (shown["failureCount"], shown["isEnabled"]) == (0, True)


def test_old_and_new_secret_sign_for_a_day_after_a_change(hooks: Hooks) -> None:
    webhook = hooks.create(hooks.inbox("up"), secret=SECRET)

    hooks.happen()
    hooks.change(webhook, secret=FREE_TEXT)
    hooks.happen()
    hooks.stack.advance(DAY_MS + 1000)
    hooks.happen()

    signatures = [each["headers"]["webhook-signature"].split() for each in hooks.received("up")]
    first, during, after = hooks.received("up")
    assert signatures == [
        [signed_by(first, SECRET)],
        [signed_by(during, FREE_TEXT), signed_by(during, SECRET)],
        [signed_by(after, FREE_TEXT)],
    ]
    requests = [(first, SECRET), (during, FREE_TEXT), (during, SECRET), (after, FREE_TEXT)]
    assert node_verifies(requests) == [True, True, False, True]


def test_without_a_secret_nothing_is_signed(hooks: Hooks) -> None:
    hooks.create(hooks.inbox("up"))

    hooks.happen()

    (request,) = hooks.received("up")
    assert {"webhook-id", "webhook-timestamp"} <= request["headers"].keys()
    assert not {"webhook-signature", "growsurf-signature"} & request["headers"].keys()


def test_an_event_is_sent_again_on_request_with_the_same_bytes(hooks: Hooks) -> None:
    webhook = hooks.create(hooks.inbox("up"))
    hooks.happen()

    assert hooks.resend(webhook, hooks.delivery(webhook)["id"]) == {"success": True}
    hooks.stack.drain()

    first, again = hooks.received("up")
    assert first["body"] == again["body"]
    assert first["headers"]["webhook-id"] == again["headers"]["webhook-id"]
    assert [one["outcome"] for one in hooks.attempts(webhook)] == ["delivered", "delivered"]


def test_an_event_that_is_sent_again_has_all_its_attempts_before_it(hooks: Hooks) -> None:
    webhook = hooks.create(hooks.inbox("down"))
    hooks.respond("down", status=500, times=100)
    hooks.happen()
    hooks.stack.advance(4 * DAY_MS)

    hooks.resend(webhook, hooks.delivery(webhook)["id"])
    hooks.stack.drain()
    assert 4500 <= wait_until_next(hooks, webhook) <= 5500
    hooks.stack.advance(4 * DAY_MS)

    assert hooks.delivery(webhook)["status"] == "FAILED"
    assert len(hooks.received("down")) == 2 * schedule.MOST_ATTEMPTS


def test_what_was_not_delivered_since_a_time_is_sent_again(hooks: Hooks) -> None:
    webhook = hooks.create(hooks.inbox("down"))
    people = []
    for status in (410, 410, 200, 410):
        hooks.respond("down", status=status)
        people.append(hooks.happen())
        hooks.stack.advance(1000)

    answer = hooks.recover(webhook, people[1]["createdAt"])
    hooks.stack.drain()

    assert answer == {"recovered": 2, "nextId": None}
    again = [json.loads(each["body"])["data"]["id"] for each in hooks.received("down")[4:]]
    assert sorted(again) == sorted([people[1]["id"], people[3]["id"]])
    statuses = [one["status"] for one in hooks.deliveries(webhook)]
    assert statuses == ["DELIVERED", "DELIVERED", "DELIVERED", "FAILED"]


def test_a_recovery_goes_on_where_it_ended_among_events_of_one_moment(
    hooks: Hooks, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(log, "MOST_RECOVERED", 2)
    webhook = hooks.create(hooks.inbox("down"))
    hooks.respond("down", status=410, times=5)
    now = hooks.stack.now_ms()
    hooks.stack._clock.stand_at(now)
    people = [hooks.happen()["id"] for _ in range(5)]

    answer = hooks.recover(webhook, now)
    answers = [answer]
    while (next_id := answer["nextId"]) is not None:
        body = {"since": now, "nextId": next_id}
        path = f"/v2/campaign/{hooks.campaign_id}/webhooks/{webhook}/recover"
        answer = hooks.api.ok("POST", path, body)
        answers.append(answer)
    hooks.stack.drain()

    assert [each["recovered"] for each in answers] == [2, 2, 1]
    again = [json.loads(each["body"])["data"]["id"] for each in hooks.received("down")[5:]]
    assert sorted(again) == sorted(people)


def test_what_was_on_its_way_to_a_deleted_webhook_is_not_sent_to_the_next(hooks: Hooks) -> None:
    webhook = hooks.create(hooks.inbox("old"))
    hooks.respond("old", status=500)
    hooks.happen()

    hooks.api.ok("DELETE", f"/v2/campaign/{hooks.campaign_id}/webhooks/{webhook}")
    assert hooks.create(hooks.inbox("new")) == webhook
    hooks.stack.advance(4 * DAY_MS)

    assert len(hooks.received("old")) == 1
    assert hooks.received("new") == []
