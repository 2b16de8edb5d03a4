"""E-mails that a campaign sends by itself: one for each fact, to whom it concerns, if it is on."""

from __future__ import annotations

import itertools
import random
from typing import Any

import pytest

from grapevine.table import keys
from local.stack import Stack
from tests import visitors
from tests.api import Api, Json
from tests.mailing import FROM, TEMPLATES, Mailing, part
from tests.scenarios import MINUTE_MS

RELAY = "RelayChangesFunction"
AT_SIGN_UP = {"referralTrigger": "ON_SIGNUP"}
APPROVED_BY_HAND = {"requireManualRewardApproval": True}

HOSTILE = {
    "firstName": '<script>alert("x")</script>{{ 7777*7777 }}',
    "lastName": "{% for a in b %}'\"><img src=x>",
}


def offer(mailing: Mailing, **fields: Any) -> str:
    path = f"/v2/campaign/{mailing.id}/reward-configs"
    reward: str = mailing.api.ok("POST", path, {"type": "SINGLE_SIDED", **fields})["id"]
    return reward


def test_whoever_joins_is_welcomed(stack: Stack, api: Api) -> None:
    mailing = Mailing(stack, api, "welcomeNonReferred", "welcomeReferred")
    ada = mailing.joins("ada", firstName="Ada")

    bob = mailing.joins("bob", firstName="Bob", referredBy=ada["id"])

    api.ok("PATCH", f"/v2/campaign/{mailing.id}", {"name": "Spring & Co"})
    welcome, welcome_of_friend = mailing.only(ada), mailing.only(bob)
    assert str(welcome["subject"]).startswith("Welcome to ")
    assert str(welcome_of_friend["subject"]).startswith("Ada brought you to ")
    assert str(welcome["from"]) == FROM
    assert str(welcome["to"]) == ada["email"]
    for message, participant in ((welcome, ada), (welcome_of_friend, bob)):
        for text in (part(message, "plain"), part(message, "html")):
            assert participant["shareUrl"] in text
            assert "/unsubscribe/" in text


def test_a_referrer_is_told_of_a_friend_and_then_of_the_credit(stack: Stack, api: Api) -> None:
    mailing = Mailing(stack, api, "referredSignup", "referralLinkUsed")
    ada = mailing.joins("ada")
    bob = mailing.joins("bob", firstName="Bob", referredBy=ada["id"])
    joined = mailing.subjects(ada)

    api.trigger(mailing.id, bob["id"])

    assert joined == ["Bob joined through your link"]
    assert mailing.subjects(ada) == [*joined, "You have a new referral"]
    assert "Bob now counts" in part(mailing.to(ada)[1], "plain")
    assert "Your referrals so far: 1." in part(mailing.to(ada)[1], "plain")
    assert mailing.to(bob) == []


@pytest.mark.parametrize(
    ("on", "subjects"),
    [
        (("referredSignup", "referralLinkUsed"), ["You have a new referral"]),
        (("referralLinkUsed",), ["You have a new referral"]),
        (("referredSignup",), ["Bob joined through your link"]),
        ((), []),
    ],
)
def test_a_credit_that_comes_with_the_sign_up_is_one_email(
    stack: Stack, api: Api, on: tuple[str, ...], subjects: list[str]
) -> None:
    mailing = Mailing(stack, api, *on, installation=AT_SIGN_UP)
    ada = mailing.joins("ada")

    mailing.joins("bob", firstName="Bob", referredBy=ada["id"])

    assert mailing.subjects(ada) == subjects


def test_a_referrer_who_is_named_later_is_told_then(stack: Stack, api: Api) -> None:
    mailing = Mailing(stack, api, "referredSignup", "welcomeReferred")
    ada, bob = mailing.joins("ada"), mailing.joins("bob", firstName="Bob")

    api.update(mailing.id, bob["id"], referredBy=ada["id"])

    assert mailing.subjects(ada) == ["Bob joined through your link"]
    assert mailing.to(bob) == []


def test_the_first_view_of_a_link_is_told_once(stack: Stack, api: Api) -> None:
    mailing = Mailing(stack, api, "referralLinkViewedFirstTime")
    ada = mailing.joins("ada")

    for _ in range(3):
        one = visitors.visitor()
        for _ in range(2):
            visitors.view(api, mailing.id, ada["id"], by=one)
        assert mailing.subjects(ada) == ["Somebody has followed your link"]


def test_a_reward_is_told_to_whom_it_is_given(stack: Stack, api: Api) -> None:
    mailing = Mailing(stack, api, "goalAchieved")
    offer(
        mailing,
        type="DOUBLE_SIDED",
        title="T-shirt",
        description="for you",
        referralDescription="for friends",
        couponCode="GRAPE",
        referralCouponCode="VINE",
    )
    ada = mailing.joins("ada")

    bob = mailing.credited(ada)

    for message, description, coupon, other in (
        (mailing.only(ada), "for you", "GRAPE", "VINE"),
        (mailing.only(bob), "for friends", "VINE", "GRAPE"),
    ):
        assert message["subject"] == "You have earned T-shirt"
        text = part(message, "plain")
        assert description in text
        assert coupon in text
        assert other not in text


def test_a_reward_that_waits_for_approval_is_told_when_it_is_approved(
    stack: Stack, api: Api
) -> None:
    mailing = Mailing(stack, api, "goalAchieved", options=APPROVED_BY_HAND)
    offer(mailing, title="T-shirt")
    ada = mailing.joins("ada")
    mailing.credited(ada)
    waiting = mailing.subjects(ada)

    (earned,) = api.read(mailing.id, ada["id"])["rewards"]
    path = f"/v2/campaign/{mailing.id}/reward/{earned['id']}"
    api.ok("POST", f"{path}/approve", {})
    api.ok("POST", f"{path}/fulfill")

    assert waiting == []
    assert mailing.subjects(ada) == ["You have earned T-shirt"]


def everything_happens(mailing: Mailing) -> list[Json]:
    """Each personal fact once; two participants."""
    offer(mailing, title="T-shirt")
    ada = mailing.joins("ada", firstName="Ada")
    visitors.view(mailing.api, mailing.id, ada["id"])
    return [ada, mailing.credited(ada, firstName="Bob")]


PERSONAL = {
    "welcomeNonReferred": 0,
    "welcomeReferred": 1,
    "referredSignup": 0,
    "referralLinkViewedFirstTime": 0,
    "referralLinkUsed": 0,
    "goalAchieved": 0,
}
"""Who is told, of the two."""


@pytest.mark.parametrize("on", PERSONAL)
def test_a_template_that_is_on_is_the_only_one_that_is_sent(
    stack: Stack, api: Api, on: str
) -> None:
    mailing = Mailing(stack, api, on)

    people = everything_happens(mailing)

    assert [len(mailing.to(each)) for each in people] == [PERSONAL[on] == 0, PERSONAL[on] == 1]
    assert {mail.template for mail in mailing.mails()} == {on}


def test_nothing_is_sent_without_a_from_address(stack: Stack, api: Api) -> None:
    mailing = Mailing(stack, api, *TEMPLATES)
    mailing.configure(settings={"sender": {"fromEmail": None}})

    people = everything_happens(mailing)

    assert [mailing.to(each) for each in people] == [[], []]
    assert mailing.mails() == []


@pytest.mark.parametrize("status", ["DRAFT", "COMPLETE"])
def test_nothing_is_sent_while_the_campaign_is_not_in_progress(
    stack: Stack, api: Api, status: str
) -> None:
    mailing = Mailing(stack, api, "welcomeNonReferred", "welcomeReferred", "referredSignup")
    if status == "COMPLETE":
        api.set_status(mailing.id, "COMPLETE")
        target = mailing.id
    else:
        target = api.ok("POST", f"/v2/campaign/{mailing.id}/clone")["id"]
    stack.drain()

    ada = api.add(target)
    bob = api.add(target, referredBy=ada["id"])

    stack.drain()
    assert mailing.came(ada["email"]) == mailing.came(bob["email"]) == []


def test_nobody_is_told_who_has_unsubscribed_or_gone(stack: Stack, api: Api) -> None:
    mailing = Mailing(stack, api, *PERSONAL)
    unsubscribed, deleted = mailing.joins("ada"), mailing.joins("eve")
    stack.drain()
    api.update(mailing.id, unsubscribed["id"], unsubscribed=True)
    with stack.hold("SendMailFunction"):
        friends = [mailing.credited(each) for each in (unsubscribed, deleted)]
        api.delete(mailing.id, deleted["id"])
        stack.drain()

    assert len(mailing.to(unsubscribed)) == len(mailing.to(deleted)) == 1
    assert [len(mailing.to(each)) for each in friends] == [1, 1]


def test_a_friend_who_has_gone_is_not_named(stack: Stack, api: Api) -> None:
    mailing = Mailing(stack, api, "referredSignup")
    ada = mailing.joins("ada")
    with stack.hold("SendMailFunction"):
        bob = mailing.joins("bob", firstName="Bob", referredBy=ada["id"])
        stack.drain()
        api.delete(mailing.id, bob["id"])

    assert mailing.subjects(ada) == ["A friend joined through your link"]


def test_own_texts_are_what_is_sent(stack: Stack, api: Api) -> None:
    mailing = Mailing(stack, api, "welcomeNonReferred")
    mailing.configure(
        settings={"sender": {"fromName": "Hooli", "replyToEmail": "help@hooli.example"}},
        welcomeNonReferred={
            "subject": "Dear {{firstName|upper}}",
            "preheader": "{{companyName|default('us')}}",
            "body": "<p>{{firstName}}</p>{{emailFooter}}",
            "text": "Only {{firstName}}.\n{{emailFooter}}",
        },
    )
    ada = mailing.joins("ada", firstName="Ada & Co")

    message = mailing.only(ada)

    assert message["subject"] == "Dear ADA & CO"
    assert str(message["from"]) == f"Hooli <{FROM}>"
    assert message["reply-to"] == "help@hooli.example"
    assert "<p>Ada &amp; Co</p>" in part(message, "html")
    assert part(message, "plain").startswith("Only Ada & Co.\n")


@pytest.mark.parametrize("key", TEMPLATES)
def test_hostile_names_are_data_in_every_template(stack: Stack, api: Api, key: str) -> None:
    mailing = Mailing(stack, api)
    words = " ".join(f"{{{{{name}}}}}" for name in ("firstName", "lastName", "campaignName"))
    mailing.configure(
        **{
            key: {
                "subject": words,
                "preheader": words,
                "body": f"<p>{words}</p>{{{{emailFooter}}}}",
            }
        }
    )
    name = "{{emailFooter}}<b>{{ 7777*7777 }}"
    api.ok("PATCH", f"/v2/campaign/{mailing.id}", {"name": name})
    ada = mailing.joins("ada", **HOSTILE)

    mailing.ask(ada["id"], emailType=key)

    message = mailing.only(ada)
    assert message["subject"] == " ".join([*HOSTILE.values(), name])
    assert set(message.keys()) & {"Bcc", "X-Evil"} == set()
    shown = part(message, "html")
    assert "<script" not in shown
    assert "<img" not in shown
    assert "<b>" not in shown
    assert "60481729" not in shown.split("/unsubscribe/")[0]
    assert "{{ 7777*7777 }}" in shown
    assert shown.count("/unsubscribe/") == 1
    assert HOSTILE["firstName"] in part(message, "plain")


# The stream


def test_records_that_come_again_in_any_order_make_each_email_once(stack: Stack, api: Api) -> None:
    mailing = Mailing(stack, api, *PERSONAL)
    people = everything_happens(mailing)
    records = stack.take_records(RELAY)

    for seed in range(4):
        shuffled = random.Random(seed).sample(records, len(records))  # noqa: S311 - an order
        for start in range(0, len(shuffled), 3):
            answer = stack.deliver(RELAY, shuffled[start : start + 3])
            assert answer == {"batchItemFailures": []}
    stack.drain()

    facts = [(mail.template, mail.participant_id) for mail in mailing.mails()]
    assert len(facts) == len(set(facts)) == len(PERSONAL)
    assert [len(mailing.to(each)) for each in people] == [5, 1]


def test_a_template_switched_off_between_two_deliveries_makes_no_second_email(
    stack: Stack, api: Api
) -> None:
    mailing = Mailing(stack, api, "referredSignup", "referralLinkUsed", installation=AT_SIGN_UP)
    ada = mailing.joins("ada")
    mailing.joins("bob", referredBy=ada["id"])
    records = stack.take_records(RELAY)

    stack.deliver(RELAY, records)
    mailing.configure(referralLinkUsed={"isEnabled": False})
    stack.deliver(RELAY, records)

    assert mailing.subjects(ada) == ["You have a new referral"]


@pytest.mark.parametrize(
    ("broken", "readers"), [("Referral", 1), ("Impressions", 2), ("Profile", 1)]
)
def test_a_broken_record_holds_up_no_other_email(
    fresh_stack: Stack, broken: str, readers: int
) -> None:
    with Api(fresh_stack.url, fresh_stack.api_key) as api:
        mailing = Mailing(fresh_stack, api, *PERSONAL)
        fresh_stack.drain()
        poison = {
            "partition": {"S": f"CAMPAIGN#{mailing.id}#PARTICIPANT#poison"},
            "sort": {"S": "POISON"},
            "type": {"S": broken},
            "campaignId": {"S": mailing.id},
            "unique": {"N": "1"},
        }
        first = mailing.joins("first")
        fresh_stack.dynamodb.put_item(TableName=fresh_stack.table_name, Item=poison)
        people = everything_happens(mailing)
        fresh_stack.drain()

        assert len(mailing.to(first)) == 1
        assert [len(mailing.to(each)) for each in people] == [5, 1]
        assert len(fresh_stack.queue_messages("StreamFailureQueue")) == readers


def test_a_relay_that_dies_anywhere_makes_each_email_once(stack: Stack, api: Api) -> None:
    tried = []
    for calls in itertools.count():
        mailing = Mailing(stack, api, *PERSONAL)
        stack.drain()
        with stack.kill_after(calls, RELAY) as order:
            people = everything_happens(mailing)
            stack.drain()
        tried.append((mailing, people))
        if not order.happened:
            break
    stack.advance(3 * MINUTE_MS)

    assert calls > 5, "the relay made hardly a call"
    for mailing, people in tried:
        assert [len(mailing.to(each)) for each in people] == [5, 1]


def test_a_campaign_without_emails_pays_a_read_of_itself_and_nothing_more(
    stack: Stack, api: Api
) -> None:
    campaign_id = api.campaign(installation={"shareUrl": visitors.ORIGIN})
    ada = api.add(campaign_id)
    records = stack.take_records(RELAY)
    gets: list[Any] = []
    writes: list[Any] = []

    def look(params: Any, **_: Any) -> None:
        gets.append(params["Key"])

    def forbid(**_: Any) -> None:
        writes.append(1)

    events = stack._clients["dynamodb"].meta.events
    events.register("provide-client-params.dynamodb.GetItem", look)
    events.register("before-call.dynamodb.PutItem", forbid)
    try:
        stack.deliver(RELAY, records)
    finally:
        events.unregister("provide-client-params.dynamodb.GetItem", look)
        events.unregister("before-call.dynamodb.PutItem", forbid)

    assert ada["id"]
    assert [key["sort"]["S"] for key in gets] == [keys.campaign(campaign_id).sort]
    assert writes == []
