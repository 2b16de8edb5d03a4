"""Which changes are told by which e-mail: decided from a record alone."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from grapevine.engine.mail.facts import MailFact, PersonalFact, SharedFact, facts_in
from grapevine.table.attributes import Change
from grapevine.table.campaigns import Campaign
from grapevine.table.entity import Entity
from grapevine.table.impressions import Impressions
from grapevine.table.month_end import MonthClosing
from grapevine.table.participants import Profile
from grapevine.table.referrals import Referral
from grapevine.table.rewards import EarnedReward

PROFILE = Profile(campaign_id="camp01", participant_id="gavin1", email="g@x.example", created_at=1)
REFERRAL = Referral(
    campaign_id="camp01",
    referrer_id="gavin1",
    referred_id="jared1",
    email="j@x.example",
    status="CREDIT_PENDING",
    created_at=1,
    updated_at=1,
    pending_since=1,
)
AWARDED = replace(REFERRAL, status="CREDIT_AWARDED", credited_at=2, credited_month=5)
EXPIRED = replace(REFERRAL, status="CREDIT_EXPIRED")
REWARD = EarnedReward(
    campaign_id="camp01",
    participant_id="gavin1",
    number=3,
    reward_id="crew_1",
    is_referrer=True,
    referrer_id="gavin1",
    referred_id="jared1",
    created_at=1,
)
APPROVED = replace(REWARD, approved_at=2)
SEEN = Impressions(campaign_id="camp01", participant_id="gavin1", join_sequence=1, total=1)
UNIQUE = replace(SEEN, unique=1)
CAMPAIGN = Campaign(
    campaign_id="camp01",
    account_id="acct_1",
    name="Spring",
    currency_iso="USD",
    status="COMPLETE",
    created_at=1,
    ended_at=7,
)
SETTLED = replace(CAMPAIGN, end_settled_at=8)
CLOSING = MonthClosing(campaign_id="camp01", month=24_000, closed_at=9)


def told(before: Entity | None, after: Entity) -> list[MailFact]:
    change = Change(before.to_item() if before else None, after.to_item())
    assert facts_in(change) == facts_in(change)
    return facts_in(change)


@pytest.mark.parametrize(
    ("before", "after", "templates", "fact"),
    [
        (None, PROFILE, ["welcomeNonReferred"], "joined"),
        (None, replace(PROFILE, referrer_id="monica"), ["welcomeReferred"], "joined"),
        (None, REFERRAL, ["referredSignup"], "signed up jared1"),
        (None, AWARDED, ["referralLinkUsed", "referredSignup"], "credited jared1"),
        (REFERRAL, AWARDED, ["referralLinkUsed"], "credited jared1"),
        (EXPIRED, AWARDED, ["referralLinkUsed"], "credited jared1"),
        (None, APPROVED, ["goalAchieved"], "earned 3"),
        (REWARD, APPROVED, ["goalAchieved"], "earned 3"),
        (None, UNIQUE, ["referralLinkViewedFirstTime"], "first view"),
        (SEEN, replace(UNIQUE, total=2), ["referralLinkViewedFirstTime"], "first view"),
    ],
)
def test_what_one_participant_is_told(
    before: Entity | None, after: Entity, templates: list[str], fact: str
) -> None:
    (only,) = told(before, after)

    assert isinstance(only, PersonalFact)
    assert (only.campaign_id, only.participant_id) == ("camp01", "gavin1")
    assert list(only.templates) == templates
    assert only.fact == fact


@pytest.mark.parametrize(
    ("before", "after", "kind", "number"),
    [(CAMPAIGN, SETTLED, "ENDED", 7), (None, CLOSING, "MONTH", 24_000)],
)
def test_what_many_are_told(before: Entity | None, after: Entity, kind: str, number: int) -> None:
    (only,) = told(before, after)

    assert isinstance(only, SharedFact)
    assert (only.campaign_id, only.kind, only.number) == ("camp01", kind, number)


@pytest.mark.parametrize(
    ("before", "after"),
    [
        (PROFILE, replace(PROFILE, notes="x")),
        (PROFILE, replace(PROFILE, referrer_id="monica")),
        (REFERRAL, replace(REFERRAL, award_at=5)),
        (REFERRAL, EXPIRED),
        (None, EXPIRED),
        (AWARDED, replace(AWARDED, updated_at=9)),
        (AWARDED, REFERRAL),
        (None, REWARD),
        (APPROVED, replace(APPROVED, fulfilled_at=9)),
        (None, SEEN),
        (UNIQUE, replace(UNIQUE, unique=2, total=2)),
        (UNIQUE, replace(UNIQUE, unique=0, total=0, deleted_at=5)),
        (None, CAMPAIGN),
        (SETTLED, replace(SETTLED, name="Summer")),
        (CLOSING, replace(CLOSING, awarded=1)),
    ],
)
def test_what_nobody_is_told(before: Entity | None, after: Entity) -> None:
    assert told(before, after) == []


def test_what_an_email_needs_to_know_is_ids_alone() -> None:
    facts = [*told(None, AWARDED), *told(None, APPROVED)]

    data: list[dict[str, Any]] = [dict(one.data) for one in facts if isinstance(one, PersonalFact)]

    assert data == [
        {"friendId": "jared1"},
        {"rewardId": "crew_1", "isReferrer": True, "friendId": "jared1"},
    ]


@pytest.mark.parametrize("kind", [Profile, Referral, EarnedReward, Impressions, MonthClosing])
def test_a_broken_record_is_an_error_and_not_passed_over(kind: type[Entity]) -> None:
    with pytest.raises((KeyError, TypeError)):
        facts_in(Change(None, {"type": kind.TYPE, "campaignId": "camp01"}))
