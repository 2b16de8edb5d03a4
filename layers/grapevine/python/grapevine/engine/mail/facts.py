"""Which changes of the table a program e-mail tells of, known from a stream record alone.

The same record always gives the same facts, and a fact gives one e-mail however often it is told.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any, Literal

from grapevine.engine.mail.templates.template import TemplateKey
from grapevine.table.attributes import Change
from grapevine.table.campaigns import Campaign
from grapevine.table.impressions import Impressions
from grapevine.table.month_end import MonthClosing
from grapevine.table.participants import Profile
from grapevine.table.referrals import Referral
from grapevine.table.rewards import EarnedReward


@dataclass(frozen=True, slots=True)
class PersonalFact:
    """Something to tell one participant: by the first of `templates` that is on. `fact` tells it
    from all others of the same participant; `data` is what the e-mail needs to know of it."""

    campaign_id: str
    participant_id: str
    templates: tuple[TemplateKey, ...]
    fact: str
    data: Mapping[str, Any] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class SharedFact:
    """Something to tell many participants of a campaign: that it ended at `number` (ms), or that
    the month `number` has been closed."""

    campaign_id: str
    kind: Literal["ENDED", "MONTH"]
    number: int


MailFact = PersonalFact | SharedFact


def facts_in(change: Change) -> list[MailFact]:
    """Raises KeyError or TypeError for a broken record."""
    read = _READERS.get(change.new["type"])
    return read(change) if read else []


def _of_profile(change: Change) -> list[MailFact]:
    if change.old is not None:
        return []
    profile = Profile.from_item(change.new)
    template: TemplateKey = "welcomeReferred" if profile.referrer_id else "welcomeNonReferred"
    return [PersonalFact(profile.campaign_id, profile.participant_id, (template,), "joined")]


def _of_referral(change: Change) -> list[MailFact]:
    """Where the friend's credit comes with the sign-up, one e-mail tells both."""
    referral = Referral.from_item(change.new)
    before = change.old["status"] if change.old is not None else None
    templates: tuple[TemplateKey, ...] = ()
    if referral.status == "CREDIT_AWARDED" and before != "CREDIT_AWARDED":
        event, templates = "credited", ("referralLinkUsed",)
    elif referral.status == "CREDIT_PENDING":
        event = "signed up"
    else:
        return []
    if before is None and not referral.held:
        templates = (*templates, "referredSignup")
    data = {"friendId": referral.referred_id}
    fact = f"{event} {referral.referred_id}"
    told = PersonalFact(referral.campaign_id, referral.referrer_id, templates, fact, data)
    return [told] if templates else []


def _of_reward(change: Change) -> list[MailFact]:
    """A reward that waits for approval is told when it has been approved."""
    reward = EarnedReward.from_item(change.new)
    approved_before = change.old is not None and "approvedAt" in change.old
    if reward.approved_at is None or approved_before:
        return []
    return [
        PersonalFact(
            reward.campaign_id,
            reward.participant_id,
            ("goalAchieved",),
            f"earned {reward.number}",
            reward_data(reward),
        )
    ]


def reward_data(reward: EarnedReward) -> dict[str, Any]:
    """What an e-mail about the reward needs to know of it."""
    data: dict[str, Any] = {"rewardId": reward.reward_id, "isReferrer": reward.is_referrer}
    if reward.is_referrer and reward.referred_id:
        data["friendId"] = reward.referred_id
    return data


def _of_impressions(change: Change) -> list[MailFact]:
    seen = Impressions.from_item(change.new)
    seen_before = change.old is not None and change.old["unique"] > 0
    if not seen.unique or seen_before:
        return []
    template: TemplateKey = "referralLinkViewedFirstTime"
    return [PersonalFact(seen.campaign_id, seen.participant_id, (template,), "first view")]


def _of_campaign(change: Change) -> list[MailFact]:
    campaign = Campaign.from_item(change.new)
    settled_before = change.old is not None and "endSettledAt" in change.old
    if campaign.end_settled_at is None or campaign.ended_at is None or settled_before:
        return []
    return [SharedFact(campaign.campaign_id, "ENDED", campaign.ended_at)]


def _of_closing(change: Change) -> list[MailFact]:
    if change.old is not None:
        return []
    closing = MonthClosing.from_item(change.new)
    return [SharedFact(closing.campaign_id, "MONTH", closing.month)]


_READERS: Mapping[str, Callable[[Change], list[MailFact]]] = {
    Profile.TYPE: _of_profile,
    Referral.TYPE: _of_referral,
    EarnedReward.TYPE: _of_reward,
    Impressions.TYPE: _of_impressions,
    Campaign.TYPE: _of_campaign,
    MonthClosing.TYPE: _of_closing,
}
