"""Codes as the GamifyHost API takes and shows them."""

from __future__ import annotations

from typing import Annotated, Any, Literal

from pydantic import AfterValidator, BeforeValidator, Field

from grapevine.engine.mechanics.batches import LARGEST_BATCH, Generated
from grapevine.engine.mechanics.code_stats import BatchPage, CodeStats
from grapevine.engine.mechanics.fields import (
    MOST_POINTS,
    Instant,
    Name,
    instant_text,
    whole,
)
from grapevine.engine.mechanics.redeeming import Redeemed
from grapevine.engine.mechanics.reversing import Reversed
from grapevine.engine.mechanics.verifying import Verified
from grapevine.engine.program import installation_of
from grapevine.http.models.event_fields import Lenient, UserId, not_blank
from grapevine.http.models.fields import Limit, Output, Query
from grapevine.http.models.gamifyhost import MilestoneReached, Repeatable
from grapevine.table.campaigns import Campaign
from grapevine.table.codes import CodeBatch

DEFAULT_LIMIT = 20

Slug = Annotated[str, Field(min_length=1, max_length=100)]
CodeText = Annotated[str, Field(min_length=1, max_length=100), AfterValidator(not_blank)]
Page = Annotated[int, Field(ge=1, le=1_000_000)]


class GenerateCodes(Repeatable):
    """Each code of the batch is worth `pointsValue`, until `expiresAt` if that is given."""

    slug: Slug
    batch_size: Annotated[int, BeforeValidator(whole), Field(ge=1, le=LARGEST_BATCH)]
    points_value: Annotated[int, BeforeValidator(whole), Field(ge=1, le=MOST_POINTS)]
    label: Name | None = None
    expires_at: Instant | None = None


class ShownBatch(Output):
    id: str
    campaign_id: str
    batch_size: int
    points_value: int
    label: str | None
    expires_at: str | None
    created_at: str

    @classmethod
    def of(cls, batch: CodeBatch) -> ShownBatch:
        return cls(
            id=batch.batch_id,
            campaign_id=batch.campaign_id,
            batch_size=batch.batch_size,
            points_value=batch.points_value,
            label=batch.label,
            expires_at=instant_text(batch.expires_at) if batch.expires_at is not None else None,
            created_at=instant_text(batch.created_at),
        )


class GeneratedCodes(Output):
    """The only time that the codes are shown, but for a repetition of the request with the same
    key. `gameUrl` is the page that the campaign's share links lead to."""

    batch: ShownBatch
    codes: list[str]
    count: int
    game_url: str | None

    @classmethod
    def of(cls, campaign: Campaign, generated: Generated) -> GeneratedCodes:
        return cls(
            batch=ShownBatch.of(generated.batch),
            codes=generated.codes,
            count=len(generated.codes),
            game_url=installation_of(campaign).share_url,
        )


class VerifyCode(Lenient):
    code: CodeText


class VerifiedCode(Output):
    """Of a code that does not exist, or is another account's, `status` and names are empty.
    `expired` says that the campaign has ended."""

    valid: bool
    status: Literal["", "ACTIVE", "REDEEMED", "EXPIRED", "REVOKED"]
    points_value: int
    campaign_name: str
    campaign_slug: str
    expired: bool
    message: str

    @classmethod
    def of(cls, verified: Verified) -> VerifiedCode:
        campaign = verified.campaign
        return cls(
            valid=verified.is_valid,
            status=verified.status,
            points_value=verified.points_value,
            campaign_name=campaign.name if campaign else "",
            campaign_slug=(campaign.slug or "") if campaign else "",
            expired=verified.has_ended,
            message=verified.message,
        )


class BatchesQuery(Query):
    slug: Slug
    page: Page = 1
    limit: Limit = DEFAULT_LIMIT


class CodeBatches(Output):
    """Newest first."""

    batches: list[ShownBatch]
    total: int
    page: int
    limit: int

    @classmethod
    def of(cls, found: BatchPage, query: BatchesQuery) -> CodeBatches:
        return cls(
            batches=[ShownBatch.of(batch) for batch in found.batches],
            total=found.total,
            page=query.page,
            limit=query.limit,
        )


class StatsQuery(Query):
    slug: Slug


class ShownCodeStats(Output):
    """Of the codes in batches; each is either active, redeemed, expired or revoked."""

    total_codes: int
    active_codes: int
    redeemed_codes: int
    expired_codes: int
    revoked_codes: int
    total_batches: int

    @classmethod
    def of(cls, found: CodeStats) -> ShownCodeStats:
        return cls(
            total_codes=found.total,
            active_codes=found.active,
            redeemed_codes=found.redeemed,
            expired_codes=found.expired,
            revoked_codes=found.revoked,
            total_batches=found.batches,
        )


class RedeemCode(Repeatable):
    user_id: UserId
    code: CodeText


class RedeemedCode(Output):
    """`pointsEarned` is what the code is worth and what the milestones give that it has reached;
    `milestones` is there where there are any. `prizeTier` is the prize whose code it is."""

    code: str
    points_earned: int
    total_points: int
    prize_tier: str | None
    milestones: list[MilestoneReached] | None = None
    message: str

    @classmethod
    def of(cls, redeemed: Redeemed) -> RedeemedCode:
        outcome, given = redeemed.outcome, dict[str, Any]()
        if outcome.milestones:
            given["milestones"] = [MilestoneReached.of(each) for each in outcome.milestones]
        return cls(
            code=redeemed.code,
            points_earned=outcome.points_earned,
            total_points=outcome.total_points,
            prize_tier=redeemed.prize_tier,
            message="Code redeemed successfully",
            **given,
        )


class ReverseEvent(Lenient):
    user_id: UserId


class ReversedEvent(Output):
    """`pointsReversed` were taken away; `pointsUncovered` could not be, because a total is never
    below zero. `codeStatus` is what became of the code that the event won or redeemed."""

    event_id: str
    user_id: str
    points_reversed: int
    points_uncovered: int
    total_points: int
    code_status: str | None
    reversed_at: str
    message: str

    @classmethod
    def of(cls, found: Reversed) -> ReversedEvent:
        reversal = found.reversal
        return cls(
            event_id=reversal.event_id,
            user_id=reversal.user_id,
            points_reversed=reversal.points,
            points_uncovered=reversal.uncovered,
            total_points=reversal.total_points,
            code_status=reversal.code_status,
            reversed_at=instant_text(reversal.at),
            message="Event reversed successfully",
        )
