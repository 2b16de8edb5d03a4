"""The names by which an account's campaigns are called in addresses: each of one campaign only."""

from __future__ import annotations

from grapevine.errors import InvalidRequest, Problem
from grapevine.table import keys, store
from grapevine.table.campaigns import Campaign, CampaignSlug
from grapevine.table.store import TransactionCanceled
from grapevine.table.writes import ABSENT, PRESENT, Delete, Put, Write

PATTERN = r"^[a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?$"
RESERVED = frozenset({"codes"})
"""What stands in the place of a slug in the routes of the API."""


def writes_for(before: Campaign | None, after: Campaign) -> list[Write]:
    """What goes with a campaign that is made (`before` None), changed or deleted, in its
    transaction: a slug is taken with it, and free again with it."""
    held, wanted = (_held(before) if before else None), _held(after)
    if held == wanted:
        return []
    writes: list[Write] = []
    if held is not None:
        writes.append(Delete(held.key, PRESENT))
    if wanted is not None:
        writes.append(Put(wanted.to_item(), ABSENT))
    return writes


def refuse_taken(campaign: Campaign, lost: TransactionCanceled) -> None:
    """After a lost transaction: another attempt would lose again where it was for the slug alone.

    Raises:
        InvalidRequest: another campaign of the account has the slug.
    """
    wanted = _held(campaign)
    if wanted is None or wanted.key not in lost.failed or campaign.key in lost.failed:
        return
    message = f"Another campaign of this account has the slug {wanted.slug}."
    raise InvalidRequest(message, Problem("body", "slug", "slug_taken", message, wanted.slug))


def _held(campaign: Campaign) -> CampaignSlug | None:
    if campaign.slug is None or campaign.status == "DELETED":
        return None
    return CampaignSlug(
        account_id=campaign.account_id, slug=campaign.slug, campaign_id=campaign.campaign_id
    )


def campaign_id_of(account_id: str, slug: str) -> str | None:
    """The id of the account's campaign with the slug."""
    item = store.get(keys.campaign_slug(account_id, slug)) if keys.is_id(slug) else None
    return CampaignSlug.from_item(item).campaign_id if item else None
