"""Rewards, offered and earned, as the GrowSurf API shows and takes them."""

from __future__ import annotations

from typing import Annotated, Any, Literal

from pydantic import BaseModel, ConfigDict, Field
from pydantic.alias_generators import to_camel

from grapevine.engine.rewards.listing import RewardPage
from grapevine.engine.values import WebAddress, WholeNumber
from grapevine.http.models.fields import Input, Limit, Metadata, Name, Output, Query, when_sent
from grapevine.table.participants import text_of
from grapevine.table.rewards import EarnedReward, RewardConfig

ICON_KEYS = Literal[
    "GIFT_1",
    "GIFT_2",
    "GIFT_3",
    "GIFT_4",
    "GIFT_5",
    "GIFT_6",
    "GIFT_CARD",
    "CASH",
    "COIN",
    "CARD",
    "STAR_1",
    "STAR_2",
    "STAR_3",
    "TROPHY",
    "CROWN",
    "SEAL",
    "HEART_1",
    "HEART_2",
    "TAG",
    "DIAMOND",
    "CONFETTI",
    "ROCKET",
]

Text = Annotated[str, Field(max_length=2000)]
Count = Annotated[WholeNumber, Field(ge=0, le=1_000_000)]


class Valuation(BaseModel):
    """What a reward is worth for tax documents: a fair market value in US dollars (major units)."""

    model_config = ConfigDict(alias_generator=to_camel, extra="forbid", frozen=True)

    fair_market_value_usd: Annotated[
        float | None, Field(alias="fairMarketValueUSD", ge=0, le=1e9, allow_inf_nan=False)
    ] = when_sent()
    is_tax_reportable: bool | None = when_sent()
    tax_character: (
        Literal[
            "NONEMPLOYEE_SERVICES",
            "PRIZE_OR_AWARD",
            "PURCHASE_REBATE",
            "OTHER_INCOME",
            "REVIEW_REQUIRED",
        ]
        | None
    ) = when_sent()


class UpdateReward(Input):
    """Only what is sent changes; `metadata` is replaced as a whole. The type cannot change."""

    title: Name = when_sent()
    description: Text = when_sent()
    referral_description: Text | None = when_sent()
    image_url: WebAddress | None = when_sent()
    image_icon_key: ICON_KEYS | None = when_sent()
    is_visible: bool = when_sent()
    is_unlimited: bool = when_sent()
    limit: Count = when_sent()
    limit_duration: Literal["IN_TOTAL", "PER_MONTH", "PER_YEAR"] = when_sent()
    conversions_required: Annotated[Count, Field(ge=1)] = when_sent()
    number_of_winners: Annotated[WholeNumber, Field(ge=0, le=1000)] = when_sent()
    event: Literal["CONVERSION"] = when_sent()
    referred_reward_upfront: bool = when_sent()
    order: Annotated[WholeNumber, Field(ge=0, le=1_000_000)] = when_sent()
    next_milestone_prefix: Name | None = when_sent()
    next_milestone_suffix: Name | None = when_sent()
    coupon_code: Name | None = when_sent()
    referral_coupon_code: Name | None = when_sent()
    metadata: Metadata = when_sent()
    value: Valuation | None = when_sent()
    referred_value: Valuation | None = when_sent()

    def fields(self) -> dict[str, Any]:
        """The sent fields by the engine's names; metadata values are kept as text."""
        sent: dict[str, Any] = self.model_dump(exclude_unset=True, exclude={"event"})
        for name in ("value", "referred_value"):
            if name in sent:
                given: Valuation | None = getattr(self, name)
                sent[name] = given.model_dump(by_alias=True, exclude_unset=True) if given else {}
        if "metadata" in sent:
            kept = sent["metadata"].items()
            sent["metadata"] = {key: text_of(value) for key, value in kept if value is not None}
        if "image_url" in sent and "image_icon_key" not in sent:
            sent["image_icon_key"] = None
        return sent


class CreateReward(UpdateReward):
    """`type` decides how the reward is earned. The event is always the conversion."""

    type: Literal["SINGLE_SIDED", "DOUBLE_SIDED", "MILESTONE", "LEADERBOARD"]

    def fields(self) -> dict[str, Any]:
        sent = super().fields()
        sent["reward_type"] = sent.pop("type")
        return sent


class Reward(Output):
    """A reward that the campaign offers; `limit` is -1 when it can be earned without bound."""

    id: str
    type: Literal["SINGLE_SIDED", "DOUBLE_SIDED", "MILESTONE", "LEADERBOARD"]
    title: str | None
    description: str | None
    referral_description: str | None
    image_url: str | None
    image_icon_key: ICON_KEYS | None
    is_visible: bool
    is_unlimited: bool
    limit: int
    limit_duration: Literal["IN_TOTAL", "PER_MONTH", "PER_YEAR"]
    conversions_required: int
    number_of_winners: int
    event: Literal["CONVERSION"] = "CONVERSION"
    referred_reward_upfront: bool
    order: int | None
    next_milestone_prefix: str | None
    next_milestone_suffix: str | None
    coupon_code: str | None
    referral_coupon_code: str | None
    metadata: dict[str, str]
    value: dict[str, Any] | None
    referred_value: dict[str, Any] | None

    @classmethod
    def of(cls, config: RewardConfig) -> Reward:
        same = {
            name: getattr(config, name)
            for name in cls.model_fields
            if name not in {"id", "type", "limit", "event", "value", "referred_value"}
        }
        return cls.model_construct(
            **same,
            id=config.reward_id,
            type=config.reward_type,
            limit=-1 if config.is_unlimited else config.limit,
            event="CONVERSION",
            value=config.value or None,
            referred_value=config.referred_value or None,
        )


class RewardList(Output):
    rewards: list[Reward]


class DeletedReward(Output):
    id: str
    success: bool


class ParticipantReward(Output):
    """A reward that a participant has earned, as referrer or as the referred friend."""

    id: str
    reward_id: str
    status: Literal["PENDING", "FULFILLED"]
    approved: bool
    approved_at: int | None
    is_fulfilled: bool
    fulfilled_at: int | None
    is_available: bool
    unread: bool
    is_referrer: bool
    referrer_id: str
    referred_id: str | None

    @classmethod
    def of(cls, earned: EarnedReward) -> ParticipantReward:
        fulfilled = earned.fulfilled_at is not None
        approved = earned.approved_at is not None
        return cls.model_construct(
            id=earned.earned_id,
            reward_id=earned.reward_id,
            status="FULFILLED" if fulfilled else "PENDING",
            approved=approved,
            approved_at=earned.approved_at,
            is_fulfilled=fulfilled,
            fulfilled_at=earned.fulfilled_at,
            is_available=approved and fulfilled,
            unread=True,
            is_referrer=earned.is_referrer,
            referrer_id=earned.referrer_id,
            referred_id=earned.referred_id,
        )


class ListRewards(Query):
    """`nextId` is the first reward of the page wanted."""

    limit: Limit = 10
    next_id: str | None = None


class ParticipantRewardList(Output):
    rewards: list[ParticipantReward]
    limit: int
    next_id: str | None

    @classmethod
    def of(cls, page: RewardPage, limit: int) -> ParticipantRewardList:
        shown = [ParticipantReward.of(reward) for reward in page.rewards]
        return cls.model_construct(rewards=shown, limit=limit, next_id=page.next_id)


class ApproveReward(Input):
    fulfill: bool = False


class RewardChanged(Output):
    success: bool
