"""Writes the sample events into docs/webhooks.md: `python -m local.webhook_samples`.

They are made by the code that makes the real ones. With `--check` it writes nothing and fails when
the document is out of date.
"""

from __future__ import annotations

import argparse
import json
import re
import sys
from dataclasses import replace
from pathlib import Path
from typing import Any

from grapevine.engine.mechanics.configuration import parse
from grapevine.engine.participants.describe import Description
from grapevine.engine.participants.lookup import Participant
from grapevine.engine.ranks.reading import Ranks
from grapevine.engine.webhooks import events, games
from grapevine.engine.webhooks.games import GameSubject
from grapevine.engine.webhooks.transitions import EventName, Subject, Transition
from grapevine.months import DAY_MS
from grapevine.table.campaigns import Campaign, Totals
from grapevine.table.impressions import Impressions
from grapevine.table.ledger import LedgerLine, MilestoneAward, PlayerEvent, Win
from grapevine.table.mechanics import Stock
from grapevine.table.participants import Profile
from grapevine.table.rewards import EarnedReward, RewardConfig
from grapevine.table.standings import Standing

ROOT = Path(__file__).parent.parent
DOCUMENT = ROOT / "docs" / "webhooks.md"

_PLACE = re.compile(r"(<!-- sample ([\w.]+) -->\n).*?(<!-- end -->)", re.DOTALL)
_BEGAN = 1_763_000_000_000
_JOINED = 1_763_802_000_000
_EARNED = _JOINED + 4_000
_ENDED = 1_766_000_000_000

_CAMPAIGN = Campaign(
    campaign_id="4pdlhb",
    account_id="acct_1",
    name="Vine & Friends",
    currency_iso="USD",
    status="IN_PROGRESS",
    created_at=_BEGAN,
    started_at=_BEGAN,
)
_REWARD = RewardConfig(
    campaign_id="4pdlhb",
    reward_id="crew_7ymo1w",
    reward_type="SINGLE_SIDED",
    created_at=_BEGAN,
    title="A mug",
    description="A mug for each friend who buys",
    conversions_required=1,
    order=1,
    metadata={"sku": "MUG-1"},
)
_EARNED_REWARD = EarnedReward(
    campaign_id="4pdlhb",
    participant_id="a1b2c3",
    number=1,
    reward_id="crew_7ymo1w",
    is_referrer=True,
    referrer_id="a1b2c3",
    referred_id="d4e5f6",
    created_at=_EARNED,
    approved_at=_EARNED,
)


def samples() -> dict[str, dict[str, Any]]:
    """One of each event."""
    ada = _described("a1b2c3", "Ada", "Lovelace", place=1, credited=1)
    joined = _described("d4e5f6", "Grace", "Hopper", place=2, credited=0, referrer=ada)
    ended = replace(_CAMPAIGN, status="COMPLETE", ended_at=_ENDED, end_settled_at=_ENDED)
    totals = Totals(
        campaign_id="4pdlhb",
        participant_count=2,
        referral_count=1,
        impression_count=12,
        winner_count=1,
    )
    winner = replace(ada, is_winner=True)
    configs = [_REWARD]
    profile = joined.participant.profile
    return {
        "NEW_PARTICIPANT_ADDED": _event(
            "NEW_PARTICIPANT_ADDED",
            profile.created_at,
            profile,
            events.participant_added(joined, _CAMPAIGN, configs),
        ),
        "PARTICIPANT_REACHED_A_GOAL": _event(
            "PARTICIPANT_REACHED_A_GOAL",
            _EARNED,
            _EARNED_REWARD,
            events.goal_reached(winner, joined, _EARNED_REWARD, _CAMPAIGN, configs),
        ),
        "CAMPAIGN_ENDED": _event(
            "CAMPAIGN_ENDED", _ENDED, ended, events.campaign_ended(ended, totals, [winner], configs)
        ),
        "PARTICIPANT_FRAUD_STATUS_UPDATED": _event(
            "PARTICIPANT_FRAUD_STATUS_UPDATED",
            _EARNED,
            profile,
            events.fraud_status_updated(_suspected(joined), _CAMPAIGN, configs),
        ),
        **{name: _of_game(name, subject) for name, subject in _games().items()},
    }


def _games() -> dict[EventName, GameSubject]:
    """What each event of a game is about: one purchase that wins, and a code."""
    event = PlayerEvent(
        campaign_id="4pdlhb",
        user_id="user_12345",
        event_id="evt_9f86d081884c7d659a2feaa0",
        event_type="internal:code_redeemed",
        at=_EARNED,
        trust="server",
        source="internal",
        config_version=7,
        points_earned=500,
        total_points=1250,
        code_hash="hash",
    )
    of_player: Any = {"campaign_id": "4pdlhb", "user_id": event.user_id, "event_id": event.event_id}
    return {
        "points.awarded": LedgerLine(
            **of_player,
            at=_EARNED,
            number=0,
            points=100,
            balance_after=250,
            reason="rule",
            source_id="purchase-flat",
            event_type="purchase",
        ),
        "milestone.reached": MilestoneAward(
            **of_player,
            milestone_id="orders-5",
            number=1,
            at=_EARNED,
            points=250,
            badge="bronze",
        ),
        "instantwin.won": Win(
            **of_player,
            at=_EARNED,
            tier_id="gold",
            tier_name="Gold",
            points=500,
            credit="immediate",
            code="SUMM-AX7K9M2P",
            expires_at=_EARNED + 30 * DAY_MS,
        ),
        "code.redeemed": event,
        "prize.soldout": Stock(campaign_id="4pdlhb", tier_id="gold", inventory=10, awarded=10),
    }


def _of_game(name: EventName, subject: GameSubject) -> dict[str, Any]:
    milestone = {
        "id": "orders-5",
        "name": "Five orders",
        "metric": {"type": "event_count", "eventType": "purchase"},
        "threshold": 5,
        "reward": {"points": 250, "badge": "bronze"},
    }
    tier = {"id": "gold", "name": "Gold", "oddsPpm": 10_000, "inventory": 10}
    instant_win = {"eventTypes": ["purchase"], "tiers": [tier]}
    configuration = parse({"milestones": [milestone], "instantWin": instant_win})
    campaign = replace(_CAMPAIGN, slug="summer-promo")
    return _event(name, _EARNED, subject, games.told_of(subject, campaign, configuration))


def _suspected(described: Description) -> Description:
    profile = replace(
        described.participant.profile,
        fraud_risk_level="HIGH",
        fraud_reason_code="MANUAL_UPDATE",
        fraud_changed_at=_EARNED,
    )
    return replace(described, participant=replace(described.participant, profile=profile))


def _event(name: EventName, at: int, subject: Subject, data: dict[str, Any]) -> dict[str, Any]:
    return events.envelope(Transition(name, at, subject), data)


def _described(
    participant_id: str,
    first_name: str,
    last_name: str,
    *,
    place: int,
    credited: int,
    referrer: Description | None = None,
) -> Description:
    profile = Profile(
        campaign_id="4pdlhb",
        participant_id=participant_id,
        email=f"{first_name.lower()}@example.com",
        first_name=first_name,
        last_name=last_name,
        created_at=_JOINED,
        referral_source="PARTICIPANT" if referrer else "DIRECT",
        metadata={"plan": "pro"},
    )
    standing = Standing(
        campaign_id="4pdlhb",
        participant_id=participant_id,
        join_sequence=place,
        joined_month=0,
        referral_count=credited,
    )
    impressions = Impressions(
        campaign_id="4pdlhb",
        participant_id=participant_id,
        join_sequence=place,
        total=12 * credited,
        unique=5 * credited,
        shares={"email": 2 * credited},
    )
    return Description(
        participant=Participant(profile, standing),
        ranks=Ranks(rank=place, monthly_rank=place, prev_monthly_rank=-1),
        monthly_referral_count=credited,
        prev_monthly_referral_count=0,
        referrals=[],
        monthly_referrals=[],
        share_url=f"https://example.com?grsf={participant_id}",
        referral_source=profile.referral_source,
        referral_status=None,
        is_winner=False,
        impressions=impressions,
        invite_count=0,
        rewards=[],
        referrer=referrer,
    )


def with_samples(text: str) -> str:
    made = samples()

    def filled(place: re.Match[str]) -> str:
        sample = json.dumps(made[place[2]], indent=2, ensure_ascii=False)
        return f"{place[1]}```json\n{sample}\n```\n{place[3]}"

    return _PLACE.sub(filled, text)


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--check", action="store_true", help="fail if the document is out of date")
    check: bool = parser.parse_args().check
    before = DOCUMENT.read_text()
    after = with_samples(before)
    if not check:
        DOCUMENT.write_text(after)
        return 0
    if before != after:
        name = DOCUMENT.relative_to(ROOT)
        sys.stderr.write(f"{name} is out of date: run `make webhook-samples`\n")
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
