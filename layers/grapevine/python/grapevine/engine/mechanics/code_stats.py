"""What has become of the codes of a campaign's batches: from counts, never by counting codes."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass

from grapevine import runtime
from grapevine.table.campaigns import Campaign
from grapevine.table.codes import CodeBatch, batches_and_counts_of, batches_of


@dataclass(frozen=True, slots=True, kw_only=True)
class CodeStats:
    """Every code is in one of `active`, `redeemed`, `expired` and `revoked`. The codes of prizes
    that were won are not among them."""

    total: int
    active: int
    redeemed: int
    expired: int
    revoked: int
    batches: int


@dataclass(frozen=True, slots=True)
class BatchPage:
    """Some of `total` batches."""

    batches: list[CodeBatch]
    total: int


def stats(campaign: Campaign) -> CodeStats:
    now = runtime.now_ms()
    batches, counts = batches_and_counts_of(campaign.campaign_id)
    redeemed, revoked = Counter[str](), Counter[str]()
    for count in counts:
        redeemed[count.batch_id] += count.redeemed
        revoked[count.batch_id] += count.revoked
    active = expired = 0
    for batch in batches:
        left = batch.batch_size - redeemed[batch.batch_id] - revoked[batch.batch_id]
        if batch.expires_at is not None and batch.expires_at <= now:
            expired += left
        else:
            active += left
    return CodeStats(
        total=sum(batch.batch_size for batch in batches),
        active=active,
        redeemed=redeemed.total(),
        expired=expired,
        revoked=revoked.total(),
        batches=len(batches),
    )


def batch_page(campaign: Campaign, page: int, limit: int) -> BatchPage:
    """The `page`-th (from 1) `limit` batches, newest first."""
    batches = batches_of(campaign.campaign_id)
    start = (page - 1) * limit
    return BatchPage(batches[start : start + limit], len(batches))
