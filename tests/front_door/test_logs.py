"""What the functions write to their logs: ids, and nothing of what people sent."""

from __future__ import annotations

import io
import json
import logging
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any

import pytest

from grapevine.log import logger
from local.stack import Stack
from tests import visitors
from tests.api import Api
from tests.invariants import table_of
from tests.post_office import FROM, PostOffice, unsubscribe_path

SECRETS = (
    "private@example.com",
    "private%40example.com",
    "Confidential",
    "203.0.113.99",
    "secret-fingerprint",
    "secret-note",
    "secret-value",
    "other-secret-key",
)


@dataclass(frozen=True)
class Log:
    """All that has been logged, by our logger and by everybody else's."""

    ours: io.StringIO
    caplog: pytest.LogCaptureFixture

    def lines(self) -> list[dict[str, Any]]:
        return [json.loads(line) for line in self.ours.getvalue().splitlines()]

    def requests(self) -> list[dict[str, Any]]:
        return [line for line in self.lines() if line["message"] == "request"]

    def defects(self) -> list[dict[str, Any]]:
        return [line for line in self.lines() if line["message"] == "defect"]

    def keeps_secrets(self, *more: str | None) -> bool:
        everything = (self.ours.getvalue() + self.caplog.text).lower()
        told = [one for one in (*SECRETS, *more) if one and one.lower() in everything]
        assert not told, everything
        return True


@pytest.fixture
def log(caplog: pytest.LogCaptureFixture, capfd: pytest.CaptureFixture[str]) -> Iterator[Log]:
    """Takes what goes to the functions' standard output and error."""
    ours = io.StringIO()
    handlers = [one for one in logger().handlers if isinstance(one, logging.StreamHandler)]
    assert handlers
    streams = [handler.setStream(ours) for handler in handlers]
    yield Log(ours, caplog)
    for handler, stream in zip(handlers, streams, strict=True):
        if stream is not None:
            handler.setStream(stream)
    written = capfd.readouterr()
    assert not [one for one in SECRETS if one in written.out + written.err]


@pytest.fixture
def campaign_id(api: Api) -> str:
    return api.campaign()


def add_private(api: Api, campaign_id: str) -> dict[str, Any]:
    return api.add(
        campaign_id,
        "private@example.com",
        firstName="Confidential",
        ipAddress="203.0.113.99",
        fingerprint="secret-fingerprint",
        metadata={"a": "secret-value"},
    )


def test_success_is_logged_by_ids_only(stack: Stack, api: Api, campaign_id: str, log: Log) -> None:
    referrer = api.add(campaign_id)["id"]
    added = add_private(api, campaign_id)
    api.update(campaign_id, "private@example.com", notes="secret-note", referredBy=referrer)
    api.trigger(campaign_id, "private@example.com")
    api.page(campaign_id, **{"metadata[a]": "secret-value"})
    api.read(campaign_id, "private@example.com")
    stack.drain()
    api.delete(campaign_id, "private@example.com")
    stack.drain()

    assert added["isNew"]
    assert log.keeps_secrets(stack.api_key)
    requests = log.requests()
    assert {line["status"] for line in requests} == {200}
    assert {line["accountId"] for line in requests} == {stack.account_id}
    assert {line["campaignId"] for line in requests} == {campaign_id}
    assert len(requests) == 7


def test_of_a_visitor_nothing_is_logged(fresh_stack: Stack, log: Log) -> None:
    with Api(fresh_stack.url, fresh_stack.api_key) as api:
        campaign_id = api.campaign(installation={"shareUrl": visitors.ORIGIN})
        key = api.add(campaign_id, firstName="Confidential")["vanityKeys"][0]
        visitor = visitors.visitor()
        followed = visitors.follow(api, campaign_id, key, cookie=f"grsf_visitor={visitor}")
        visitors.view(api, campaign_id, key, visitor)
        visitors.post(api, "share", {"campaignId": "private@example.com", "key": key})
        visitors.follow(api, "private@example.com", key)
        visitors.script(api, "private@example.com")

    assert visitors.cookie_of(followed).endswith(visitor)
    assert log.keeps_secrets(visitor, key, "127.0.0.1", visitors.BROWSER, visitors.ORIGIN)
    [link, view, refused, lost, script] = log.requests()[-5:]
    assert (link["route"], link["status"]) == ("GET /r/{campaignId}/{key}", 302)
    assert [line["status"] for line in (view, refused, lost, script)] == [200, 400, 404, 200]


def test_of_an_e_mail_nothing_is_logged(fresh_stack: Stack, log: Log) -> None:
    with Api(fresh_stack.url, fresh_stack.api_key) as api:
        office = PostOffice(fresh_stack, api, fromName="secret-value")
        texts = {"subjectText": "secret-note", "messageText": "Confidential"}
        assert office.invite("private@example.com", **texts) == 1
        fresh_stack.mail.fail("MessageRejected")
        fresh_stack.drain()
        other = office.join("Confidential")
        assert office.invite("private@example.com", participant=other, **texts) == 1
        fresh_stack.drain()
        path = unsubscribe_path(office.mail("private@example.com"))
        api.call("POST", path)

    assert log.keeps_secrets(path, path.rpartition("/")[2], FROM)
    assert [line["route"] for line in log.requests()][-1] == "POST /unsubscribe/{token}"
    assert not log.defects()


def test_each_request_is_one_line_with_what_an_operator_needs(
    api: Api, campaign_id: str, log: Log
) -> None:
    api.read_campaign(campaign_id)

    [line] = log.requests()
    assert line["route"] == "GET /v2/campaign/{id}"
    assert line["status"] == 200
    assert line["level"] == "INFO"
    assert line["durationMs"] >= 0
    assert line["requestId"]
    assert line["keyId"].startswith("key_")


REFUSED: list[tuple[int, Callable[[Api, str], Any]]] = [
    (400, lambda api, id_: api.call("GET", f"/v2/campaign/{id_}/participant/private@example.com")),
    (
        400,
        lambda api, id_: api.call(
            "DELETE", f"/v2/campaign/{id_}/participant/private%40example.com"
        ),
    ),
    (
        400,
        lambda api, id_: api.call(
            "POST", f"/v2/campaign/{id_}/participant", {"email": "private@example.com@"}
        ),
    ),
    (
        400,
        lambda api, id_: api.call(
            "POST",
            f"/v2/campaign/{id_}/participant",
            {"email": "a@example.com", "private@example.com": "secret-value"},
        ),
    ),
    (
        400,
        lambda api, id_: api.http.post(
            f"/v2/campaign/{id_}/participant",
            content=b'{"email":"private@example.com"',
            headers={"content-type": "application/json"},
        ),
    ),
    (
        400,
        lambda api, id_: api.call(
            "GET", f"/v2/campaign/{id_}/participants", params={"limit": "private@example.com"}
        ),
    ),
    (
        415,
        lambda api, id_: api.http.post(
            f"/v2/campaign/{id_}/participant",
            content=b"private@example.com",
            headers={"content-type": "private@example.com"},
        ),
    ),
    (
        404,
        lambda api, _: api.call("GET", "/v2/campaign/private@example.com/participants"),
    ),
    (404, lambda api, _: api.call("GET", "/v2/nowhere/private@example.com?k=other-secret-key")),
    (
        403,
        lambda api, id_: api.call(
            "GET",
            f"/v2/campaign/{id_}/participant/private@example.com",
            headers={"authorization": "Bearer other-secret-key"},
        ),
    ),
]


@pytest.mark.parametrize(("status", "call"), REFUSED)
def test_a_refusal_is_logged_without_what_was_sent(
    stack: Stack,
    api: Api,
    campaign_id: str,
    log: Log,
    status: int,
    call: Callable[[Api, str], Any],
) -> None:
    response = call(api, campaign_id)

    assert response.status_code == status
    assert log.keeps_secrets(stack.api_key)
    assert not log.defects()


def test_a_defect_is_logged_with_its_place_and_without_its_words(
    fresh_stack: Stack, log: Log
) -> None:
    with Api(fresh_stack.url, fresh_stack.api_key) as api:
        campaign_id = api.campaign()
        added = add_private(api, campaign_id)
        # Nothing in the API can do this: an item of no known type where the profile should be.
        (key,) = (
            key
            for key, item in table_of(fresh_stack).items()
            if item["type"] == "Profile" and item["participantId"] == added["id"]
        )
        fresh_stack.dynamodb.update_item(
            TableName=fresh_stack.table_name,
            Key={"partition": {"S": key.partition}, "sort": {"S": key.sort}},
            UpdateExpression="SET #type = :broken",
            ExpressionAttributeNames={"#type": "type"},
            ExpressionAttributeValues={":broken": {"S": "private@example.com"}},
        )

        response = api.call("GET", f"/v2/campaign/{campaign_id}/participant/private@example.com")

    assert response.status_code == 500
    body = response.json()
    assert (body["code"], body["status"]) == ("INTERNAL_SERVER_ERROR", 500)
    assert "TypeError" not in response.text
    assert "private" not in response.text
    [defect] = log.defects()
    assert defect["level"] == "ERROR"
    assert defect["errorType"] == "TypeError"
    assert "lookup.py" in defect["traceback"]
    assert log.requests()[-1]["status"] == 500
    assert log.keeps_secrets(fresh_stack.api_key)


def test_a_message_that_cannot_be_worked_on_is_logged_without_its_words(
    fresh_stack: Stack, log: Log
) -> None:
    record = {
        "messageId": "m1",
        "receiptHandle": "r1",
        "body": "private@example.com",
        "attributes": {},
        "messageAttributes": {},
        "md5OfBody": "",
        "eventSource": "aws:sqs",
        "eventSourceARN": "arn:aws:sqs:us-east-1:123456789012:due",
        "awsRegion": "us-east-1",
    }

    answer = fresh_stack.invoke("SettleDueFunction", {"Records": [record]})

    assert answer == {"batchItemFailures": [{"itemIdentifier": "m1"}]}
    assert log.defects()
    assert log.keeps_secrets()
