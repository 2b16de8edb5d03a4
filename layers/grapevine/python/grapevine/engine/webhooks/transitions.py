"""Which changes of the table are events, told from a stream record alone.

The same record always gives the same event id, so however often a record is delivered, its event
is stored once.
"""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from typing import Literal

from grapevine import runtime
from grapevine.engine.webhooks.games import GameSubject
from grapevine.table.attributes import Change
from grapevine.table.campaigns import Campaign
from grapevine.table.ledger import LedgerLine, MilestoneAward, PlayerEvent, Win
from grapevine.table.mechanics import Stock
from grapevine.table.participants import Profile
from grapevine.table.rewards import EarnedReward

EventName = Literal[
    "NEW_PARTICIPANT_ADDED",
    "PARTICIPANT_REACHED_A_GOAL",
    "CAMPAIGN_ENDED",
    "PARTICIPANT_FRAUD_STATUS_UPDATED",
    "points.awarded",
    "milestone.reached",
    "instantwin.won",
    "code.redeemed",
    "prize.soldout",
]
EVENT_NAMES: tuple[EventName, ...] = (
    "NEW_PARTICIPANT_ADDED",
    "PARTICIPANT_REACHED_A_GOAL",
    "CAMPAIGN_ENDED",
    "PARTICIPANT_FRAUD_STATUS_UPDATED",
    "points.awarded",
    "milestone.reached",
    "instantwin.won",
    "code.redeemed",
    "prize.soldout",
)

Subject = Profile | EarnedReward | Campaign | GameSubject


@dataclass(frozen=True, slots=True)
class Transition:
    """Something that happened, at `at` (ms), to the subject as it was right after. `fact` tells it
    from the same thing happening again, where the time does not."""

    name: EventName
    at: int
    subject: Subject
    fact: str | None = None

    @property
    def campaign_id(self) -> str:
        return self.subject.campaign_id

    @property
    def event_id(self) -> str:
        told = "\n".join([self.name, *self.subject.key, self.fact or str(self.at)])
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
        case Stock.TYPE:
            return _of_stock(change)
    return _of_game(change) if change.old is None else None


def _of_game(change: Change) -> Transition | None:
    match change.new["type"]:
        case LedgerLine.TYPE:
            line = LedgerLine.from_item(change.new)
            return Transition("points.awarded", line.at, line) if line.points > 0 else None
        case MilestoneAward.TYPE:
            award = MilestoneAward.from_item(change.new)
            return Transition("milestone.reached", award.at, award)
        case Win.TYPE:
            win = Win.from_item(change.new)
            return Transition("instantwin.won", win.at, win)
        case PlayerEvent.TYPE if "codeHash" in change.new:
            event = PlayerEvent.from_item(change.new)
            return Transition("code.redeemed", event.at, event)
    return None


def _of_stock(change: Change) -> Transition | None:
    """A stock has no time of its own: that of the event is when it was first told. It sells out
    once at each inventory that it is given, and by a win: not because it was made smaller."""
    stock = Stock.from_item(change.new)
    before = Stock.from_item(change.old) if change.old else None
    if before is None or not before.awarded < stock.awarded == stock.inventory:
        return None
    return Transition("prize.soldout", runtime.now_ms(), stock, fact=str(stock.inventory))


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
