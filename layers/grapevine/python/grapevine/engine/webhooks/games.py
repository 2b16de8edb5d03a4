"""What webhooks are told of games: points, milestones, prizes and codes.

A win is told without its code: the code is worth what it pays, and a receiver of webhooks, with its
logs, is not where the winner's property belongs. Who needs it reads the player's wins.
"""

from __future__ import annotations

from typing import Any

from grapevine.engine.mechanics.configuration import Configuration
from grapevine.table.campaigns import Campaign
from grapevine.table.ledger import LedgerLine, MilestoneAward, PlayerEvent, Win
from grapevine.table.mechanics import Stock

Json = dict[str, Any]
GameSubject = LedgerLine | MilestoneAward | Win | PlayerEvent | Stock


def told_of(subject: GameSubject, campaign: Campaign, configuration: Configuration) -> Json:
    """The data of the event. Names are those of the configuration of now, null where it does not
    know the milestone or prize any more."""
    shown = {"id": campaign.campaign_id, "name": campaign.name, "slug": campaign.slug}
    return {**_facts(subject, configuration), "campaign": shown}


def _facts(subject: GameSubject, configuration: Configuration) -> Json:
    match subject:
        case LedgerLine():
            return {
                "ledgerId": ledger_id(subject),
                "userId": subject.user_id,
                "eventType": subject.event_type,
                "eventId": subject.event_id,
                "reason": subject.reason,
                "ruleId": subject.source_id,
                "pointsAwarded": subject.points,
                "userBalance": subject.balance_after,
            }
        case MilestoneAward():
            names = {each.id: each.name for each in configuration.milestones}
            return {
                "id": subject.milestone_id,
                "name": names.get(subject.milestone_id),
                "userId": subject.user_id,
                "eventId": subject.event_id,
                "pointsEarned": subject.points,
                "badge": subject.badge,
                "reachedCount": subject.number,
            }
        case Win():
            return {
                "id": f"win_{subject.event_id.removeprefix('evt_')}",
                "userId": subject.user_id,
                "eventId": subject.event_id,
                "prizeId": subject.tier_id,
                "prizeTier": subject.tier_name,
                "pointsEarned": subject.points,
                "credit": subject.credit,
                "expiresAt": subject.expires_at,
            }
        case PlayerEvent():
            return {
                "userId": subject.user_id,
                "eventId": subject.event_id,
                "pointsEarned": subject.points_earned,
                "totalPoints": subject.total_points,
            }
        case Stock():
            tiers = configuration.instant_win.tiers if configuration.instant_win else ()
            return {
                "prizeId": subject.tier_id,
                "prizeTier": {each.id: each.name for each in tiers}.get(subject.tier_id),
                "inventory": subject.inventory,
                "awarded": subject.awarded,
            }


def ledger_id(line: LedgerLine) -> str:
    """How the API calls a line. An event is taken back once at most, and the lines of that are
    numbered anew."""
    taken_back = "r" if line.reason == "reversal" else ""
    return f"led_{line.event_id.removeprefix('evt_')}_{taken_back}{line.number}"
