"""Campaigns, their place in the account's list, their totals and their join sequence."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any, ClassVar, Literal

from grapevine.table import keys, store
from grapevine.table.entity import Entity, as_json
from grapevine.table.keys import Key

CampaignStatus = Literal["DRAFT", "IN_PROGRESS", "COMPLETE", "CANCELLED", "DELETED"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Campaign(Entity):
    """`options`, `installation` and `emails` hold only what was set; the engine knows the defaults.
    `slug` is what the account calls it in addresses, if anything.

    A campaign that ends is due at once; `end_settled_at` (ms) says when its leaderboard rewards had
    all been given. `trait_secret` is drawn with the campaign and never shown: what participants are
    recognised by is hashed with it. `secret_number` is that of the secret of the draws with which
    the campaign went on after its last end: no former one counts any more.
    """

    TYPE: ClassVar[str] = "Campaign"

    campaign_id: str
    account_id: str
    version: int = 0
    program_type: Literal["REFERRAL"] = "REFERRAL"
    name: str
    slug: str | None = None
    company_name: str | None = None
    company_logo_image_url: str | None = None
    currency_iso: str
    goal: str | None = None
    status: CampaignStatus = "DRAFT"
    created_at: int
    started_at: int | None = None
    ended_at: int | None = None
    end_settled_at: int | None = None
    options: dict[str, Any] = as_json()
    installation: dict[str, Any] = as_json()
    emails: dict[str, Any] = as_json()
    trait_secret: str = field(default="", repr=False)
    secret_number: int = 0
    due_shard: str | None = None
    due_at: int | None = None

    @property
    def key(self) -> Key:
        return keys.campaign(self.campaign_id)

    @property
    def sends_mail(self) -> bool:
        """Whether there is an address that its e-mails come from; without one none is sent."""
        return bool(self.emails.get("fromEmail"))

    @property
    def is_in_progress(self) -> bool:
        return self.status == "IN_PROGRESS"


@dataclass(frozen=True, slots=True, kw_only=True)
class AccountCampaign(Entity):
    TYPE: ClassVar[str] = "AccountCampaign"

    account_id: str
    campaign_id: str

    @property
    def key(self) -> Key:
        return keys.account_campaign(self.account_id, self.campaign_id)


@dataclass(frozen=True, slots=True, kw_only=True)
class CampaignSlug(Entity):
    """Keeps a slug unique in its account, and finds the campaign by it."""

    TYPE: ClassVar[str] = "CampaignSlug"

    account_id: str
    slug: str
    campaign_id: str

    @property
    def key(self) -> Key:
        return keys.campaign_slug(self.account_id, self.slug)


@dataclass(frozen=True, slots=True, kw_only=True)
class Totals(Entity):
    """Sums over the campaign's participants: a projection, a moment behind the facts. Only what
    the rank index does not count anyway is stored here."""

    TYPE: ClassVar[str] = "Totals"

    campaign_id: str
    participant_count: int = 0
    referral_count: int = 0
    impression_count: int = 0
    invite_count: int = 0
    winner_count: int = 0

    @property
    def key(self) -> Key:
        return keys.totals(self.campaign_id)


def next_join_sequence(campaign_id: str) -> int:
    """The next participant's place in join order, from 1. A number is never given twice."""
    return store.increment(keys.join_sequence(campaign_id), "Sequence", "joinSequence")


def last_join_sequence(campaign_id: str) -> int:
    """The last number that was given; 0 before the first."""
    item = store.get(keys.join_sequence(campaign_id))
    return int(item["joinSequence"]) if item else 0


def ids_of_account(account_id: str) -> list[str]:
    """The ids of the account's campaigns, in no particular order."""
    listed = store.query(None, keys.account(account_id).partition, prefix=keys.CAMPAIGN_PREFIX)
    return [item["campaignId"] for item in listed]
