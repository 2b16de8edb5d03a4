"""What docs/fraud.md says of modes, of credits that are held back, and of who decides."""

from __future__ import annotations

import pytest

from local.stack import Stack
from tests.api import Api, Json
from tests.front_door.test_fraud_rescreening import decide, explained
from tests.front_door.test_fraud_signups import referral_of
from tests.refusals import refusal
from tests.scenarios import DAY_MS, leap


def pass_days(stack: Stack, days: int) -> None:
    leap(stack, stack.now_ms() + days * DAY_MS)
    stack.drain()


AT_SIGNUP = {"referralTrigger": "ON_SIGNUP"}
MANUAL = {"requireManualFraudApproval": True}
STRICT = {"autoBlockFraud": True}
SIGNALS = {"HIGH": {"fingerprint": "one"}, "MEDIUM": {"ipAddress": "203.0.113.1"}}


@pytest.mark.parametrize("risk", ["HIGH", "MEDIUM"])
@pytest.mark.parametrize(
    ("options", "credited_at"),
    [({}, {"HIGH", "MEDIUM"}), (MANUAL, set()), (STRICT, {"MEDIUM"})],
)
def test_a_mode_does_with_a_risk_what_the_table_says(
    api: Api, options: Json, credited_at: set[str], risk: str
) -> None:
    campaign_id = api.campaign(options=options, installation=AT_SIGNUP)
    referrer = api.add(campaign_id, **SIGNALS[risk])["id"]
    body = {"email": "friend@one.example", "referredBy": referrer, **SIGNALS[risk]}

    answer = api.call("POST", f"/v2/campaign/{campaign_id}/participant", body)

    if options == STRICT and risk == "HIGH":
        refusal(answer, 422)
    else:
        friend = answer.json()
        assert friend["fraudRiskLevel"] == risk
        status = "CREDIT_AWARDED" if risk in credited_at else "CREDIT_PENDING"
        assert friend["referralStatus"] == status
        assert explained(api, campaign_id, friend["id"])["isHeld"] is (options == MANUAL)
    shown = api.read(campaign_id, referrer)
    assert shown["referralCount"] == int(risk in credited_at)
    caught = risk == "HIGH" and options != STRICT
    assert (shown["fraudRiskLevel"] == "HIGH") is caught


def test_what_a_held_credit_would_become_can_be_taken_back_and_its_window_begins_with_the_release(
    fresh_stack: Stack,
) -> None:
    with Api(fresh_stack.url, fresh_stack.api_key) as api:
        campaign_id = api.campaign(options={**MANUAL, "referralCreditWindowDays": 1})
        referrer = api.add(campaign_id, **SIGNALS["MEDIUM"])["id"]
        held = api.add(campaign_id, referredBy=referrer, **SIGNALS["MEDIUM"])["id"]
        assert not api.trigger(campaign_id, held)["success"]
        assert referral_of(fresh_stack, campaign_id, referrer, held)["held"] == "AWARD"

        api.update(campaign_id, held, referralStatus="CREDIT_PENDING")
        pass_days(fresh_stack, 3)

        item = referral_of(fresh_stack, campaign_id, referrer, held)
        assert item["held"] == "PENDING"
        assert "dueAt" not in item
        decide(api, campaign_id, held, "LOW")
        assert api.read(campaign_id, held)["referralStatus"] == "CREDIT_PENDING"
        pass_days(fresh_stack, 2)
        assert api.read(campaign_id, held)["referralStatus"] == "CREDIT_EXPIRED"


def test_what_the_friend_earns_by_joining_waits_for_the_release(api: Api) -> None:
    campaign_id = api.campaign(options=MANUAL)
    reward = {"type": "DOUBLE_SIDED", "referredRewardUpfront": True}
    api.ok("POST", f"/v2/campaign/{campaign_id}/reward-configs", reward)
    referrer = api.add(campaign_id, **SIGNALS["MEDIUM"])["id"]
    held = api.add(campaign_id, referredBy=referrer, **SIGNALS["MEDIUM"])
    assert held["rewards"] == []

    decide(api, campaign_id, held["id"], "LOW")

    assert len(api.read(campaign_id, held["id"])["rewards"]) == 1


def test_a_word_of_high_holds_nothing_that_was_not_held(api: Api) -> None:
    campaign_id = api.campaign(options=MANUAL)
    referrer = api.add(campaign_id)["id"]
    friend = api.add(campaign_id, referredBy=referrer)["id"]

    told = decide(api, campaign_id, friend, "HIGH")

    assert not told["isHeld"]
    assert api.trigger(campaign_id, friend)["success"]


@pytest.mark.parametrize("way", ["operator", "allow list"])
def test_a_referrer_whom_somebody_has_decided_on_is_not_found_out(api: Api, way: str) -> None:
    fraud = {"allowedEmails": ["boss@one.example"]} if way == "allow list" else {}
    campaign_id = api.campaign(options={"fraud": fraud})
    referrer = api.add(campaign_id, "boss@one.example", **SIGNALS["HIGH"])["id"]
    if way == "operator":
        decide(api, campaign_id, referrer, "LOW")

    friend = api.add(campaign_id, referredBy=referrer, **SIGNALS["HIGH"])

    assert friend["fraudRiskLevel"] == "HIGH"
    assert api.read(campaign_id, referrer)["fraudRiskLevel"] == "LOW"


def test_a_delayed_credit_of_a_referrer_found_out_loses_its_date(fresh_stack: Stack) -> None:
    with Api(fresh_stack.url, fresh_stack.api_key) as api:
        campaign_id = api.campaign(options={"fraud": {"blockHighRiskReferrers": True}})
        referrer = api.add(campaign_id)["id"]
        friend = api.add(campaign_id, referredBy=referrer)["id"]
        assert api.trigger(campaign_id, friend, delayInDays=1)["success"]
        decide(api, campaign_id, referrer, "HIGH")

        pass_days(fresh_stack, 2)

        assert api.read(campaign_id, friend)["referralStatus"] == "CREDIT_PENDING"
        assert "awardAt" not in referral_of(fresh_stack, campaign_id, referrer, friend)


def test_gdpr_mode_set_later_leaves_what_was_stored_and_looks_at_it_no_more(api: Api) -> None:
    campaign_id = api.campaign()
    known = {"fingerprint": "one", "ipAddress": "203.0.113.1"}
    referrer = api.add(campaign_id, **known)["id"]
    friend = api.add(campaign_id, **known)["id"]
    options = f"/v2/campaign/{campaign_id}/options"
    api.ok("PATCH", options, {"enforceGdprCompliance": True})

    joined = api.add(campaign_id, referredBy=referrer, **known)
    shown = api.update(campaign_id, friend, referredBy=referrer)

    assert joined["fraudRiskLevel"] == "LOW"
    assert shown["fraudRiskLevel"] == "MEDIUM"
    assert shown["fingerprint"] == "one"
