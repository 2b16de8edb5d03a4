"""The indexes that list referrals and invites: a participant's (local, strongly consistent) and a
campaign's (global), each by status and time, by creation and by e-mail address.

A row is a referral or an invite. All rows of a campaign are in one list; those by status are in a
list for each status.
"""

from __future__ import annotations

from typing import Literal

from grapevine.table import places
from grapevine.table.attributes import Item
from grapevine.table.store import Index

RowStatus = Literal["CREDIT_PENDING", "CREDIT_AWARDED", "CREDIT_EXPIRED", "INVITE_SENT"]

MASKED_EMAIL = "*" * 15
"""What stands for the address of somebody who has not joined (growsurf); invites sort by it."""

BY_STATUS = Index("byStatus", "partition", "statusPlace")
BY_CREATED = Index("byCreated", "partition", "createdPlace")
BY_EMAIL = Index("byEmail", "partition", "emailPlace")
CAMPAIGN_BY_STATUS = Index("campaignByStatus", "statusList", "statusPlace")
CAMPAIGN_BY_CREATED = Index("campaignByCreated", "referralList", "createdPlace")
CAMPAIGN_BY_EMAIL = Index("campaignByEmail", "referralList", "emailPlace")


def index_entries(
    campaign_id: str,
    row_id: str,
    *,
    status: RowStatus,
    created_at: int,
    updated_at: int,
    sorted_email: str,
) -> Item:
    """The index attributes of a row; times in ms. `sorted_email` is the address as it is compared,
    or the mask."""
    return {
        "referralList": places.referral_list(campaign_id),
        "statusList": places.referral_list_with(campaign_id, status),
        "statusPlace": places.by_status(status, updated_at, row_id),
        "createdPlace": places.by_created(created_at, row_id),
        "emailPlace": places.by_email(sorted_email, row_id),
    }
