"""Sign-ups are screened: forty labelled ones, the strict and the manual mode, and referrers who are
found out."""

from __future__ import annotations

import itertools
from dataclasses import dataclass, field
from functools import partial
from typing import Any

import pytest

from grapevine.table import fraud_keys, keys, store
from grapevine.table.fraud import FraudReport, Kind, Trait, hash_of_trait
from local import invocation
from local.stack import Stack
from tests.api import Api, Json, unique_email
from tests.conftest import inside
from tests.refusals import refusal
from tests.scenarios import MINUTE_MS, advance, at_once, erase

UNIQUE = ("LOW", "UNIQUE_IDENTITY")
SAME = ("MEDIUM", "DUPLICATE_IDENTITY")
IS_REFERRER = ("HIGH", "DUPLICATE_IDENTITY")

OPTIONS = {
    "fraud": {
        "blockedEmails": ["rival.example", "*.bad.example", "troll@gmail.com"],
        "allowedEmails": ["boss@rival.example"],
        "blockedIps": ["198.51.100.0/24", "192.0.2.9"],
        "allowedIps": ["198.51.100.77"],
        "blockBurnerEmails": True,
        "maxSignupsPerIp2Min": 4,
    }
}

REFERRER = {
    "email": "hugo.stein@gmail.com",
    "firstName": "Hugo",
    "lastName": "Stein",
    "ipAddress": "203.0.113.1",
    "fingerprint": "device of hugo",
    "mobileInstanceId": "app of hugo",
}


@dataclass(frozen=True)
class Label:
    """A sign-up and what is to be said of it; a friend of the referrer unless `is_direct`."""

    expected: tuple[str, str]
    email: str
    fields: Json = field(default_factory=dict)
    is_direct: bool = False


def friend(expected: tuple[str, str], email: str, **fields: Any) -> Label:
    return Label(expected, email, fields)


def direct(expected: tuple[str, str], email: str, **fields: Any) -> Label:
    return Label(expected, email, fields, is_direct=True)


BLACK, BLOCKED_IP = ("HIGH", "BLACKLIST_MATCH"), ("HIGH", "BLOCKED_IP")
WHITE, BURNER = ("LOW", "WHITELISTED"), ("HIGH", "EMAIL_FRAUD")
DUPLICATE, SIMILAR = ("HIGH", "DUPLICATE_EMAIL"), ("MEDIUM", "SIMILAR_EMAIL")
FAST = ("HIGH", "REFERRAL_VELOCITY_FRAUD")

GOLDEN = [
    direct(UNIQUE, "anna@one.example"),
    friend(UNIQUE, "berta@two.example", firstName="Berta", lastName="Amsel"),
    friend(UNIQUE, "carla@three.example", ipAddress="203.0.113.2", fingerprint="device c"),
    friend(UNIQUE, "dora.klein@outlook.com", firstName="Dora", lastName="Klein"),
    direct(UNIQUE, "emil@five.example", ipAddress="10.0.0.8"),
    direct(UNIQUE, "fritz@six.example", ipAddress="10.0.0.8"),
    friend(UNIQUE, "gerd@seven.example", ipAddress="not an address"),
    direct(BLACK, "someone@rival.example"),
    direct(BLACK, "someone@RIVAL.example"),
    direct(BLACK, "someone@very.bad.example"),
    direct(UNIQUE, "someone@bad.example"),
    direct(BLACK, "t.roll+9@googlemail.com"),
    direct(WHITE, "boss@rival.example"),
    friend(BLOCKED_IP, "ida@eight.example", ipAddress="198.51.100.5"),
    direct(BLOCKED_IP, "jana@nine.example", ipAddress="::ffff:192.0.2.9"),
    direct(WHITE, "karl@ten.example", ipAddress="198.51.100.77"),
    direct(UNIQUE, "lena@eleven.example", ipAddress="192.0.2.90"),
    direct(BURNER, "quick@mailinator.com"),
    friend(BURNER, "quick2@sub.mailinator.com"),
    direct(UNIQUE, "slow@gmail.com"),
    friend(SAME, "moritz@twelve.example", ipAddress="203.0.113.1"),
    friend(UNIQUE, "nina@thirteen.example", firstName="Nina", ipAddress="203.0.113.3"),
    friend(("LOW", "SIMILAR_LAST_NAME"), "otto@fourteen.example", lastName="Stein"),
    friend(("LOW", "SIMILAR_FIRST_NAME"), "paul@fifteen.example", firstName="HUGO"),
    friend(
        ("MEDIUM", "SIMILAR_LAST_NAME"),
        "quirin@sixteen.example",
        firstName="Hugo",
        lastName="Stein",
    ),
    friend(SIMILAR, "hugo.steim@gmail.com"),
    friend(SIMILAR, "hugo.steln@gmail.com"),
    friend(IS_REFERRER, "rita@seventeen.example", fingerprint="device of hugo"),
    friend(IS_REFERRER, "sara@eighteen.example", mobileInstanceId="app of hugo"),
    friend(DUPLICATE, "hugostein@gmail.com"),
    friend(DUPLICATE, "hugo.stein+free@gmail.com"),
    friend(DUPLICATE, "berta+2@two.example"),
    direct(("MEDIUM", "DUPLICATE_EMAIL"), "anna+2@one.example"),
    direct(SAME, "theo@nineteen.example", fingerprint="device c"),
    direct(UNIQUE, "udo@twenty.example", ipAddress="203.0.113.40"),
    direct(UNIQUE, "vera@office.example", ipAddress="203.0.113.40"),
    direct(UNIQUE, "willi@bureau.example", ipAddress="203.0.113.40"),
    direct(UNIQUE, "xenia@desk.example", ipAddress="203.0.113.40"),
    direct(FAST, "yara@chair.example", ipAddress="203.0.113.40"),
    direct(UNIQUE, "zita@table.example", ipAddress="203.0.113.41"),
]


def test_forty_labelled_sign_ups_are_told_apart(fresh_stack: Stack) -> None:
    with Api(fresh_stack.url, fresh_stack.api_key) as api:
        campaign_id = api.campaign(options=OPTIONS)
        referrer = api.add(campaign_id, **REFERRER)["id"]
        wrong = []
        for place, label in enumerate(GOLDEN):
            if place in {13, 26}:
                # Ten friends within ten minutes would say something, too.
                advance(api, 10 * MINUTE_MS)
            named = {} if label.is_direct else {"referredBy": referrer}
            shown = api.add(campaign_id, label.email, **named, **label.fields)
            found = (shown["fraudRiskLevel"], shown["fraudReasonCode"])
            if found != label.expected:
                wrong.append((label.email, label.expected, found))
        caught = api.read(campaign_id, referrer)

    assert wrong == []
    assert len(GOLDEN) == 40
    assert (caught["fraudRiskLevel"], caught["fraudReasonCode"]) == IS_REFERRER


def test_a_strict_campaign_refuses_and_writes_nothing(fresh_stack: Stack) -> None:
    with Api(fresh_stack.url, fresh_stack.api_key) as api:
        campaign_id = api.campaign(options={"autoBlockFraud": True})
        referrer = api.add(campaign_id, "owner@gmail.com", fingerprint="theirs")["id"]
        before = contents(fresh_stack)

        body = {
            "email": "other@b.example",
            "referredBy": referrer,
            "fingerprint": "theirs",
            "ipAddress": "203.0.113.5",
        }
        response = api.call("POST", f"/v2/campaign/{campaign_id}/participant", body)

        told = refusal(response, 422)
        assert contents(fresh_stack) == before
        assert (told["name"], told["code"]) == (
            "ParticipantBlockedError",
            "PARTICIPANT_BLOCKED_ERROR",
        )
        assert (
            told.items()
            >= {
                "fraudRiskLevel": "HIGH",
                "fraudReasonCode": "DUPLICATE_IDENTITY",
                "matchedParticipantIds": [referrer],
                "email": "other@b.example",
                "referrerId": referrer,
                "ipAddress": "203.0.113.5",
                "fingerprint": "theirs",
            }.items()
        )
        assert told["blockedAt"].endswith("Z")
        path = f"/v2/campaign/{campaign_id}/options"
        api.ok("PATCH", path, {"fraud": {"blockedEmails": ["b.example"]}})
        response = api.call(
            "POST", f"/v2/campaign/{campaign_id}/participant", {"email": "c@b.example"}
        )
        listed = refusal(response, 422)
        assert listed["matchedParticipantIds"] == []
        assert listed["referrerId"] is listed["ipAddress"] is listed["fingerprint"] is None
        assert api.add(campaign_id)["isNew"]


def contents(stack: Stack) -> list[str]:
    pages = stack.dynamodb.get_paginator("scan").paginate(TableName=stack.table_name)
    return sorted(str(sorted(item.items())) for page in pages for item in page["Items"])


HELD = {"requireManualFraudApproval": True}


def suspicious(api: Api, campaign_id: str, **fields: Any) -> tuple[str, str]:
    """A referrer and a friend with the referrer's IP address."""
    referrer = api.add(campaign_id, ipAddress="203.0.113.1")["id"]
    found = api.add(campaign_id, referredBy=referrer, ipAddress="203.0.113.1", **fields)
    assert found["fraudRiskLevel"] == "MEDIUM"
    assert found["referralStatus"] == "CREDIT_PENDING"
    return referrer, found["id"]


@pytest.mark.parametrize("fields", [{}, {"referralStatus": "CREDIT_AWARDED"}])
def test_a_credit_that_is_held_back_is_given_by_nothing_but_a_review(
    stack: Stack, api: Api, fields: Json
) -> None:
    campaign_id = api.campaign(options=HELD)
    referrer, held = suspicious(api, campaign_id, **fields)

    outcome = api.trigger(campaign_id, held)

    assert not outcome["success"]
    assert "held back" in outcome["message"]
    assert not api.trigger(campaign_id, held, delayInDays=1)["success"]
    updated = api.update(campaign_id, held, referralStatus="CREDIT_AWARDED")
    assert updated["referralStatus"] == "CREDIT_PENDING"
    assert api.read(campaign_id, referrer)["referralCount"] == 0
    assert referral_of(stack, campaign_id, referrer, held)["held"] == "AWARD"
    expired = api.update(campaign_id, held, referralStatus="CREDIT_EXPIRED")
    assert expired["referralStatus"] == "CREDIT_EXPIRED"
    assert "held" not in referral_of(stack, campaign_id, referrer, held)


def referral_of(stack: Stack, campaign_id: str, referrer: str, friend_id: str) -> Json:
    with inside(stack):
        item = store.get(keys.referral(campaign_id, referrer, friend_id))
    assert item is not None
    return item


def test_only_the_suspicious_are_held_back(api: Api) -> None:
    campaign_id = api.campaign(options=HELD, installation={"referralTrigger": "ON_SIGNUP"})
    referrer, _ = suspicious(api, campaign_id)

    harmless = api.add(campaign_id, referredBy=referrer)

    assert harmless["referralStatus"] == "CREDIT_AWARDED"
    assert api.read(campaign_id, referrer)["referrals"] == [harmless["id"]]


def test_a_referrer_who_is_found_out_gets_no_more_credit(stack: Stack, api: Api) -> None:
    campaign_id = api.campaign(options={"fraud": {"blockHighRiskReferrers": True}})
    referrer = api.add(campaign_id, fingerprint="one")["id"]
    credited, pending = (api.add(campaign_id, referredBy=referrer)["id"] for _ in range(2))
    api.trigger(campaign_id, credited)

    api.add(campaign_id, referredBy=referrer, fingerprint="one")

    shown = api.read(campaign_id, referrer)
    assert (shown["fraudRiskLevel"], shown["referralCount"]) == ("HIGH", 1)
    outcome = api.trigger(campaign_id, pending)
    assert (outcome["success"], "high-risk" in outcome["message"]) == (False, True)
    late = api.add(campaign_id, referredBy=referrer, referralStatus="CREDIT_AWARDED")
    assert late["referralStatus"] == "CREDIT_PENDING"
    assert late["fraudReasonCode"] == "REFERRER_HIGH_RISK"
    assert api.read(campaign_id, referrer)["referralCount"] == 1
    with inside(stack):
        item = store.get(fraud_keys.fraud_report(campaign_id, referrer))
    assert item is not None
    assert [change["to"] for change in FraudReport.from_item(item).history] == ["HIGH"]


@pytest.mark.both_engines
def test_of_sixteen_at_once_from_one_address_only_as_many_as_the_cap_are_not_high(
    stack: Stack, api: Api
) -> None:
    campaign_id = api.campaign(options={"fraud": {"maxSignupsPerIp2Min": 5}})
    calls = [partial(Api.add, campaign_id=campaign_id, ipAddress="203.0.113.9") for _ in range(16)]

    shown = at_once(stack, calls)

    assert sum(one["fraudRiskLevel"] != "HIGH" for one in shown) == 5
    assert {one["fraudReasonCode"] for one in shown if one["fraudRiskLevel"] == "HIGH"} == {
        "REFERRAL_VELOCITY_FRAUD"
    }


@pytest.mark.both_engines
def test_a_server_that_signs_up_everybody_from_its_own_address_is_never_refused(
    stack: Stack, api: Api
) -> None:
    """All meet on the one trait of the address: who loses reads again, and nobody is lost."""
    campaign_id = api.campaign()
    path = f"/v2/campaign/{campaign_id}/participant"

    def join(own: Api) -> tuple[int, str]:
        body = {"email": unique_email(), "ipAddress": "203.0.113.10"}
        answer = own.call("POST", path, body)
        return answer.status_code, answer.json().get("id")

    answers = at_once(stack, [join] * 48, threads=16)

    assert [status for status, _ in answers] == [200] * 48
    trait_hash = hash_of_trait(secret_of(stack, campaign_id), "ip", "203.0.113.10")
    with inside(stack):
        item = store.get(fraud_keys.trait(campaign_id, trait_hash))
    assert item is not None
    seen = {one.participant_id for one in Trait.from_item(item).sightings}
    assert seen == {participant for _, participant in answers}


def test_whoever_leaves_is_recognised_by_nothing_any_more(fresh_stack: Stack) -> None:
    with Api(fresh_stack.url, fresh_stack.api_key) as api:
        campaign_id = api.campaign(options={"fraud": {"blockedIps": ["203.0.113.7"]}})
        signals = {"ipAddress": "203.0.113.7", "fingerprint": "one", "mobileInstanceId": "app"}
        first = api.add(campaign_id, "mia@one.example", **signals)["id"]
        moved = api.update(campaign_id, first, email="mia@two.example")
        assert moved["fraudRiskLevel"] == "HIGH"
        assert api.add(campaign_id, "mia+1@two.example")["fraudReasonCode"] == "DUPLICATE_EMAIL"
        assert api.add(campaign_id, "mia+1@one.example")["fraudRiskLevel"] == "LOW"
        second = api.add(campaign_id, "ben@three.example", fingerprint="one")
        assert second["fraudReasonCode"] == "DUPLICATE_IDENTITY"
        assert any(first in text for text in contents(fresh_stack) if "'Trait'" in text)

        api.delete(campaign_id, first)
        erase(api)

        left = contents(fresh_stack)
        assert not [text for text in left if "'Trait'" in text and first in text]
        own = f"('participantId', {{'S': '{first}'}})"
        assert not [text for text in left if "'FraudReport'" in text and own in text]
        secret = secret_of(fresh_stack, campaign_id)
        assert hash_of_trait(secret, "ip", "203.0.113.7") not in str(contents(fresh_stack))
        assert api.add(campaign_id, "mia@two.example")["fraudReasonCode"] == "DUPLICATE_EMAIL"


def test_gdpr_mode_leaves_no_trait_of_address_or_device(fresh_stack: Stack) -> None:
    with Api(fresh_stack.url, fresh_stack.api_key) as api:
        options = {
            "enforceGdprCompliance": True,
            "autoBlockFraud": True,
            "fraud": {"blockedIps": ["203.0.113.0/24"]},
        }
        campaign_id = api.campaign(options=options)
        signals = {
            "ipAddress": "198.51.100.7",
            "fingerprint": "their device",
            "mobileInstanceId": "their app",
        }
        referrer = api.add(campaign_id, **signals)["id"]

        shown = api.add(campaign_id, referredBy=referrer, **signals)

        assert (shown["fraudRiskLevel"], shown["fraudReasonCode"]) == UNIQUE
        body = {"email": unique_email(), **signals, "ipAddress": "203.0.113.7"}
        told = refusal(api.call("POST", f"/v2/campaign/{campaign_id}/participant", body), 422)
        assert told["ipAddress"] is told["fingerprint"] is None
        stored = str(contents(fresh_stack))
        assert stored.count("'Trait'") == 2
        secret = secret_of(fresh_stack, campaign_id)
        values: list[tuple[Kind, str]] = [
            ("ip", "198.51.100.7"),
            ("ip", "203.0.113.7"),
            ("fingerprint", "their device"),
            ("instance", "their app"),
        ]
        for kind, value in values:
            assert value not in stored
            assert hash_of_trait(secret, kind, value) not in stored


def secret_of(stack: Stack, campaign_id: str) -> str:
    with inside(stack):
        item = store.get(keys.campaign(campaign_id))
    assert item is not None
    return str(item["traitSecret"])


def test_what_people_are_recognised_by_is_hashed_with_a_secret_that_nobody_is_told(
    fresh_stack: Stack,
) -> None:
    with Api(fresh_stack.url, fresh_stack.api_key) as api:
        campaign_id = api.campaign()
        api.add(campaign_id, ipAddress="203.0.113.7")
        answers = [
            api.read_campaign(campaign_id),
            api.ok("GET", f"/v2/campaign/{campaign_id}/options"),
            cloned := api.ok("POST", f"/v2/campaign/{campaign_id}/clone"),
        ]
        secret, other = (secret_of(fresh_stack, one) for one in (campaign_id, cloned["id"]))

        assert secret != other
        assert min(len(secret), len(other)) >= 32
        assert secret not in str(answers)
        assert other not in str(answers)
        stored = str(contents(fresh_stack))
        assert hash_of_trait(secret, "ip", "203.0.113.7") in stored
        assert hash_of_trait("", "ip", "203.0.113.7") not in stored


def test_a_sign_up_that_dies_anywhere_and_comes_again_is_screened_once(fresh_stack: Stack) -> None:
    with Api(fresh_stack.url, fresh_stack.api_key) as api:
        for calls in itertools.count():
            campaign_id = api.campaign(options=HELD)
            referrer = api.add(campaign_id, fingerprint="one")["id"]
            body = {"email": unique_email(), "referredBy": referrer, "fingerprint": "one"}
            path = f"/v2/campaign/{campaign_id}/participant"
            with fresh_stack.kill_after(calls, "AddParticipantFunction") as order:
                answer = api.call("POST", path, body)
            if order.happened:
                assert answer.status_code == 502
                answer = api.call("POST", path, body)
            shown = answer.json()
            assert (shown["fraudRiskLevel"], shown["fraudReasonCode"]) == IS_REFERRER
            assert shown["referrer"]["fraudRiskLevel"] == "HIGH"
            assert referral_of(fresh_stack, campaign_id, referrer, shown["id"])["held"] == "PENDING"
            secret = secret_of(fresh_stack, campaign_id)
            trait = fraud_keys.trait(campaign_id, hash_of_trait(secret, "fingerprint", "one"))
            reports = [fraud_keys.fraud_report(campaign_id, one) for one in (referrer, shown["id"])]
            with inside(fresh_stack):
                found = store.get_many([trait, *reports])
            assert len(found) == 3
            seen = [one.participant_id for one in Trait.from_item(found[trait]).sightings]
            assert sorted(seen) == sorted([referrer, shown["id"]])
            assert len(FraudReport.from_item(found[reports[0]]).history) == 1
            if not order.happened:
                break
        assert calls > 5, "the request made hardly a call"


def test_screening_costs_a_sign_up_two_calls_at_most(fresh_stack: Stack) -> None:
    """Without screening it took six calls without a referrer, nine with one."""
    with Api(fresh_stack.url, fresh_stack.api_key) as api:
        campaign_id = api.campaign()
        referrer = api.add(campaign_id, fingerprint="one")["id"]
        counted = {}
        for name, fields in (
            ("direct", {}),
            ("referred", {"referredBy": referrer}),
            ("caught", {"referredBy": referrer, "fingerprint": "one"}),
        ):
            calls = 0

            def count(**_: Any) -> None:
                nonlocal calls
                running = invocation.current()
                calls += running is not None and running.function_id == "AddParticipantFunction"

            events = fresh_stack._clients["dynamodb"].meta.events
            events.register("after-call", count)
            api.add(campaign_id, **fields)
            events.unregister("after-call", count)
            counted[name] = calls
    assert counted == {"direct": 6, "referred": 10, "caught": 11}
