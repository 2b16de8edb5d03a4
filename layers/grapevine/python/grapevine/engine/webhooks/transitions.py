"""Which changes of the table are events, told from a stream record alone.

The same record always gives the same event id, so however often a record is delivered, its event
is stored once.
"""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from typing import Literal

from grapevine.table.attributes import Change
from grapevine.table.campaigns import Campaign
from grapevine.table.participants import Profile
from grapevine.table.rewards import EarnedReward

EventName = Literal[
    "NEW_PARTICIPANT_ADDED",
    "PARTICIPANT_REACHED_A_GOAL",
    "CAMPAIGN_ENDED",
    "PARTICIPANT_FRAUD_STATUS_UPDATED",
]
EVENT_NAMES: tuple[EventName, ...] = (
    "NEW_PARTICIPANT_ADDED",
    "PARTICIPANT_REACHED_A_GOAL",
    "CAMPAIGN_ENDED",
    "PARTICIPANT_FRAUD_STATUS_UPDATED",
)

Subject = Profile | EarnedReward | Campaign


@dataclass(frozen=True, slots=True)
class Transition:
    """Something that happened, at `at` (ms), to the subject as it was right after."""

    name: EventName
    at: int
    subject: Subject

    @property
    def campaign_id(self) -> str:
        return self.subject.campaign_id

    @property
    def event_id(self) -> str:
        told = "\n".join([self.name, *self.subject.key, str(self.at)])
        return f"evt_{hashlib.sha256(told.encode()).hexdigest()[:24]}"


def transition_in(change: Change) -> Transition | None:
    """None for a change that is not an event. Raises KeyError or TypeError for a broken record."""
    match change.new["type"]:
        case Profile.TYPE if change.old is None:
            profile = Profile.from_item(change.new)
            return Transition("NEW_PARTICIPANT_ADDED", profile.created_at, profile)
        case Profile.TYPE:
            return _of_fraud(change)
        case EarnedReward.TYPE:
            return _of_reward(change)
        case Campaign.TYPE:
            return _of_campaign(change)
    return None


def _of_fraud(change: Change) -> Transition | None:
    """No two changes of a participant's level have the same time."""
    profile = Profile.from_item(change.new)
    known_before = change.old.get("fraudChangedAt") if change.old else None
    if profile.fraud_changed_at is None or profile.fraud_changed_at == known_before:
        return None
    return Transition("PARTICIPANT_FRAUD_STATUS_UPDATED", profile.fraud_changed_at, profile)


def _of_reward(change: Change) -> Transition | None:
    reward = EarnedReward.from_item(change.new)
    if change.old is None:
        return Transition("PARTICIPANT_REACHED_A_GOAL", reward.created_at, reward)
    approved_before = EarnedReward.from_item(change.old).approved_at is not None
    if reward.approved_at is None or approved_before:
        return None
    # Earning and approving may fall into the same millisecond: they are two events.
    return Transition(
        "PARTICIPANT_REACHED_A_GOAL",
        max(reward.approved_at, reward.created_at + 1),
        reward,
    )


def _of_campaign(change: Change) -> Transition | None:
    campaign = Campaign.from_item(change.new)
    settled_before = change.old is not None and "endSettledAt" in change.old
    if campaign.end_settled_at is None or campaign.ended_at is None or settled_before:
        return None
    return Transition("CAMPAIGN_ENDED", campaign.ended_at, campaign)
