"""The rewards that a campaign offers: made, listed, changed and deleted."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import Any

from grapevine import ids, runtime
from grapevine.engine.attempts import attempts
from grapevine.errors import InvalidRequest, NotFound, Problem
from grapevine.table import keys, store
from grapevine.table.campaigns import Campaign
from grapevine.table.rewards import RewardConfig, configs_of
from grapevine.table.store import TransactionCanceled
from grapevine.table.writes import ABSENT, Put, version

MOST_CONFIGS = 16
"""Of a campaign at a time. One credit may earn both halves of all of them, and with a sign-up and
all its metadata that is one transaction of at most a hundred writes."""


def new_config(campaign_id: str, fields: Mapping[str, Any], place: int = 0) -> RewardConfig:
    """A config with the fields that were given; a milestone is earned once, so it is not
    unlimited. `place` keeps the order of those that are made together."""
    defaults: dict[str, Any] = {"is_unlimited": fields["reward_type"] != "MILESTONE"}
    return RewardConfig(
        campaign_id=campaign_id,
        reward_id=ids.reward_id(),
        created_at=runtime.now_ms() + place,
        **{**defaults, **fields},
    )


def copied(config: RewardConfig, campaign_id: str, place: int) -> RewardConfig:
    """The same reward for another campaign, the one at `place` there."""
    return replace(
        config,
        campaign_id=campaign_id,
        reward_id=ids.reward_id(),
        version=0,
        created_at=runtime.now_ms() + place,
        leaderboard_winners=None,
    )


def create(campaign: Campaign, fields: Mapping[str, Any]) -> RewardConfig:
    """A new reward of the campaign.

    Raises:
        InvalidRequest: the campaign has `MOST_CONFIGS` already.
    """
    for attempt in attempts():
        if attempt:
            campaign = Campaign.from_item(store.get(campaign.key) or {})
        if len(listed(campaign)) >= MOST_CONFIGS:
            message = f"A campaign can have {MOST_CONFIGS} rewards."
            raise InvalidRequest(message, Problem("body", "", "too_many_rewards", message))
        config = new_config(campaign.campaign_id, fields)
        # The campaign's version makes sure that nobody added another one after the count.
        counted = replace(campaign, version=campaign.version + 1)
        try:
            store.transact(
                [Put(config.to_item(), ABSENT), Put(counted.to_item(), version(campaign.version))]
            )
        except TransactionCanceled:
            continue
        return config
    raise AssertionError("attempts() ends by raising Busy")


def listed(campaign: Campaign) -> list[RewardConfig]:
    """All rewards of the campaign that are not deleted, in their order."""
    return [one for one in configs_of(campaign.campaign_id) if one.deleted_at is None]


def update(campaign: Campaign, reward_id: str, changes: Mapping[str, Any]) -> RewardConfig:
    """The reward after the changes. What has been earned stays as it is.

    Raises:
        NotFound
        InvalidRequest: a leaderboard would be won at other times. Who has won it in a month would
            count as a winner of the whole, and the other way round.
        Busy
    """
    for _ in attempts():
        before = _find(campaign, reward_id)
        after = replace(before, **changes)
        if after == before:
            return before
        if before.reward_type == "LEADERBOARD" and after.limit_duration != before.limit_duration:
            message = "When a leaderboard is won cannot be changed. Create another reward."
            problem = Problem("body", "limitDuration", "immutable", message, after.limit_duration)
            raise InvalidRequest(message, problem)
        after = replace(after, version=before.version + 1)
        try:
            store.transact([Put(after.to_item(), version(before.version))])
        except TransactionCanceled:
            continue
        return after
    raise AssertionError("attempts() ends by raising Busy")


def delete(campaign: Campaign, reward_id: str) -> None:
    """Takes the reward off the campaign; participants no longer see those they have earned of it.

    Raises:
        NotFound: also when it has been deleted before.
        Busy
    """
    update(campaign, reward_id, {"deleted_at": runtime.now_ms()})


def _find(campaign: Campaign, reward_id: str) -> RewardConfig:
    item = None
    if keys.is_id(reward_id):
        item = store.get(keys.reward_config(campaign.campaign_id, reward_id))
    config = RewardConfig.from_item(item) if item else None
    if config is None or config.deleted_at is not None:
        raise NotFound("There is no reward with this id.")
    return config
