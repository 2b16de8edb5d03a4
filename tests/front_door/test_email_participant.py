"""POST …/participant/{participant}/email: one e-mail for one request, to whoever may have it."""

from __future__ import annotations

import itertools
import json
from collections.abc import Callable
from functools import partial
from typing import Any

import pytest
from botocore.exceptions import ClientError, EndpointConnectionError

from grapevine.engine import messages
from grapevine.engine.mail.asking import MOST_A_DAY, SAME_REQUEST_MS
from grapevine.table import keys
from grapevine.table.email_requests import EmailRequests
from grapevine.table.mail import MailText
from local.stack import Stack
from tests.api import Api, Json
from tests.invariants import table_of
from tests.mailing import TEMPLATES, Mailing, part
from tests.post_office import give_settings
from tests.scenarios import DAY_MS, MINUTE_MS, at_once, erase, interrupted, leap

ASK = "EmailParticipantFunction"
HELLO = {"subject": "Hello {{firstName}}", "body": "<p>You have {{referralCount}}.</p>"}


@pytest.fixture
def mailing(stack: Stack, api: Api) -> Mailing:
    """Nothing is sent by itself."""
    return Mailing(stack, api)


def test_a_text_of_its_own_is_sent_with_the_footer(mailing: Mailing) -> None:
    mailing.configure(
        settings={"contact": {"addressLine1": "1 Grape Street", "companyName": "Hooli & Co"}}
    )
    ada = mailing.joins("ada", firstName="Ada")
    mailing.credited(ada)

    answer = mailing.ask(ada["email"], **HELLO, preheader="For {{firstName}} alone")

    assert answer.status_code == 200
    assert answer.json() == {"success": True, "status": "queued"}
    message = mailing.only(ada)
    assert message["subject"] == "Hello Ada"
    assert "<p>You have 1.</p>" in part(message, "html")
    assert "For Ada alone</div>" in part(message, "html")
    assert "Hooli &amp; Co" in part(message, "html")
    assert part(message, "plain").startswith("You have 1.\n")
    assert "For Ada alone" not in part(message, "plain")
    for text in (part(message, "plain"), part(message, "html")):
        assert text.count("1 Grape Street") == 1
        assert text.count("/unsubscribe/") == 1


def test_a_footer_stands_where_the_body_puts_it(mailing: Mailing) -> None:
    ada = mailing.joins("ada")

    mailing.ask(ada["id"], subject="s", body="<p>above</p>{{emailFooter}}<p>below</p>")

    message = mailing.only(ada)
    for text in (part(message, "plain"), part(message, "html")):
        assert text.index("above") < text.index("/unsubscribe/") < text.index("below")
        assert text.count("/unsubscribe/") == 1


@pytest.mark.parametrize("key", TEMPLATES)
def test_every_template_can_be_asked_for_though_it_is_off(mailing: Mailing, key: str) -> None:
    ada = mailing.joins("ada", firstName="Ada")

    assert mailing.ask(ada["id"], emailType=key).status_code == 200

    message = mailing.only(ada)
    assert message["subject"]
    assert part(message, "plain").startswith("Hi Ada,\n")
    assert "/unsubscribe/" in part(message, "html")


def test_the_email_about_a_reward_names_the_newest_approved_one(stack: Stack, api: Api) -> None:
    mailing = Mailing(stack, api, options={"requireManualRewardApproval": True})
    path = f"/v2/campaign/{mailing.id}"
    offered = {"type": "SINGLE_SIDED", "title": "T-shirt", "couponCode": "GRAPE"}
    api.ok("POST", f"{path}/reward-configs", offered)
    ada = mailing.joins("ada")
    mailing.credited(ada)
    mailing.ask(ada["id"], emailType="goalAchieved")
    before = mailing.subjects(ada)

    (earned,) = api.read(mailing.id, ada["id"])["rewards"]
    api.ok("POST", f"{path}/reward/{earned['id']}/approve", {})
    stack.advance(SAME_REQUEST_MS)
    mailing.ask(ada["id"], emailType="goalAchieved")

    assert before == ["You have earned a reward"]
    assert mailing.subjects(ada)[1:] == ["You have earned T-shirt"]
    assert "GRAPE" in part(mailing.to(ada)[1], "plain")


@pytest.mark.parametrize("body", [HELLO, {"emailType": "referredSignup"}])
def test_a_repeated_request_sends_nothing_again(mailing: Mailing, body: Json) -> None:
    ada, other = mailing.joins("ada"), mailing.joins("other")

    answers = [mailing.ask(name, **body) for name in (ada["id"], ada["email"], ada["id"])]
    mailing.ask(other["id"], **body)

    assert [answer.json() for answer in answers] == [{"success": True, "status": "queued"}] * 3
    assert len(mailing.to(ada)) == len(mailing.to(other)) == 1


@pytest.mark.both_engines
def test_requests_at_the_same_moment_are_one(mailing: Mailing) -> None:
    ada = mailing.joins("ada")
    path = f"/v2/campaign/{mailing.id}/participant/{ada['id']}/email"

    at_once(mailing.stack, [lambda api: api.ok("POST", path, HELLO)] * 6)

    assert len(mailing.to(ada)) == 1


def test_after_ten_minutes_the_same_may_be_said_again(mailing: Mailing) -> None:
    ada = mailing.joins("ada")
    for wait in (0, SAME_REQUEST_MS - 1, 1):
        mailing.stack.advance(wait)
        mailing.ask(ada["id"], **HELLO)

    assert len(mailing.to(ada)) == 2


def test_another_text_is_another_request(mailing: Mailing) -> None:
    ada = mailing.joins("ada")
    for changed in ({}, {"subject": "Bye"}, {"body": "<p>x</p>"}, {"preheader": "p"}):
        mailing.ask(ada["id"], **{**HELLO, **changed})

    assert len(mailing.to(ada)) == 4


def test_there_is_a_limit_for_a_participant_and_day(mailing: Mailing) -> None:
    ada, other = mailing.joins("ada"), mailing.joins("other")
    leap(mailing.stack, (mailing.stack.now_ms() // DAY_MS + 1) * DAY_MS)
    statuses = [
        mailing.ask(ada["id"], subject=f"Number {number}", body="b").status_code
        for number in range(MOST_A_DAY)
    ]

    refused = mailing.ask(ada["id"], **HELLO)
    repeated = mailing.ask(ada["id"], subject="Number 3", body="b")
    others = mailing.ask(other["id"], **HELLO)
    leap(mailing.stack, mailing.stack.now_ms() + DAY_MS)
    later = mailing.ask(ada["id"], **HELLO)

    assert statuses == [200] * MOST_A_DAY
    assert refused.status_code == 429
    assert refused.json()["code"] == "RATE_LIMIT"
    assert 0 < int(refused.headers["retry-after"]) <= DAY_MS // 1000 + 1
    assert [one.status_code for one in (repeated, others, later)] == [200] * 3


def test_there_must_be_a_from_address(mailing: Mailing) -> None:
    ada = mailing.joins("ada")
    mailing.configure(settings={"sender": {"fromEmail": None}})

    answer = mailing.ask(ada["id"], **HELLO)

    assert answer.status_code == 400
    assert "From" in answer.json()["message"]
    assert mailing.to(ada) == []


def test_an_address_that_is_not_verified_any_more_sends_nothing(mailing: Mailing) -> None:
    ada = mailing.joins("ada")
    give_settings(mailing.stack, mailing.id, fromEmail="me@unverified.example")

    answer = mailing.ask(ada["id"], **HELLO)

    assert answer.status_code == 400
    assert mailing.mails() == []


def test_whoever_has_unsubscribed_gets_nothing(mailing: Mailing) -> None:
    ada = mailing.joins("ada")
    mailing.api.update(mailing.id, ada["id"], unsubscribed=True)

    answer = mailing.ask(ada["id"], **HELLO)

    assert answer.status_code == 400
    assert "unsubscribed" in answer.json()["message"]
    assert mailing.to(ada) == []


def test_whoever_unsubscribes_or_leaves_before_it_is_sent_gets_nothing(mailing: Mailing) -> None:
    unsubscribed, deleted = mailing.joins("ada"), mailing.joins("eve")
    with mailing.stack.hold("SendMailFunction"):
        for each in (unsubscribed, deleted):
            assert mailing.ask(each["id"], **HELLO).status_code == 200
        mailing.api.update(mailing.id, unsubscribed["id"], unsubscribed=True)
        mailing.api.delete(mailing.id, deleted["id"])

    assert mailing.to(unsubscribed) == mailing.to(deleted) == []


def test_nobody_is_written_to_who_is_not_there(mailing: Mailing) -> None:
    for name in ("nobody", "nobody@x.example"):
        answer = mailing.ask(name, **HELLO)

        assert answer.status_code == 400


def test_a_campaign_that_has_ended_welcomes_nobody(mailing: Mailing) -> None:
    ada = mailing.joins("ada", firstName="Ada")
    mailing.api.set_status(mailing.id, "COMPLETE")

    statuses = [
        mailing.ask(ada["id"], **body).status_code
        for body in ({"emailType": "welcomeNonReferred"}, {"emailType": "goalAchieved"}, HELLO)
    ]

    assert statuses == [400, 200, 200]
    assert sorted(mailing.subjects(ada)) == ["Hello Ada", "You have earned a reward"]


@pytest.mark.parametrize(
    "body",
    [
        {},
        {"emailType": "welcomeNonReferred", **HELLO},
        {"emailType": "welcomeNonReferred", "subject": "s"},
        {"emailType": "welcomeNonReferred", "preheader": "p"},
        {"emailType": "loginLink"},
        {"emailType": "invite"},
        {"emailType": "commissionGenerated"},
        {"emailType": ""},
        {"emailType": 7},
        {"emailType": ["goalAchieved"]},
        {"subject": "s"},
        {"body": "b"},
        {"subject": "s", "body": " "},
        {"subject": " ", "body": "b"},
        {"subject": "a\r\nBcc: b@x.example", "body": "b"},
        {"subject": "x" * 256, "body": "b"},
        {"subject": "s", "body": "x" * 50_001},
        {"subject": "{{nothing}}", "body": "b"},
        {"subject": "s", "body": "{% for a in b %}{% endfor %}"},
        {"subject": "s", "body": "{{ ''.__class__ }}"},
        {"subject": "s", "body": "b", "preheader": "{{ 7*7 }}"},
        {"subject": "s", "body": "b", "to": "other@x.example"},
    ],
)
def test_what_is_neither_one_nor_the_other_is_refused(mailing: Mailing, body: Json) -> None:
    ada = mailing.joins("ada")

    answer = mailing.ask(ada["id"], **body)

    assert answer.status_code == 400, answer.text
    assert answer.json()["errors"]
    assert mailing.to(ada) == []


def test_what_was_written_is_kept_apart_and_goes_away(mailing: Mailing) -> None:
    ada = mailing.joins("ada")

    with mailing.stack.hold("SendMailFunction"):
        mailing.ask(ada["id"], subject="s", body="x" * 50_000)
        (mail,) = mailing.mails()
        key = keys.mail_text(mailing.id, mail.text_id or "")
        kept = MailText.from_item(dict(table_of(mailing.stack)[key]))

    assert len(mailing.only(ada).as_bytes()) > 50_000
    assert len(json.dumps(mail.data)) < 100
    assert kept.expires_at > mailing.stack.now_ms() // 1000
    assert key not in table_of(mailing.stack)


def test_a_text_goes_whichever_way_its_e_mail_ends(mailing: Mailing) -> None:
    people = unsubscribed, deleted, refused, told = [mailing.joins(name) for name in "abcd"]
    with mailing.stack.hold("SendMailFunction"):
        for each in people:
            mailing.ask(each["id"], subject="s", body="a personal text")
        mailing.api.update(mailing.id, unsubscribed["id"], unsubscribed=True)
        mailing.api.delete(mailing.id, deleted["id"])
        mailing.stack.drain()
    mailing.stack.mail.fail("MessageRejected")
    mailing.stack.mail.fail("InternalServiceErrorException")

    mailing.stack.drain()
    waiting = [mail for mail in mailing.mails() if mail.is_waiting]
    texts = _texts(mailing)
    mailing.stack.advance(20 * MINUTE_MS)

    assert len(waiting) == 1
    assert texts == [waiting[0].text_id]
    assert _texts(mailing) == []
    assert len(mailing.to(told)) + len(mailing.to(refused)) == 1


def _texts(mailing: Mailing) -> list[str]:
    items = [item for item in table_of(mailing.stack).values() if item["type"] == MailText.TYPE]
    return [item["textId"] for item in items if item["campaignId"] == mailing.id]


def test_nothing_is_remembered_of_whoever_is_deleted(mailing: Mailing) -> None:
    before = mailing.joins("ada")
    mailing.ask(before["id"], **HELLO)
    mailing.stack.drain()
    mailing.api.delete(mailing.id, before["id"])
    erase(mailing.api)
    for calls in (1, 2):
        during = mailing.joins("eve")
        with interrupted(
            mailing.stack,
            ASK,
            calls,
            lambda who=during: mailing.api.delete(mailing.id, who["id"]),  # type: ignore[misc]
        ):
            assert mailing.ask(during["id"], **HELLO).status_code == 400

    mailing.stack.drain()
    left = [one for one in table_of(mailing.stack).values() if one.get("campaignId") == mailing.id]
    assert not [one for one in left if one["type"] in {EmailRequests.TYPE, MailText.TYPE}]
    assert [mail.participant_id for mail in mailing.mails()] == [before["id"]]


@pytest.mark.parametrize(("calls_at_least", "body"), [(4, HELLO)])
def test_dying_anywhere_and_being_repeated_sends_it_once(
    stack: Stack, api: Api, calls_at_least: int, body: Json
) -> None:
    mailing = Mailing(stack, api)

    people = []
    for calls in itertools.count():
        ada = mailing.joins("ada")
        with stack.kill_after(calls, ASK) as order:
            mailing.ask(ada["id"], **body)
        mailing.ask(ada["id"], **body)
        people.append(ada)
        if not order.happened:
            break
    stack.drain()
    stack.advance(3 * MINUTE_MS)

    assert calls >= calls_at_least
    assert [len(mailing.to(each)) for each in people] == [1] * len(people)


@pytest.mark.parametrize(
    "failure",
    [
        messages.NotQueued("1 messages could not be queued"),
        EndpointConnectionError(endpoint_url="https://sqs.example"),
        ClientError({"Error": {"Code": "RequestThrottled"}}, "SendMessageBatch"),
    ],
    ids=lambda failure: type(failure).__name__,
)
def test_a_queue_that_fails_delays_the_e_mail_and_nothing_else(
    mailing: Mailing, monkeypatch: pytest.MonkeyPatch, failure: Exception
) -> None:
    def fail(*_: object, **__: object) -> None:
        raise failure

    ada = mailing.joins("ada")
    mailing.stack.drain()
    with monkeypatch.context() as patched:
        patched.setattr(messages, "send", fail)
        answers = [mailing.ask(ada["id"], **HELLO) for _ in range(2)]

    assert [answer.status_code for answer in answers] == [200, 200]
    assert mailing.to(ada) == []
    mailing.stack.advance(3 * MINUTE_MS)
    assert len(mailing.to(ada)) == 1


def test_another_request_in_between_is_not_lost(mailing: Mailing) -> None:
    ada = mailing.joins("ada")
    other: Callable[[], Any] = partial(mailing.ask, ada["id"], subject="Other", body="b")

    with interrupted(mailing.stack, ASK, 2, other):
        mailing.ask(ada["id"], **HELLO)

    assert sorted(mailing.subjects(ada)) == ["Hello", "Other"]
