"""Campaigns, as the GrowSurf API shows and takes them."""

from __future__ import annotations

from typing import Annotated, Any, Literal

from pydantic import AfterValidator, Field, StringConstraints
from pydantic_core import PydanticCustomError

from grapevine.engine.campaigns import (
    CampaignChanges,
    CampaignView,
    NewCampaign,
)
from grapevine.engine.rewards.configs import MOST_CONFIGS
from grapevine.engine.slugs import PATTERN, RESERVED
from grapevine.engine.values import WebAddress
from grapevine.http.models.fields import Input, Name, Output, when_sent
from grapevine.http.models.rewards import CreateReward, Reward

_GOALS = Literal[
    "CUSTOMERS",
    "USERS",
    "SUBSCRIBERS",
    "WAITLIST",
    "B2B_SAAS_SELF_SERVICE",
    "B2B_SAAS_ENTERPRISE",
    "B2C_SUBSCRIPTIONS",
    "FINANCIAL_SERVICES",
    "ONLINE_EDUCATION",
    "INSURANCE",
    "ONLINE_INSURANCE",
    "TELEHEALTH",
    "HEALTHCARE_PROVIDERS",
]

CampaignName = Annotated[Name, Field(min_length=1)]


def _not_reserved(slug: str) -> str:
    if slug in RESERVED:
        raise PydanticCustomError("slug_reserved", "This slug is reserved.")
    return slug


Slug = Annotated[str, StringConstraints(pattern=PATTERN), AfterValidator(_not_reserved)]
"""Small letters, digits and, between them, hyphens."""


class CreateCampaign(Input):
    """`type` and `currencyISO` cannot be changed later. AFFILIATE is answered with 422."""

    type: Literal["REFERRAL", "AFFILIATE"]
    name: CampaignName | None = None
    slug: Slug | None = None
    company_name: Name | None = None
    company_logo_image_url: WebAddress | None = None
    currency_iso: Annotated[
        str, StringConstraints(pattern=r"^[A-Z]{3}$"), Field(alias="currencyISO")
    ] = "USD"
    goal: _GOALS | None = None
    rewards: Annotated[tuple[CreateReward, ...], Field(max_length=MOST_CONFIGS)] = ()

    def to_engine(self) -> NewCampaign:
        return NewCampaign(
            program_type=self.type,
            name=self.name,
            slug=self.slug,
            company_name=self.company_name,
            company_logo_image_url=self.company_logo_image_url,
            currency_iso=self.currency_iso,
            goal=self.goal,
            rewards=tuple(reward.fields() for reward in self.rewards),
        )


class UpdateCampaign(Input):
    """Only what is sent changes. `status` publishes or resumes (IN_PROGRESS) or ends (COMPLETE).
    A `slug` of null frees the one that there is."""

    name: CampaignName = when_sent()
    slug: Slug | None = when_sent()
    company_name: Name | None = when_sent()
    company_logo_image_url: WebAddress | None = when_sent()
    status: Literal["IN_PROGRESS", "COMPLETE"] = when_sent()

    def to_engine(self) -> CampaignChanges:
        sent: Any = self.model_dump(exclude_unset=True)
        changes: CampaignChanges = sent
        return changes


class Campaign(Output):
    """Counts are sums over the campaign's participants, a moment behind the writes. `slug` is there
    when it is set."""

    id: str
    name: str
    slug: str | None = None
    type: Literal["REFERRAL", "AFFILIATE"]
    status: Literal["DRAFT", "PENDING", "IN_PROGRESS", "COMPLETE", "CANCELLED", "DELETED"]
    currency_iso: Annotated[str, Field(alias="currencyISO")]
    referral_count: int
    participant_count: int
    impression_count: int
    invite_count: int
    winner_count: int
    rewards: list[Reward]

    @classmethod
    def of(cls, shown: CampaignView) -> Campaign:
        campaign, totals = shown.campaign, shown.totals
        return cls(
            id=campaign.campaign_id,
            name=campaign.name,
            **({"slug": campaign.slug} if campaign.slug else {}),
            type=campaign.program_type,
            status=campaign.status,
            currency_iso=campaign.currency_iso,
            referral_count=totals.referral_count,
            participant_count=totals.participant_count,
            impression_count=totals.impression_count,
            invite_count=totals.invite_count,
            winner_count=totals.winner_count,
            rewards=[Reward.of(config) for config in shown.rewards],
        )


class CampaignList(Output):
    campaigns: list[Campaign]
