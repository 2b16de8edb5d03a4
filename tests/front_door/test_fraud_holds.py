"""A referral that is held back loses nothing by waiting, and nothing is a way around the review."""

from __future__ import annotations

import pytest

from local.stack import Stack
from tests.api import Api
from tests.front_door.test_fraud_modes import AT_SIGNUP, MANUAL, SIGNALS, pass_days
from tests.front_door.test_fraud_rescreening import decide, explained
from tests.scenarios import interrupted

FAMILY = {**MANUAL, "fraud": {"blockHighRiskReferrers": True}}
UPFRONT = {"type": "DOUBLE_SIDED", "referredRewardUpfront": True}
DEVICE = SIGNALS["HIGH"]


def held_family(api: Api, campaign_id: str) -> tuple[str, str]:
    """A referrer and a friend of one device; joining earns the friend a reward."""
    api.ok("POST", f"/v2/campaign/{campaign_id}/reward-configs", UPFRONT)
    referrer = api.add(campaign_id, **DEVICE)["id"]
    friend = api.add(campaign_id, referredBy=referrer, **DEVICE)["id"]
    assert explained(api, campaign_id, friend)["isHeld"]
    return referrer, friend


def outcome(api: Api, campaign_id: str, referrer: str, friend: str) -> tuple[str, int, int]:
    shown = api.read(campaign_id, friend)
    count = api.read(campaign_id, referrer)["referralCount"]
    return shown["referralStatus"], len(shown["rewards"]), count


@pytest.mark.parametrize("again", ["word", "trigger"])
def test_a_credit_released_after_the_campaign_ended_is_given_when_it_goes_on(
    api: Api, again: str
) -> None:
    campaign_id = api.campaign(options=MANUAL, installation=AT_SIGNUP)
    referrer, friend = held_family(api, campaign_id)
    api.set_status(campaign_id, "COMPLETE")

    assert decide(api, campaign_id, friend, "LOW")["isHeld"]
    assert outcome(api, campaign_id, referrer, friend) == ("CREDIT_PENDING", 0, 0)
    api.set_status(campaign_id, "IN_PROGRESS")
    for _ in range(2):
        if again == "word":
            assert not decide(api, campaign_id, friend, "LOW")["isHeld"]
        else:
            api.trigger(campaign_id, friend)

    assert outcome(api, campaign_id, referrer, friend) == ("CREDIT_AWARDED", 1, 1)


@pytest.mark.parametrize("order", ["referrer first", "friend first"])
def test_a_family_that_was_found_out_gets_its_credit_when_both_are_found_harmless(
    api: Api, order: str
) -> None:
    campaign_id = api.campaign(options=FAMILY, installation=AT_SIGNUP)
    referrer, friend = held_family(api, campaign_id)
    assert api.read(campaign_id, referrer)["fraudRiskLevel"] == "HIGH"
    words = [referrer, friend] if order == "referrer first" else [friend, referrer]

    decide(api, campaign_id, words[0], "LOW")
    assert outcome(api, campaign_id, referrer, friend) == ("CREDIT_PENDING", 0, 0)
    for _ in range(2):
        decide(api, campaign_id, words[1], "LOW")

    assert outcome(api, campaign_id, referrer, friend) == ("CREDIT_AWARDED", 1, 1)
    assert not explained(api, campaign_id, friend)["isHeld"]


@pytest.mark.parametrize("after_calls", [1, 2, 3, 4])
def test_of_two_words_at_once_one_sees_the_other(fresh_stack: Stack, after_calls: int) -> None:
    with Api(fresh_stack.url, fresh_stack.api_key) as api:
        campaign_id = api.campaign(options=FAMILY, installation=AT_SIGNUP)
        referrer, friend = held_family(api, campaign_id)

        def meanwhile() -> None:
            with Api(fresh_stack.url, fresh_stack.api_key) as other:
                decide(other, campaign_id, referrer, "LOW")

        with interrupted(fresh_stack, "UpdateFraudFunction", after_calls, meanwhile):
            decide(api, campaign_id, friend, "LOW")

        assert outcome(api, campaign_id, referrer, friend) == ("CREDIT_AWARDED", 1, 1)


def test_a_word_on_the_referrer_releases_no_friend_who_is_still_suspected(api: Api) -> None:
    campaign_id = api.campaign(options=FAMILY, installation=AT_SIGNUP)
    referrer, friend = held_family(api, campaign_id)

    decide(api, campaign_id, referrer, "LOW")

    assert outcome(api, campaign_id, referrer, friend) == ("CREDIT_PENDING", 0, 0)
    assert explained(api, campaign_id, friend)["isHeld"]


def test_a_delayed_trigger_of_a_held_referral_keeps_its_date(fresh_stack: Stack) -> None:
    with Api(fresh_stack.url, fresh_stack.api_key) as api:
        campaign_id = api.campaign(options=MANUAL)
        referrer, friend = held_family(api, campaign_id)
        assert "held back" in api.trigger(campaign_id, friend, delayInDays=3)["message"]

        decide(api, campaign_id, friend, "LOW")

        assert outcome(api, campaign_id, referrer, friend) == ("CREDIT_PENDING", 1, 0)
        pass_days(fresh_stack, 4)
        assert outcome(api, campaign_id, referrer, friend) == ("CREDIT_AWARDED", 1, 1)


def test_a_delayed_trigger_of_a_held_referral_can_be_cancelled(api: Api) -> None:
    campaign_id = api.campaign(options=MANUAL)
    referrer, friend = held_family(api, campaign_id)
    api.trigger(campaign_id, friend, delayInDays=3)
    path = f"/v2/campaign/{campaign_id}/participant/{friend}/ref"

    answers = [api.ok("DELETE", path)["success"] for _ in range(2)]

    assert answers == [True, False]
    decide(api, campaign_id, friend, "LOW")
    assert outcome(api, campaign_id, referrer, friend) == ("CREDIT_PENDING", 1, 0)


@pytest.mark.parametrize("back_to", ["CREDIT_PENDING", "CREDIT_AWARDED"])
def test_an_expiry_in_between_is_no_way_around_the_review(api: Api, back_to: str) -> None:
    campaign_id = api.campaign(options=MANUAL, installation=AT_SIGNUP)
    referrer, friend = held_family(api, campaign_id)

    api.update(campaign_id, friend, referralStatus="CREDIT_EXPIRED")
    api.update(campaign_id, friend, referralStatus=back_to)
    api.trigger(campaign_id, friend)
    api.update(campaign_id, friend, referralStatus="CREDIT_AWARDED")

    assert outcome(api, campaign_id, referrer, friend) == ("CREDIT_PENDING", 0, 0)
    assert explained(api, campaign_id, friend)["isHeld"]
    decide(api, campaign_id, friend, "LOW")
    assert outcome(api, campaign_id, referrer, friend) == ("CREDIT_AWARDED", 1, 1)


def test_nothing_that_joining_earns_is_given_twice_by_a_hold_after_an_expiry(api: Api) -> None:
    campaign_id = api.campaign(options=MANUAL)
    api.ok("POST", f"/v2/campaign/{campaign_id}/reward-configs", UPFRONT)
    referrer = api.add(campaign_id)["id"]
    friend = api.add(campaign_id, referredBy=referrer)["id"]
    api.update(campaign_id, friend, referralStatus="CREDIT_EXPIRED")
    decide(api, campaign_id, friend, "HIGH")
    api.update(campaign_id, friend, referralStatus="CREDIT_PENDING")
    assert explained(api, campaign_id, friend)["isHeld"]

    decide(api, campaign_id, friend, "LOW")

    assert outcome(api, campaign_id, referrer, friend) == ("CREDIT_PENDING", 1, 0)
