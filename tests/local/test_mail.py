"""The post office of the local stack."""

from __future__ import annotations

import json
from collections.abc import Iterator

import pytest

from local.stack import Stack
from tests.conftest import TEMPLATE
from tests.local.conftest import Http


@pytest.fixture(scope="module")
def post_office() -> Iterator[tuple[Stack, Http]]:
    with Stack(TEMPLATE) as stack:
        yield stack, Http(stack)


def send(stack: Stack, recipient: str, sender: str = "Me <a@example.com>") -> str:
    client = stack._clients["sesv2"]
    answer = client.send_email(
        FromEmailAddress=sender,
        Destination={"ToAddresses": [recipient]},
        Content={"Raw": {"Data": b"Subject: =?utf-8?q?=C3=9C?=\r\n\r\nbody\r\n"}},
        ConfigurationSetName=stack.declared.mail_events[0].configuration_set,
        EmailTags=[{"Name": "campaign", "Value": "c"}, {"Name": "mail", "Value": "m"}],
    )
    message_id: str = answer["MessageId"]
    return message_id


def events(stack: Stack) -> list[tuple[str, str]]:
    messages = [json.loads(each.body) for each in stack.queue_messages("MailEventQueue")]
    return [(each["detail"]["eventType"], each["detail"]["mail"]["messageId"]) for each in messages]


def test_mail_is_listed_with_its_source(post_office: tuple[Stack, Http]) -> None:
    stack, http = post_office
    first, second = send(stack, "one@example.com"), send(stack, "two@example.com")

    _, everything = http("GET", "/_local/mail")
    _, [listed] = http("GET", "/_local/mail?to=two%40example.com")

    assert [each["messageId"] for each in everything] == [first, second]
    assert (listed["messageId"], listed["to"]) == (second, ["two@example.com"])
    assert (listed["from"], listed["subject"]) == ("Me <a@example.com>", "Ü")
    assert listed["source"].endswith("\r\n\r\nbody\r\n")
    assert listed["tags"] == {"campaign": "c", "mail": "m"}
    assert http("DELETE", "/_local/mail")[0] == 204
    assert http("GET", "/_local/mail")[1] == []


def test_events_go_where_the_template_sends_them(post_office: tuple[Stack, Http]) -> None:
    stack, _ = post_office
    with stack.hold("RecordMailEventFunction"):
        stack.queues.receive("MailEventQueue", 100, visibility_timeout_s=0)
        stack.take_records("RecordMailEventFunction")
        bounced = send(stack, "Bounce+x@simulator.amazonses.com")
        complained = send(stack, "complaint@simulator.amazonses.com")

        assert events(stack) == [
            ("Send", bounced),
            ("Bounce", bounced),
            ("Send", complained),
            ("Delivery", complained),
            ("Complaint", complained),
        ]
        stack.take_records("RecordMailEventFunction")


def test_failures_are_asked_for_by_name(post_office: tuple[Stack, Http]) -> None:
    stack, http = post_office
    client = stack._clients["sesv2"]
    body = json.dumps({"failure": "TooManyRequestsException", "times": 2})
    assert http("POST", "/_local/mail/fail", body)[0] == 200

    for _ in range(2):
        with pytest.raises(client.exceptions.TooManyRequestsException):
            send(stack, "three@example.com")

    assert send(stack, "three@example.com")
    for wrong in ("{}", '{"failure":"None"}', '{"failure":"MessageRejected","times":0}', "[]"):
        assert http("POST", "/_local/mail/fail", wrong)[0] == 400
    assert http("PUT", "/_local/mail", "")[0] == 405


def test_one_domain_may_not_send(post_office: tuple[Stack, Http]) -> None:
    stack, _ = post_office
    client = stack._clients["sesv2"]

    with pytest.raises(client.exceptions.MessageRejected):
        send(stack, "four@example.com", sender="Me <me@below.unverified.example>")
    with pytest.raises(client.exceptions.NotFoundException):
        client.get_email_identity(EmailIdentity="unverified.example")

    assert client.get_email_identity(EmailIdentity="a@b.example")["VerifiedForSendingStatus"]
