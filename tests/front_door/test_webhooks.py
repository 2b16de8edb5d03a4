"""The webhooks of a campaign: made, listed, changed, tried, deleted, and what was sent to them."""

from __future__ import annotations

import json
from collections.abc import Iterator
from functools import partial
from pathlib import Path
from typing import Any

import httpx
import pytest

from grapevine import runtime
from grapevine.engine import accounts
from local.stack import Stack
from tests import invariants
from tests.api import Api, Json
from tests.reward_stories import (
    ALL_EVENTS,
    Program,
    received,
    stack_with_receivers,
)
from tests.scenarios import at_once

ADDED, GOAL, ENDED, _ = ALL_EVENTS
URL = "https://hooks.example.com/in"
SECRET = "whsec_dmVyeS1zZWNyZXQtaW5kZWVk"


@pytest.fixture(scope="module")
def hooked(engine: str) -> Iterator[Stack]:
    with stack_with_receivers(engine) as stack:
        yield stack


@pytest.fixture
def api(hooked: Stack) -> Iterator[Api]:
    with Api(hooked.url, hooked.api_key) as client:
        yield client


@pytest.fixture
def program(hooked: Stack, api: Api) -> Program:
    return Program.begin(hooked, api)


def send(program: Program, method: str, rest: str = "", body: Any = None) -> httpx.Response:
    return program.api.call(method, f"{program.path}/webhooks{rest}", body)


def create(program: Program, **fields: Any) -> Json:
    answer = send(program, "POST", "", {"payloadUrl": URL, **fields})
    assert answer.status_code == 200, answer.text
    created: Json = answer.json()
    return created


def listed(program: Program) -> list[Json]:
    webhooks: list[Json] = send(program, "GET").json()["webhooks"]
    return webhooks


# --- Management -----------------------------------------------------------------------------------


def test_the_first_webhook_is_the_primary_one_and_wants_no_events_yet(program: Program) -> None:
    created = create(program)

    assert created == {
        "id": "primary",
        "payloadUrl": URL,
        "events": [],
        "isEnabled": True,
        "autoDisabledDueToFailures": False,
        "failureCount": 0,
        "lastFailureAt": None,
    }
    assert listed(program) == [created]


def test_a_webhook_has_what_it_was_made_with(program: Program) -> None:
    created = create(program, events=[GOAL, ADDED, GOAL], isEnabled=False, secret=SECRET)

    assert (created["events"], created["isEnabled"]) == ([GOAL, ADDED], False)
    assert "secret" not in created


def test_a_campaign_can_have_five_webhooks_and_a_free_place_is_taken_again(
    program: Program,
) -> None:
    ids = [create(program)["id"] for _ in range(5)]

    assert ids[0] == "primary"
    assert len(set(ids)) == 5
    assert send(program, "POST", "", {"payloadUrl": URL}).status_code == 400
    assert [one["id"] for one in listed(program)] == ids
    assert send(program, "DELETE", "/primary").json() == {"id": "primary", "success": True}
    assert create(program)["id"] == "primary"


@pytest.mark.both_engines
def test_of_webhooks_created_at_once_five_are_made(program: Program) -> None:
    def one_more(api: Api) -> int:
        own = Program(program.stack, api, program.id)
        return send(own, "POST", "", {"payloadUrl": URL}).status_code

    statuses = at_once(program.stack, [one_more] * 12)

    assert sorted(statuses) == [200] * 5 + [400] * 7
    assert len(listed(program)) == 5


def test_a_change_changes_what_is_sent_and_nothing_else(program: Program) -> None:
    before = create(program, events=[ADDED])

    changes: list[Json] = [
        {"payloadUrl": "https://other.example.com/"},
        {"events": [ENDED, GOAL]},
        {"isEnabled": False},
        {"events": []},
        {},
    ]
    for change in changes:
        before |= change
        assert send(program, "PATCH", "/primary", change).json() == before

    assert listed(program) == [before]


REFUSED: dict[str, Json] = {
    "an unknown key": {"name": "Hook"},
    "a counter": {"failureCount": 0},
    "an id": {"id": "second"},
    "an unknown event": {"events": ["PARTICIPANT_CREATED"]},
    "an event that is no list": {"events": ADDED},
    "null events": {"events": None},
    "a flag that is neither": {"isEnabled": "perhaps"},
    "an empty secret": {"secret": ""},
    "a long secret": {"secret": "x" * 256},
    "no address": {"payloadUrl": None},
    "an empty address": {"payloadUrl": ""},
    "a plain one": {"payloadUrl": "http://hooks.example.com/"},
    "a file": {"payloadUrl": "file:///etc/passwd"},
    "a loopback address": {"payloadUrl": "https://127.0.0.2/"},
    "a private address": {"payloadUrl": "https://192.168.0.1/"},
    "the metadata address": {"payloadUrl": "https://169.254.169.254/latest/"},
    "a mapped address": {"payloadUrl": "https://[::ffff:10.0.0.1]/"},
    "a number": {"payloadUrl": "https://2130706433/"},
    "a name without a domain": {"payloadUrl": "https://localhost/"},
    "credentials": {"payloadUrl": "https://user:pass@hooks.example.com/"},
    "a low port": {"payloadUrl": "https://hooks.example.com:22/"},
    "a long address": {"payloadUrl": f"https://hooks.example.com/{'x' * 2048}"},
}


@pytest.mark.parametrize("name", REFUSED)
def test_what_no_webhook_can_have_is_refused(program: Program, name: str) -> None:
    answer = send(program, "POST", "", {"payloadUrl": URL, **REFUSED[name]})
    assert answer.status_code == 400
    assert answer.json()["errors"]
    assert listed(program) == []
    before = create(program)

    assert send(program, "PATCH", "/primary", REFUSED[name]).status_code == 400
    assert listed(program) == [before]


def test_a_webhook_needs_an_address(program: Program) -> None:
    answer = send(program, "POST", "", {"events": [ADDED]})

    assert answer.status_code == 400
    assert [each["field"] for each in answer.json()["errors"]] == ["payloadUrl"]


@pytest.mark.parametrize("webhook", ["primary", "second", "nothing", "%23"])
def test_an_unknown_webhook_is_not_found(program: Program, webhook: str) -> None:
    delivery = f"dlv_1795338000000_evt_{'0' * 24}"
    for method, rest, body in (
        ("PATCH", "", {}),
        ("DELETE", "", None),
        ("POST", "/test", {}),
        ("GET", "/deliveries", None),
        ("POST", f"/deliveries/{delivery}/resend", {}),
        ("POST", "/recover", {"since": 0}),
    ):
        answer = send(program, method, f"/{webhook}{rest}", body)
        assert (answer.status_code, answer.json()["code"]) == (404, "NOT_FOUND_ERROR")


def test_webhooks_of_other_campaigns_and_accounts_are_out_of_reach(program: Program) -> None:
    other = Program.begin(program.stack, program.api)
    mine = create(other, events=[ADDED])
    with runtime.using(program.stack.runtime()):
        account_id = accounts.create_account("Somebody").account_id
        key = accounts.create_key(account_id, name="Test")

    assert listed(program) == []
    assert send(program, "DELETE", "/primary").status_code == 404
    with Api(program.stack.url, key.secret) as stranger:
        reach = partial(send, Program(program.stack, stranger, other.id))
        assert reach("GET").status_code == 403
        assert reach("POST", "", {"payloadUrl": URL}).status_code == 403
        assert reach("PATCH", "/primary", {"events": []}).status_code == 403
        assert reach("DELETE", "/primary").status_code == 403
        assert reach("POST", "/primary/test", {}).status_code == 403
        assert reach("GET", "/primary/deliveries").status_code == 403
        assert reach("POST", "/primary/recover", {"since": 0}).status_code == 403
    assert listed(other) == [mine]


# --- The secret -----------------------------------------------------------------------------------


def test_a_secret_is_never_shown_and_never_stored_in_clear(
    program: Program, capsys: pytest.CaptureFixture[str]
) -> None:
    other = f"{SECRET}-2"
    program.listen("hidden", secret=SECRET)

    answers = [
        send(program, "GET").text,
        send(program, "PATCH", "/primary", {"secret": other}).text,
        send(program, "PATCH", "/primary", {"events": [ADDED]}).text,
        send(program, "POST", "/primary/test", {}).text,
    ]
    program.join()
    program.stack.drain()
    answers.append(send(program, "GET", "/primary/deliveries").text)

    stored = repr(invariants.table_of(program.stack))
    queues = [
        message.body
        for queue in program.stack.declared.queues
        for message in program.stack.queue_messages(queue)
    ]
    for text in (*answers, stored, *queues, capsys.readouterr().out):
        assert SECRET not in text
    assert all("ecret" not in text for text in answers)


@pytest.mark.parametrize(
    "body",
    [
        {"payloadUrl": URL, "secret": SECRET * 20},
        {"payloadUrl": URL, "secret": {"value": SECRET}},
        {"payloadUrl": "nowhere", "secret": SECRET},
        {"secret": SECRET},
    ],
)
def test_a_secret_in_a_refused_request_is_not_told_back(program: Program, body: Json) -> None:
    answer = send(program, "POST", "", body)

    assert answer.status_code == 400
    assert SECRET not in answer.text


# --- Trying a webhook -----------------------------------------------------------------------------


@pytest.mark.parametrize("event", ALL_EVENTS)
def test_a_simulated_event_is_sent_at_once_and_is_not_counted(program: Program, event: str) -> None:
    name = f"{program.id}-test"
    before = program.listen(name, [], secret=SECRET)

    answer = send(program, "POST", "/primary/test", {"event": event}).json()

    assert answer["success"] is True
    assert answer["response"]["statusCode"] == 200
    assert received(program.stack, name) == [answer["payload"]]
    assert answer["payload"]["event"] == event
    [sent] = program.stack.inboxes.received(name)
    assert {"growsurf-signature", "webhook-signature"} <= set(sent["headers"])
    assert listed(program) == [before]
    assert send(program, "GET", "/primary/deliveries").json()["deliveries"] == []


GOLDEN = Path(__file__).parent.parent / "golden" / "webhooks"
# Only of a referred participant.
REFERRED = {"referrer", "referredBy"}


@pytest.mark.parametrize("event", ALL_EVENTS)
def test_a_simulated_event_has_the_fields_of_a_real_one(program: Program, event: str) -> None:
    program.listen("fields", [])
    real = json.loads((GOLDEN / f"{event}.json").read_text(encoding="utf-8"))

    simulated = send(program, "POST", "/primary/test", {"event": event}).json()["payload"]

    assert set(simulated) == set(real)
    assert set(simulated["data"]) | REFERRED >= set(real["data"])
    if event == GOAL:
        assert set(simulated["data"]["reward"]) == set(real["data"]["reward"])
        person = simulated["data"]["participant"]
        assert set(person) == set(real["data"]["participant"]) - {"referee"}


def test_a_simulated_change_of_a_fraud_status_tells_of_the_participant(program: Program) -> None:
    program.listen("fraud", [])

    body = {"event": "PARTICIPANT_FRAUD_STATUS_UPDATED"}
    payload = send(program, "POST", "/primary/test", body).json()["payload"]

    assert payload["event"] == "PARTICIPANT_FRAUD_STATUS_UPDATED"
    assert set(payload["data"]) == {"participant", "campaign"}


def test_the_first_subscribed_event_is_simulated_where_none_is_named(program: Program) -> None:
    program.listen("first", [ENDED, ADDED])

    answer = send(program, "POST", "/primary/test", {})
    bare = send(program, "POST", "/primary/test")

    assert answer.json()["payload"]["event"] == bare.json()["payload"]["event"] == ENDED


def test_a_webhook_without_events_is_not_tried_unless_one_is_named(program: Program) -> None:
    program.listen("none", [])

    assert send(program, "POST", "/primary/test", {}).status_code == 400
    assert send(program, "POST", "/primary/test", {"event": "NOTHING"}).status_code == 400


def test_a_failing_endpoint_is_told_of_and_not_counted(program: Program) -> None:
    name = f"{program.id}-failing"
    before = program.listen(name)
    program.stack.inboxes.respond(name, {"status": 503})

    answer = send(program, "POST", "/primary/test", {}).json()

    assert answer["success"] is False
    assert answer["response"]["statusCode"] == 503
    assert answer["response"]["msg"]
    assert listed(program) == [before]
    program.stack.drain()
    assert len(received(program.stack, name)) == 1


# --- What was sent --------------------------------------------------------------------------------


def deliveries(program: Program, **query: Any) -> Json:
    path = f"{program.path}/webhooks/primary/deliveries"
    return program.api.ok("GET", path, params=query)


@pytest.mark.parametrize("limit", [1, 2, 3, 100])
def test_the_pages_of_deliveries_are_all_of_them_newest_first(program: Program, limit: int) -> None:
    program.listen(f"{program.id}-pages")
    for _ in range(5):
        program.join()
    program.stack.drain()

    found: list[Json] = []
    query: Json = {"limit": limit}
    while True:
        page = deliveries(program, **query)
        found += page["deliveries"]
        if page["nextId"] is None:
            break
        assert len(page["deliveries"]) == limit
        query["nextId"] = page["nextId"]

    told = program.stack.inboxes.received(f"{program.id}-pages")
    in_order = sorted(told, key=lambda each: int(json.loads(each["body"])["createdAt"]))
    ids = [each["headers"]["webhook-id"] for each in in_order]
    assert [one["eventId"] for one in reversed(found)] == ids
    assert {(one["status"], one["event"], len(one["attempts"])) for one in found} == {
        ("DELIVERED", ADDED, 1)
    }


def test_an_unknown_cursor_and_a_wrong_limit_are_answered_as_everywhere(program: Program) -> None:
    program.listen("cursor")
    program.join()
    program.stack.drain()

    for cursor in ("nothing", "dlv_1_evt_2", "😀"):
        page = deliveries(program, nextId=cursor)
        assert (page["deliveries"], page["nextId"]) == ([], None)
    path = f"{program.path}/webhooks/primary/deliveries"
    assert program.api.call("GET", path, params={"limit": 101}).status_code == 400


def test_a_delivery_is_sent_again_as_it_was(program: Program) -> None:
    name = f"{program.id}-again"
    program.listen(name)
    program.join()
    program.stack.drain()
    [delivery] = deliveries(program)["deliveries"]

    answer = send(program, "POST", f"/primary/deliveries/{delivery['id']}/resend", {})
    program.stack.drain()

    assert answer.json() == {"success": True}
    first, second = program.stack.inboxes.received(name)
    assert first["body"] == second["body"]
    assert first["headers"]["webhook-id"] == second["headers"]["webhook-id"]
    [shown] = deliveries(program)["deliveries"]
    assert (shown["status"], len(shown["attempts"])) == ("DELIVERED", 2)


@pytest.mark.parametrize(
    "delivery", ["nothing", f"dlv_1795338000000_evt_{'0' * 24}", "dlv_1_evt_2", "%23"]
)
def test_an_unknown_delivery_cannot_be_sent_again(program: Program, delivery: str) -> None:
    create(program)

    answer = send(program, "POST", f"/primary/deliveries/{delivery}/resend", {})

    assert answer.status_code == 404


def test_what_an_endpoint_refused_is_recovered_when_it_works_again(program: Program) -> None:
    name = f"{program.id}-recover"
    program.listen(name)
    program.join()
    program.stack.drain()
    since = program.stack.now_ms()
    program.stack.inboxes.respond(name, {"status": 410})
    lost = program.join()
    program.stack.drain()
    program.stack.inboxes.empty(name)
    send(program, "PATCH", "/primary", {"isEnabled": True})

    answer = send(program, "POST", "/primary/recover", {"since": since}).json()
    program.stack.drain()

    assert answer == {"recovered": 1, "nextId": None}
    assert [event["data"]["id"] for event in received(program.stack, name)] == [lost]
    again = send(program, "POST", "/primary/recover", {"since": 0}).json()
    assert again["recovered"] == 0


@pytest.mark.parametrize(
    "body",
    [
        {},
        {"since": "yesterday"},
        {"since": -1},
        {"since": None},
        {"since": 0, "to": 1},
        {"since": 0, "nextId": "dlv_1"},
    ],
)
def test_a_recovery_needs_a_time(program: Program, body: Json) -> None:
    create(program)

    assert send(program, "POST", "/primary/recover", body).status_code == 400


def test_enabling_clears_what_failures_have_left(program: Program) -> None:
    name = f"{program.id}-enable"
    program.listen(name)
    program.stack.inboxes.respond(name, {"status": 500})
    program.join()
    program.stack.drain()
    [failing] = listed(program)
    assert failing["failureCount"] == 1
    assert failing["lastFailureAt"] is not None

    answer = send(program, "PATCH", "/primary", {"isEnabled": True}).json()

    assert (answer["failureCount"], answer["autoDisabledDueToFailures"]) == (0, False)
    assert listed(program) == [answer]


def test_a_new_webhook_in_a_freed_place_knows_nothing_of_the_old_one(program: Program) -> None:
    name = f"{program.id}-old"
    program.listen(name)
    program.stack.inboxes.respond(name, {"status": 500})
    program.join()
    program.stack.drain()
    send(program, "DELETE", "/primary")

    created = create(program, events=[ADDED])

    assert (created["id"], created["failureCount"], created["lastFailureAt"]) == (
        "primary",
        0,
        None,
    )
