"""A participant is looked at again when it gets a referrer after joining, or another address."""

from __future__ import annotations

from typing import Any

import pytest

from local import invocation
from local.stack import Stack
from tests.api import Api, Json
from tests.front_door.test_fraud_signups import contents
from tests.refusals import refusal
from tests.scenarios import drain, interrupted

DEVICE = {"fingerprint": "one", "ipAddress": "203.0.113.1"}


def level(shown: Json) -> tuple[str, str]:
    return shown["fraudRiskLevel"], shown["fraudReasonCode"]


def explained(api: Api, campaign_id: str, participant: str) -> Json:
    return api.ok("GET", f"/v2/campaign/{campaign_id}/participant/{participant}/fraud")


def decide(api: Api, campaign_id: str, participant: str, word: str) -> Json:
    path = f"/v2/campaign/{campaign_id}/participant/{participant}/fraud"
    return api.ok("POST", path, {"fraudRiskLevel": word})


def test_a_referrer_who_is_set_later_is_compared_with_the_friend(api: Api) -> None:
    """The device of both is the same; on its own it was MEDIUM at the second sign-up."""
    campaign_id = api.campaign(installation={"referralTrigger": "ON_SIGNUP"})
    referrer = api.add(campaign_id, **DEVICE)["id"]
    friend = api.add(campaign_id, **DEVICE)
    assert level(friend) == ("MEDIUM", "DUPLICATE_IDENTITY")

    shown = api.update(campaign_id, friend["id"], referredBy=referrer)

    assert level(shown) == ("HIGH", "DUPLICATE_IDENTITY")
    assert shown["referralStatus"] == "CREDIT_AWARDED"
    assert level(shown["referrer"]) == ("HIGH", "DUPLICATE_IDENTITY")
    told = explained(api, campaign_id, friend["id"])
    assert told["findings"][0]["rule"] == "identity_of_referrer"
    [change] = told["history"]
    assert (change["previousFraudRiskLevel"], change["fraudRiskLevel"]) == ("MEDIUM", "HIGH")
    assert (change["source"], "referrer" in change["note"]) == ("engine", True)
    drain(api)
    log = f"/v2/campaign/{campaign_id}/participant/{friend['id']}/activity-logs"
    lines = [each["text"] for each in api.ok("GET", log)["activityLogs"] if each["type"] == "FRAUD"]
    assert lines[0] == "The fraud risk level became HIGH (DUPLICATE_IDENTITY)."


def test_a_friend_of_a_referrer_set_later_counts_among_those_of_the_same_address(api: Api) -> None:
    campaign_id = api.campaign()
    referrer = api.add(campaign_id)["id"]
    for _ in range(2):
        friend = api.add(campaign_id, ipAddress="203.0.113.8")["id"]
        assert level(api.update(campaign_id, friend, referredBy=referrer))[0] == "LOW"

    third = api.add(campaign_id, ipAddress="203.0.113.8", referredBy=referrer)

    assert level(third) == ("MEDIUM", "DUPLICATE_IDENTITY")


def test_the_manual_mode_holds_a_referral_that_comes_later(api: Api) -> None:
    campaign_id = api.campaign(
        options={"requireManualFraudApproval": True}, installation={"referralTrigger": "ON_SIGNUP"}
    )
    referrer = api.add(campaign_id, ipAddress="203.0.113.1")["id"]
    friend = api.add(campaign_id, ipAddress="203.0.113.1")
    assert level(friend) == ("LOW", "UNIQUE_IDENTITY")

    shown = api.update(campaign_id, friend["id"], referredBy=referrer)

    assert level(shown) == ("MEDIUM", "DUPLICATE_IDENTITY")
    assert shown["referralStatus"] == "CREDIT_PENDING"
    assert explained(api, campaign_id, friend["id"])["isHeld"]
    decide(api, campaign_id, friend["id"], "LOW")
    assert api.read(campaign_id, friend["id"])["referralStatus"] == "CREDIT_AWARDED"


@pytest.mark.parametrize("change", ["referrer", "email"])
def test_a_strict_campaign_refuses_the_change_and_writes_nothing(
    fresh_stack: Stack, change: str
) -> None:
    with Api(fresh_stack.url, fresh_stack.api_key) as api:
        fraud = {"blockedEmails": ["rival.example"]}
        campaign_id = api.campaign(options={"autoBlockFraud": True, "fraud": fraud})
        referrer = api.add(campaign_id, "owner@gmail.com", **DEVICE)["id"]
        friend = api.add(campaign_id, **DEVICE)["id"]
        before = contents(fresh_stack)
        body = {
            "referrer": {"referredBy": referrer, "firstName": "Mia"},
            "email": {"email": "spy@rival.example"},
        }[change]

        response = api.call("POST", f"/v2/campaign/{campaign_id}/participant/{friend}", body)

        told = refusal(response, 422)
        assert told["code"] == "PARTICIPANT_BLOCKED_ERROR"
        assert (
            told["fraudReasonCode"]
            == {
                "referrer": "DUPLICATE_IDENTITY",
                "email": "BLACKLIST_MATCH",
            }[change]
        )
        assert contents(fresh_stack) == before
        assert api.update(campaign_id, friend, firstName="Mia")["firstName"] == "Mia"


@pytest.mark.parametrize(
    ("email", "expected"),
    [
        ("someone@rival.example", ("HIGH", "BLACKLIST_MATCH")),
        ("quick@mailinator.com", ("HIGH", "EMAIL_FRAUD")),
        ("hugostein+1@gmail.com", ("HIGH", "DUPLICATE_EMAIL")),
        ("hugo.steim@gmail.com", ("MEDIUM", "SIMILAR_EMAIL")),
        ("friend+2@one.example", ("LOW", "UNIQUE_IDENTITY")),
        ("anna+2@two.example", ("MEDIUM", "DUPLICATE_EMAIL")),
        ("boss@rival.example", ("LOW", "WHITELISTED")),
    ],
)
def test_a_new_address_is_looked_at_by_the_rules_about_addresses(
    api: Api, email: str, expected: tuple[str, str]
) -> None:
    fraud = {
        "blockedEmails": ["rival.example"],
        "allowedEmails": ["boss@rival.example"],
        "blockBurnerEmails": True,
    }
    campaign_id = api.campaign(options={"fraud": fraud})
    referrer = api.add(campaign_id, "hugo.stein@gmail.com")["id"]
    api.add(campaign_id, "anna@two.example")
    friend = api.add(campaign_id, "friend@one.example", referredBy=referrer)["id"]

    shown = api.update(campaign_id, friend, email=email)

    assert level(shown) == expected
    catches = expected == ("HIGH", "DUPLICATE_EMAIL")
    assert (api.read(campaign_id, referrer)["fraudRiskLevel"] == "HIGH") is catches


@pytest.mark.parametrize("way", ["sign-up", "referrer", "address"])
def test_whoever_finds_its_referrer_out_gives_no_credit_where_that_is_refused(
    api: Api, way: str
) -> None:
    options = {"fraud": {"blockHighRiskReferrers": True}}
    campaign_id = api.campaign(options=options)
    referrer = api.add(campaign_id, "hugo.stein@gmail.com", fingerprint="one")["id"]
    awarded = {"referralStatus": "CREDIT_AWARDED"}

    if way == "sign-up":
        shown = api.add(campaign_id, referredBy=referrer, fingerprint="one", **awarded)
    elif way == "referrer":
        friend = api.add(campaign_id, fingerprint="one")["id"]
        shown = api.update(campaign_id, friend, referredBy=referrer, **awarded)
    else:
        friend = api.add(campaign_id, referredBy=referrer)["id"]
        shown = api.update(campaign_id, friend, email="hugostein+1@gmail.com", **awarded)

    assert shown["fraudRiskLevel"] == "HIGH"
    assert shown["referralStatus"] == "CREDIT_PENDING"
    assert level(shown["referrer"])[0] == "HIGH"
    assert shown["referrer"]["referralCount"] == 0


def test_no_change_lowers_a_level_or_overrules_an_operator(api: Api) -> None:
    campaign_id = api.campaign(options={"fraud": {"blockedEmails": ["rival.example"]}})
    referrer = api.add(campaign_id, **DEVICE)["id"]
    listed = api.add(campaign_id, "spy@rival.example")["id"]
    trusted = api.add(campaign_id, **DEVICE)["id"]
    decide(api, campaign_id, trusted, "LOW")

    moved = api.update(campaign_id, listed, email="spy@one.example")
    api.update(campaign_id, trusted, email="trusted@rival.example")
    referred = api.update(campaign_id, trusted, referredBy=referrer)

    assert level(moved) == ("HIGH", "BLACKLIST_MATCH")
    assert level(referred) == ("LOW", "MANUAL_UPDATE")
    assert api.read(campaign_id, referrer)["fraudRiskLevel"] == "LOW"
    assert len(explained(api, campaign_id, trusted)["history"]) == 1
    twin = api.add(campaign_id, "trusted+1@rival.example")["id"]
    rules = [each["rule"] for each in explained(api, campaign_id, twin)["findings"]]
    assert "duplicate_email" in rules


def test_looking_again_costs_two_calls_at_most(fresh_stack: Stack) -> None:
    """Without it, the changes with their answers take nine calls each."""
    with Api(fresh_stack.url, fresh_stack.api_key) as api:
        campaign_id = api.campaign()
        referrer = api.add(campaign_id, **DEVICE)["id"]
        friend = api.add(campaign_id, **DEVICE)["id"]
        counted = []
        for fields in ({"referredBy": referrer}, {"email": "other@one.example"}):
            operations: list[str] = []

            def count(model: Any, operations: list[str] = operations, **_: Any) -> None:
                running = invocation.current()
                if running is not None and running.function_id == "UpdateParticipantFunction":
                    operations.append(model.name)

            events = fresh_stack._clients["dynamodb"].meta.events
            events.register("after-call", count)
            api.update(campaign_id, friend, **fields)
            events.unregister("after-call", count)
            counted.append(len(operations))
    assert counted == [9 + 2, 9 + 1]


@pytest.mark.parametrize("after_calls", [1, 2])
def test_a_trait_that_was_deleted_and_made_anew_meanwhile_is_read_again(
    fresh_stack: Stack, after_calls: int
) -> None:
    """Its first version must not be one that the former trait had: a sign-up that has read that
    would bring back who has been deleted, and lose who has joined."""
    people: dict[str, str] = {}
    with Api(fresh_stack.url, fresh_stack.api_key) as api:
        campaign_id = api.campaign()
        oldest = api.add(campaign_id, "mia@one.example")["id"]
        gone = api.add(campaign_id, "mia+2@one.example")["id"]

        def meanwhile() -> None:
            with Api(fresh_stack.url, fresh_stack.api_key) as other:
                other.delete(campaign_id, gone)
                other.update(campaign_id, oldest, email="else@two.example")
                other.update(campaign_id, oldest, email="mia@one.example")
                people["between"] = other.add(campaign_id, "mia+3@one.example")["id"]

        with interrupted(fresh_stack, "AddParticipantFunction", after_calls, meanwhile):
            last = api.add(campaign_id, "mia+4@one.example")["id"]

        traits = [item for item in contents(fresh_stack) if "'Trait'" in item]
        for one in (oldest, people["between"], last):
            assert any(one in trait for trait in traits), one
        assert not any(gone in trait for trait in traits)
