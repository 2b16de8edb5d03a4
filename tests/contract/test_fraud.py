"""The official SDK reads levels and refusals of sign-ups, and sets what screens them."""

from __future__ import annotations

import pytest
from growsurf import Growsurf, UnprocessableEntityError

from tests.contract.test_refusals import fields


def test_the_sdk_sees_who_is_suspected_and_who_is_refused(
    client: Growsurf, campaign_id: str
) -> None:
    people = client.campaign.participant
    referrer = people.add(campaign_id, email="gavin@hooli.example", fingerprint="one")
    suspected = people.add(
        campaign_id, email="jared@hooli.example", referred_by=referrer.id, fingerprint="one"
    )
    client.campaign.options.update(
        campaign_id, body={"autoBlockFraud": True, "fraud": {"blockedEmails": ["rival.example"]}}
    )

    with pytest.raises(UnprocessableEntityError) as refused:
        people.add(campaign_id, email="spy@rival.example", ip_address="203.0.113.9")

    assert (referrer.fraud_risk_level, referrer.fraud_reason_code) == ("LOW", "UNIQUE_IDENTITY")
    assert (suspected.fraud_risk_level, suspected.fraud_reason_code) == (
        "HIGH",
        "DUPLICATE_IDENTITY",
    )
    assert people.retrieve(referrer.id, id=campaign_id).fraud_risk_level == "HIGH"
    body = fields(refused.value)
    assert (body["name"], body["code"]) == ("ParticipantBlockedError", "PARTICIPANT_BLOCKED_ERROR")
    assert (body["fraudRiskLevel"], body["fraudReasonCode"]) == ("HIGH", "BLACKLIST_MATCH")
    assert body["matchedParticipantIds"] == []
    assert (body["email"], body["ipAddress"]) == ("spy@rival.example", "203.0.113.9")
    assert (body["referrerId"], body["fingerprint"]) == (None, None)
    assert body["blockedAt"].endswith("Z")
