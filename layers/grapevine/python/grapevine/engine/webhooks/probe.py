"""A simulated event, sent at once to a webhook: to see whether the endpoint works."""

from __future__ import annotations

import secrets as randomness
from dataclasses import dataclass
from typing import Any

from grapevine import runtime
from grapevine.engine.mechanics.configuration import Configuration
from grapevine.engine.webhooks import games, payload, secrets, signing
from grapevine.engine.webhooks.configs import find
from grapevine.engine.webhooks.deliver import sender
from grapevine.engine.webhooks.outcome import Outcome
from grapevine.errors import InvalidRequest, Problem
from grapevine.months import DAY_MS
from grapevine.table.campaigns import Campaign
from grapevine.table.ledger import LedgerLine, MilestoneAward, PlayerEvent, Win
from grapevine.table.mechanics import Stock

Json = dict[str, Any]


@dataclass(frozen=True, slots=True)
class Probed:
    payload: Json
    outcome: Outcome


def probe(campaign: Campaign, webhook_id: str, event: str | None) -> Probed:
    """Sends a made-up event of the kind asked for, or of the first kind that the webhook wants.
    It is not repeated, and counts neither as a success nor as a failure.

    Raises:
        NotFound
        InvalidRequest: the webhook wants no events, and none is named.
    """
    webhook = find(campaign, webhook_id).webhook
    name = event or (webhook.events[0] if webhook.events else None)
    if name is None:
        message = "The webhook is not subscribed to any event. Name the one to send."
        raise InvalidRequest(message, Problem("body", "event", "no_event", message))
    now = runtime.now_ms()
    told = {"event": name, "createdAt": now, "data": _data(name, campaign, now)}
    body = payload.to_bytes(told)
    message_id = f"evt_test_{randomness.token_hex(8)}"
    signed = signing.headers(message_id, now, body, secrets.in_force(webhook))
    return Probed(told, sender().attempt(webhook.payload_url, signed, body))


def _data(name: str, campaign: Campaign, now: int) -> Json:
    subject = _of_games(campaign.campaign_id, now).get(name)
    if subject is not None:
        return games.told_of(subject, campaign, Configuration())
    return _data_of_referrals(name, campaign, now)


def _of_games(campaign_id: str, now: int) -> dict[str, games.GameSubject]:
    """What an event of a game would be about, by the event's name."""
    of_player: Any = {"campaign_id": campaign_id, "user_id": "test01", "event_id": "evt_test"}
    return {
        "points.awarded": LedgerLine(
            **of_player,
            at=now,
            number=0,
            points=100,
            balance_after=100,
            reason="rule",
            source_id="test",
            event_type="test",
        ),
        "milestone.reached": MilestoneAward(**of_player, milestone_id="test", number=1, at=now),
        "instantwin.won": Win(
            **of_player,
            at=now,
            tier_id="test",
            tier_name="Test prize",
            points=0,
            credit="immediate",
            code="",
            expires_at=now + DAY_MS,
        ),
        "code.redeemed": PlayerEvent(
            **of_player,
            event_type="test",
            at=now,
            trust="server",
            source="internal",
            config_version=0,
            total_points=100,
        ),
        "prize.soldout": Stock(campaign_id=campaign_id, tier_id="test", inventory=1, awarded=1),
    }


def _data_of_referrals(name: str, campaign: Campaign, now: int) -> Json:
    shown = {
        "id": campaign.campaign_id,
        "name": campaign.name,
        "type": campaign.program_type,
        "currencyISO": campaign.currency_iso,
        "rewards": [],
    }
    if name == "NEW_PARTICIPANT_ADDED":
        return {**_person("test01", now), "campaign": shown}
    if name == "PARTICIPANT_FRAUD_STATUS_UPDATED":
        return {"participant": _person("test01", now), "campaign": shown}
    if name == "PARTICIPANT_REACHED_A_GOAL":
        return {
            "participant": _person("test01", now),
            "reward": {
                "id": "prew_test01_1",
                "rewardId": "crew_test",
                "type": "SINGLE_SIDED",
                "title": "Test reward",
                "description": "A reward that nobody has earned",
                "imageUrl": None,
                "couponCode": None,
                "conversionsRequired": 1,
                "limit": -1,
                "approved": True,
                "approvedAt": now,
                "fulfilledAt": None,
                "isReferrer": True,
                "referrerId": "test01",
                "referredId": "test02",
                "createdAt": now,
                "metadata": {},
            },
            "campaign": shown,
        }
    return {
        **shown,
        "participantCount": 2,
        "referralCount": 1,
        "impressionCount": 0,
        "winnerCount": 1,
        "startedAt": campaign.created_at,
        "endedAt": now,
        "status": "COMPLETE",
        "winners": [_person("test01", now)],
    }


def _person(participant_id: str, now: int) -> Json:
    return {
        "id": participant_id,
        "email": "test@example.com",
        "firstName": "Test",
        "lastName": "Participant",
        "notes": "",
        "rank": 1,
        "isWinner": True,
        "referralCount": 1,
        "monthlyReferralCount": 1,
        "prevMonthlyReferralCount": 0,
        "shareUrl": f"https://example.com?grsf={participant_id}",
        "impressionCount": 0,
        "uniqueImpressionCount": 0,
        "inviteCount": 0,
        "shareCount": 0,
        "createdAt": now,
        "referralSource": "DIRECT",
        "fraudRiskLevel": "LOW",
        "fraudReasonCode": "UNIQUE_IDENTITY",
        "unsubscribed": False,
        "vanityKeys": [],
        "metadata": {},
    }
