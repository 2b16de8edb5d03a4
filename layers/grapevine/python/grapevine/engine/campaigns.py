"""Campaigns: created, read, changed, cloned, and taken through their life.

DRAFT --publish--> IN_PROGRESS --end--> COMPLETE --resume--> IN_PROGRESS
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from functools import partial
from typing import Any, Literal, TypedDict

from grapevine import ids, runtime
from grapevine.engine import slugs
from grapevine.engine.attempts import attempts
from grapevine.engine.fraud.settings import copied_lists, list_keys
from grapevine.engine.mechanics import draw_secrets
from grapevine.engine.month_end import calendar
from grapevine.engine.parallel import in_parallel
from grapevine.engine.rewards.configs import copied, listed, new_config
from grapevine.engine.salts import drawn
from grapevine.engine.totals import total_keys, totals_in
from grapevine.errors import InvalidRequest, Problem, UnsupportedProgram
from grapevine.table import keys, store
from grapevine.table.attributes import Item
from grapevine.table.campaigns import AccountCampaign, Campaign, Totals, ids_of_account
from grapevine.table.due import shard_of
from grapevine.table.email_templates import templates_of
from grapevine.table.entity import Entity
from grapevine.table.keys import Key
from grapevine.table.rewards import RewardConfig, configs_of
from grapevine.table.store import TransactionCanceled
from grapevine.table.writes import ABSENT, Put, Write, version


@dataclass(frozen=True, slots=True, kw_only=True)
class NewCampaign:
    """`name` None takes a name made of the date."""

    program_type: Literal["REFERRAL", "AFFILIATE"]
    name: str | None = None
    slug: str | None = None
    company_name: str | None = None
    company_logo_image_url: str | None = None
    currency_iso: str = "USD"
    goal: str | None = None
    rewards: tuple[Mapping[str, Any], ...] = ()


class CampaignChanges(TypedDict, total=False):
    """The fields that were sent."""

    name: str
    slug: str | None
    company_name: str | None
    company_logo_image_url: str | None
    status: Literal["IN_PROGRESS", "COMPLETE"]


@dataclass(frozen=True, slots=True)
class CampaignView:
    """A campaign as answers show it: with its totals and the rewards that it offers."""

    campaign: Campaign
    totals: Totals
    rewards: list[RewardConfig]


def create(account_id: str, new: NewCampaign) -> CampaignView:
    """A new campaign in DRAFT. A repeated request makes another one.

    Raises:
        UnsupportedProgram: affiliate programs are not offered.
        InvalidRequest: another campaign of the account has the slug.
    """
    if new.program_type != "REFERRAL":
        raise UnsupportedProgram("Affiliate programs are not offered, only referral programs.")
    now = runtime.now_ms()
    today = datetime.fromtimestamp(now / 1000, tz=UTC).date()
    return _stored(
        Campaign(
            campaign_id=ids.campaign_id(),
            account_id=account_id,
            name=new.name if new.name is not None else f"Referral Program {today.isoformat()}",
            slug=new.slug,
            company_name=new.company_name,
            company_logo_image_url=new.company_logo_image_url,
            currency_iso=new.currency_iso,
            goal=new.goal,
            created_at=now,
            trait_secret=ids.hashing_secret(),
        ),
        lambda campaign_id: [
            new_config(campaign_id, fields, place) for place, fields in enumerate(new.rewards)
        ],
    )


def clone(campaign: Campaign) -> CampaignView:
    """A new DRAFT with the same configuration, enabled rewards and e-mail templates, without
    participants and without a slug."""
    templates = templates_of(campaign.campaign_id)
    lists = store.get_many(list_keys(campaign))
    offered = [config for config in listed(campaign) if config.is_visible]
    return _stored(
        replace(
            campaign,
            campaign_id=ids.campaign_id(),
            version=0,
            name=f"Copy of {campaign.name}"[:255],
            slug=None,
            status="DRAFT",
            created_at=runtime.now_ms(),
            started_at=None,
            ended_at=None,
            end_settled_at=None,
            due_shard=None,
            due_at=None,
            trait_secret=ids.hashing_secret(),
            secret_number=0,
        ),
        lambda campaign_id: [
            copied(config, campaign_id, place) for place, config in enumerate(offered)
        ],
        lambda campaign_id: [
            *(replace(template, campaign_id=campaign_id, version=0) for template in templates),
            *copied_lists(lists, campaign_id),
        ],
    )


def _stored(
    campaign: Campaign,
    rewards_of: Callable[[str], list[RewardConfig]],
    others_of: Callable[[str], list[Entity]] = lambda _: [],
) -> CampaignView:
    for _ in attempts():
        rewards = rewards_of(campaign.campaign_id)
        beside = others_of(campaign.campaign_id)
        entry = AccountCampaign(account_id=campaign.account_id, campaign_id=campaign.campaign_id)
        if campaign.sends_mail:
            beside.append(drawn(campaign.campaign_id))
        try:
            store.transact(
                [
                    *(Put(one.to_item(), ABSENT) for one in (campaign, entry, *rewards, *beside)),
                    *slugs.writes_for(None, campaign),
                ]
            )
        except TransactionCanceled as lost:
            slugs.refuse_taken(campaign, lost)
            campaign = replace(campaign, campaign_id=ids.campaign_id())
            continue
        return _view(campaign, {}, sorted(rewards, key=lambda config: config.place))
    raise AssertionError("attempts() ends by raising Busy")


def _view(
    campaign: Campaign, found: Mapping[Key, Item], configs: list[RewardConfig]
) -> CampaignView:
    return CampaignView(
        campaign,
        totals_in(found, campaign.campaign_id),
        [config for config in configs if config.is_offered],
    )


def view(campaign: Campaign) -> CampaignView:
    """The campaign with what answers show of it."""
    campaign_id = campaign.campaign_id
    # The two results have different types, which a list of calls cannot say.
    results: list[Any] = in_parallel(
        [partial(store.get_many, total_keys(campaign_id)), partial(configs_of, campaign_id)]
    )
    return _view(campaign, results[0], results[1])


def of_account(account_id: str) -> list[CampaignView]:
    """All campaigns that are not deleted, oldest first."""
    campaign_ids = ids_of_account(account_id)
    found = store.get_many(
        key for one in campaign_ids for key in (keys.campaign(one), *total_keys(one))
    )
    stored = [found.get(keys.campaign(one)) for one in campaign_ids]
    campaigns = sorted(
        (Campaign.from_item(item) for item in stored if item is not None),
        key=lambda one: (one.created_at, one.campaign_id),
    )
    shown = [campaign for campaign in campaigns if campaign.status != "DELETED"]
    configs = in_parallel([partial(configs_of, campaign.campaign_id) for campaign in shown])
    return [
        _view(campaign, found, offered) for campaign, offered in zip(shown, configs, strict=True)
    ]


def update(campaign: Campaign, changes: CampaignChanges) -> CampaignView:
    """The campaign after the changes; a status it has already changes nothing. One that goes on
    after its end does so with a new secret for its draws.

    Raises:
        InvalidRequest: the status cannot be reached from the present one, or another campaign of
            the account has the slug.
        Busy: nothing was written.
    """
    with_it: list[Write] = []

    def change(before: Campaign) -> Campaign:
        after, with_it[:] = draw_secrets.going_on(before, _changed(before, changes))
        return after

    return view(changed(campaign, change, lambda _: list(with_it)))


def _changed(before: Campaign, changes: CampaignChanges) -> Campaign:
    described = replace(
        before,
        name=changes.get("name", before.name),
        slug=changes.get("slug", before.slug),
        company_name=changes.get("company_name", before.company_name),
        company_logo_image_url=changes.get("company_logo_image_url", before.company_logo_image_url),
    )
    target = changes.get("status", before.status)
    return described if target == before.status else _moved(described, target)


def _moved(campaign: Campaign, target: str) -> Campaign:
    now = runtime.now_ms()
    match campaign.status, target:
        case (("DRAFT" | "COMPLETE" | "CANCELLED"), "IN_PROGRESS"):
            started_at = campaign.started_at or now
            return replace(
                campaign,
                status="IN_PROGRESS",
                started_at=started_at,
                ended_at=None,
                end_settled_at=None,
                due_shard=None,
                due_at=None,
            )
        case "IN_PROGRESS", "COMPLETE":
            return replace(
                campaign,
                status="COMPLETE",
                ended_at=now,
                due_shard=shard_of(campaign.campaign_id),
                due_at=now,
            )
    message = f"A campaign that is {campaign.status} cannot become {target}."
    raise InvalidRequest(message, Problem("body", "status", "invalid_transition", message, target))


def _nothing_else(_: Campaign) -> list[Write]:
    return []


def changed(
    campaign: Campaign,
    change: Callable[[Campaign], Campaign],
    others: Callable[[Campaign], list[Write]] = _nothing_else,
    *,
    even_if_equal: bool = False,
) -> Campaign:
    """Lays a change over the campaign as it is, again when somebody else was faster. `others` are
    the writes that go with the campaign after it."""
    for attempt in attempts():
        if attempt:
            item = store.get(campaign.key)
            campaign = Campaign.from_item(item) if item else campaign
        after = change(campaign)
        if after == campaign and not even_if_equal:
            return campaign
        after = replace(after, version=campaign.version + 1)
        try:
            store.transact(
                [
                    Put(after.to_item(), version(campaign.version)),
                    *calendar.writes_for(campaign, after),
                    *slugs.writes_for(campaign, after),
                    *others(after),
                ]
            )
        except TransactionCanceled as lost:
            slugs.refuse_taken(after, lost)
            continue
        return after
    raise AssertionError("attempts() ends by raising Busy")
