"""Why a participant has its level, and what an operator's word on it does."""

from __future__ import annotations

import json
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor

import pytest

from tests.api import Api, Json
from tests.hooks import Hooks
from tests.reward_stories import stack_with_receivers
from tests.scenarios import drain

EVENT = "PARTICIPANT_FRAUD_STATUS_UPDATED"
MANUAL = {"requireManualFraudApproval": True}
AT_SIGNUP = {"referralTrigger": "ON_SIGNUP"}


@pytest.fixture
def hooks(engine: str) -> Iterator[Hooks]:
    with stack_with_receivers(engine) as stack, Api(stack.url, stack.api_key) as api:
        yield Hooks(stack, api)


def path_of(campaign_id: str, participant: str) -> str:
    return f"/v2/campaign/{campaign_id}/participant/{participant}/fraud"


def held_friend(api: Api, campaign_id: str) -> tuple[str, str]:
    """A referrer, and a friend of the same device whose referral waits for a review."""
    referrer = api.add(campaign_id, fingerprint="one")["id"]
    friend = api.add(campaign_id, referredBy=referrer, fingerprint="one")["id"]
    return referrer, friend


def test_nothing_is_held_against_somebody_unique(api: Api) -> None:
    campaign_id = api.campaign()
    participant = api.add(campaign_id)

    told = api.ok("GET", path_of(campaign_id, participant["email"]))

    assert told == {
        "id": participant["id"],
        "fraudRiskLevel": "LOW",
        "fraudReasonCode": "UNIQUE_IDENTITY",
        "isHeld": False,
        "screenedAt": None,
        "findings": [],
        "history": [],
    }


def test_a_level_is_explained_by_the_rules_that_fired_and_whom_they_matched(api: Api) -> None:
    campaign_id = api.campaign(options=MANUAL)
    referrer, friend = held_friend(api, campaign_id)

    told = api.ok("GET", path_of(campaign_id, friend))

    assert (told["fraudRiskLevel"], told["isHeld"]) == ("HIGH", True)
    decided = told["findings"][0]
    assert decided["fraudReasonCode"] == told["fraudReasonCode"] == "DUPLICATE_IDENTITY"
    assert decided["matchedParticipantIds"] == [referrer]
    assert decided["evidence"] == {"shared": "device"}
    assert "one" not in str(decided["evidence"].values())


@pytest.mark.parametrize("installation", [AT_SIGNUP, {"referralTrigger": "CUSTOM"}])
def test_a_harmless_friend_gets_what_was_held_back_once(api: Api, installation: Json) -> None:
    campaign_id = api.campaign(options=MANUAL, installation=installation)
    referrer, friend = held_friend(api, campaign_id)
    word = {"fraudRiskLevel": "LOW", "note": "My neighbour"}

    told = [api.ok("POST", path_of(campaign_id, friend), word) for _ in range(2)]

    assert told[0] == told[1]
    assert (told[0]["fraudReasonCode"], told[0]["isHeld"]) == ("MANUAL_UPDATE", False)
    [change] = told[0]["history"]
    assert (change["previousFraudRiskLevel"], change["fraudRiskLevel"]) == ("HIGH", "LOW")
    assert (change["note"], change["source"]) == ("My neighbour", "operator")
    credited = installation == AT_SIGNUP
    assert api.read(campaign_id, referrer)["referralCount"] == int(credited)
    assert api.trigger(campaign_id, friend)["success"] is not credited
    assert api.read(campaign_id, referrer)["referralCount"] == 1


@pytest.mark.parametrize("level", ["MEDIUM", "HIGH"])
def test_a_word_that_is_not_low_leaves_the_credit_held(api: Api, level: str) -> None:
    campaign_id = api.campaign(options=MANUAL, installation=AT_SIGNUP)
    referrer, friend = held_friend(api, campaign_id)

    told = api.ok("POST", path_of(campaign_id, friend), {"fraudRiskLevel": level})

    assert (told["fraudRiskLevel"], told["isHeld"]) == (level, True)
    assert api.read(campaign_id, friend)["fraudReasonCode"] == "MANUAL_UPDATE"
    assert api.read(campaign_id, referrer)["referralCount"] == 0


@pytest.mark.both_engines
def test_a_release_and_triggers_at_once_give_one_credit(api: Api) -> None:
    campaign_id = api.campaign(options=MANUAL)
    referrer, friend = held_friend(api, campaign_id)

    with ThreadPoolExecutor(8) as pool:
        triggers = [pool.submit(api.trigger, campaign_id, friend) for _ in range(4)]
        word = {"fraudRiskLevel": "LOW"}
        words = [pool.submit(api.ok, "POST", path_of(campaign_id, friend), word) for _ in range(4)]
    for done in (*triggers, *words):
        done.result()
    api.trigger(campaign_id, friend)

    assert api.read(campaign_id, referrer)["referralCount"] == 1
    assert len(words[0].result()["history"]) == 1


@pytest.mark.parametrize(
    "body",
    [{}, {"fraudRiskLevel": "NONE"}, {"fraudRiskLevel": "LOW", "note": "x" * 501}, {"note": "x"}],
)
def test_a_word_that_says_nothing_is_refused(api: Api, body: Json) -> None:
    campaign_id = api.campaign()
    participant = api.add(campaign_id)["id"]

    refused = api.call("POST", path_of(campaign_id, participant), body)

    assert refused.status_code == 400
    assert api.ok("GET", path_of(campaign_id, participant))["history"] == []


def test_a_changed_level_is_told_once_and_written_into_the_log(hooks: Hooks) -> None:
    api = hooks.api
    hooks.create(hooks.inbox("fraud"), events=[EVENT])
    referrer = api.add(hooks.campaign_id, fingerprint="one")["id"]

    api.add(hooks.campaign_id, referredBy=referrer, fingerprint="one")
    drain(api)
    api.update(hooks.campaign_id, referrer, notes="a change of something else")
    api.ok("POST", path_of(hooks.campaign_id, referrer), {"fraudRiskLevel": "LOW"})
    api.ok("POST", path_of(hooks.campaign_id, referrer), {"fraudRiskLevel": "LOW", "note": "Same"})
    drain(api)

    told = [json.loads(each["body"])["data"]["participant"] for each in hooks.received("fraud")]
    assert [one["id"] for one in told] == [referrer, referrer]
    assert sorted(one["fraudRiskLevel"] for one in told) == ["HIGH", "LOW"]
    log = f"/v2/campaign/{hooks.campaign_id}/participant/{referrer}/activity-logs"
    lines = [each for each in api.ok("GET", log)["activityLogs"] if each["type"] == "FRAUD"]
    assert [line["text"] for line in lines] == [
        "The fraud risk level became LOW (MANUAL_UPDATE).",
        "The fraud risk level became HIGH (DUPLICATE_IDENTITY).",
    ]
