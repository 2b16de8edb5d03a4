"""From changes of the table to events with their deliveries, each exactly once.

An event is built once and stored with one delivery for each subscribed webhook, in one transaction
that fails when the event is there already. Every delivery is due from the start, so what is lost
between the transaction and the queue goes out with the next sweep.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

from grapevine import runtime
from grapevine.engine.mechanics.campaign import played
from grapevine.engine.participants.describe import Description, describe
from grapevine.engine.participants.lookup import (
    Participant,
    participant_in,
    participant_keys,
)
from grapevine.engine.totals import total_keys, totals_in
from grapevine.engine.webhooks import events, games, payload
from grapevine.engine.webhooks.dispatch import FIRST_ATTEMPT_BY_MS, queue_now
from grapevine.engine.webhooks.events import Json
from grapevine.engine.webhooks.transitions import Transition
from grapevine.errors import Busy
from grapevine.months import DAY_MS
from grapevine.table import keys, standings, store
from grapevine.table.campaigns import Campaign
from grapevine.table.due import shard_of
from grapevine.table.participants import Profile
from grapevine.table.rewards import EarnedReward, Earnings, RewardConfig, configs_of
from grapevine.table.store import TransactionCanceled
from grapevine.table.webhooks import Delivery, WebhookState, packed, webhooks_of
from grapevine.table.writes import ABSENT, Put

KEPT_MS = 30 * DAY_MS
"""How long an event and its deliveries are kept: long enough to recover from a long outage."""

_CANDIDATES_AT_ONCE = 1000

_LOOKED_THROUGH = 10_000
"""Participants who are looked at for winners in any case. Behind them, whoever has no referral is
looked at only until as many winners are found as the totals say there are."""

_MOST_BYTES = 2 * 1024 * 1024
"""Of an event, so that it can be stored in one transaction (4 MB). Winners with so much metadata
are told without it."""


def relay(campaign_id: str, transitions: Sequence[Transition]) -> None:
    """Makes the events of these transitions, all of one campaign, and queues their deliveries.

    Nothing is made for an event that no webhook wants, nor about a participant who has been
    deleted in the meantime.

    Raises:
        Busy
    """
    if not transitions:
        return
    active = [state for state in webhooks_of(campaign_id) if state.is_active]
    wanted = [one for one in transitions if any(_wants(state, one) for state in active)]
    if not wanted:
        return
    item = store.get(keys.campaign(campaign_id))
    if item is None:
        return
    composer = _Composer(Campaign.from_item(item), wanted)
    for transition in wanted:
        data = composer.data(transition)
        if data is not None:
            subscribed = [state for state in active if _wants(state, transition)]
            queue_now(_stored(transition, data, subscribed))


def _wants(state: WebhookState, transition: Transition) -> bool:
    return transition.name in state.webhook.events


def _stored(transition: Transition, data: Json, subscribed: list[WebhookState]) -> list[Delivery]:
    """The deliveries that are new; none when the event had been relayed before."""
    now = runtime.now_ms()
    expires_at = (now + KEPT_MS) // 1000
    event, parts = packed(
        transition.campaign_id,
        transition.event_id,
        name=transition.name,
        created_at=transition.at,
        body=payload.to_bytes(events.envelope(transition, data)),
        expires_at=expires_at,
    )
    deliveries = [
        Delivery(
            campaign_id=transition.campaign_id,
            webhook_id=state.webhook.webhook_id,
            webhook_created_at=state.webhook.created_at,
            event_id=event.event_id,
            event_name=event.name,
            created_at=event.created_at,
            next_attempt_at=now,
            expires_at=expires_at,
            due_shard=shard_of(event.event_id),
            due_at=now + FIRST_ATTEMPT_BY_MS,
        )
        for state in subscribed
    ]
    try:
        store.transact([Put(entity.to_item(), ABSENT) for entity in (event, *parts, *deliveries)])
    except TransactionCanceled as lost:
        if event.key in lost.failed:
            return []
        raise Busy from None
    return deliveries


@dataclass(frozen=True, slots=True)
class _People:
    """Descriptions by participant id, without those who have been deleted."""

    described: dict[str, Description]

    def get(self, participant_id: str | None) -> Description | None:
        return self.described.get(participant_id) if participant_id else None


class _Composer:
    """Reads what all events of a batch need, once."""

    def __init__(self, campaign: Campaign, transitions: Sequence[Transition]) -> None:
        self._campaign = campaign
        self._configs: list[RewardConfig] = configs_of(campaign.campaign_id)
        ids: dict[str, None] = {}
        for transition in transitions:
            match transition.subject:
                case Profile() as profile:
                    ids[profile.participant_id] = None
                case EarnedReward() as earned:
                    ids[earned.participant_id] = None
                    ids |= {earned.referred_id: None} if earned.referred_id else {}
        self._people = self._describe(list(ids))

    def _describe(self, participant_ids: Sequence[str]) -> _People:
        campaign_id = self._campaign.campaign_id
        found = store.get_many(
            key for one in participant_ids for key in participant_keys(campaign_id, one)
        )
        alive: list[Participant] = [
            participant
            for one in participant_ids
            if (participant := participant_in(found, campaign_id, one)) is not None
        ]
        shown = describe(self._campaign, alive) if alive else []
        return _People({one.participant.participant_id: one for one in shown})

    def data(self, transition: Transition) -> Json | None:
        """None when the participant it is about has been deleted."""
        match transition.subject:
            case Campaign() as ended:
                return self._ended(ended)
            case EarnedReward() as earned:
                earner = self._people.get(earned.participant_id)
                friend = self._people.get(earned.referred_id)
                if earner is None:
                    return None
                return events.goal_reached(earner, friend, earned, self._campaign, self._configs)
            case Profile() as profile:
                shown = self._people.get(profile.participant_id)
                is_of_fraud = transition.name == "PARTICIPANT_FRAUD_STATUS_UPDATED"
                tell = events.fraud_status_updated if is_of_fraud else events.participant_added
                return tell(shown, self._campaign, self._configs) if shown else None
            case of_game:
                game = played(self._campaign, may_be_remembered=True)
                return games.told_of(of_game, self._campaign, game.configuration)

    def _ended(self, ended: Campaign) -> Json:
        campaign_id = ended.campaign_id
        totals = totals_in(store.get_many(total_keys(campaign_id)), campaign_id)
        ranked = _winners(campaign_id, totals.winner_count)
        shown = list(self._describe(ranked).described.values())
        if len(ranked) < events.MOST_WINNERS:
            # All of them: the totals may not have come as far yet.
            totals = replace(totals, winner_count=len(shown))
        told = events.campaign_ended(ended, totals, shown, self._configs)
        if len(payload.to_bytes(told)) > _MOST_BYTES:
            told["winners"] = [{**winner, "metadata": {}} for winner in told["winners"]]
        return told


def _winners(campaign_id: str, expected: int) -> list[str]:
    """The first winners by rank: participants with an approved reward."""
    winners: list[str] = []
    following: int | None = None
    looked_at = 0
    while len(winners) < events.MOST_WINNERS:
        page = standings.all_time_places(
            campaign_id, limit=_CANDIDATES_AT_ONCE, from_position=following
        )
        ids = [place.participant_id for place in page]
        found = store.get_many(keys.earnings(campaign_id, one) for one in ids)
        earned = [found.get(keys.earnings(campaign_id, one)) for one in ids]
        winners += [
            one
            for one, item in zip(ids, earned, strict=True)
            if item and Earnings.from_item(item).is_winner
        ]
        looked_at += len(page)
        if len(page) < _CANDIDATES_AT_ONCE:
            break
        if len(winners) >= expected and looked_at >= _LOOKED_THROUGH and not page[-1].count:
            break
        following = page[-1].position - 1
    return winners[: events.MOST_WINNERS]
