"""Pages of referrals and invites, of a campaign or of a participant.

A list shows the status that is stored: a credit window that has ended shows when the sweep has
written it, a minute later at most. Referrals of a participant who was deleted show until the
clean-up, some minutes later.
"""

from __future__ import annotations

from dataclasses import dataclass, field

from grapevine.engine.participants.lookup import Participant
from grapevine.engine.referral_lists.finding import with_email, with_id
from grapevine.engine.referral_lists.gathering import gather
from grapevine.engine.referral_lists.orders import (
    ORDERS,
    Filters,
    Order,
    SortBy,
    Start,
    cursor_of,
    in_order,
    row_id_in,
    start_in,
    start_of,
)
from grapevine.engine.referral_lists.patience import Patience
from grapevine.engine.referral_lists.walking import Walk, can_walk, each_once
from grapevine.table.campaigns import Campaign
from grapevine.table.referral_rows import Row, Scope, completed


@dataclass(frozen=True, slots=True, kw_only=True)
class Wanted:
    """A page: `next_id` counts more than `offset`."""

    sort_by: SortBy = "updatedAt"
    descending: bool = True
    limit: int = 10
    offset: int = 0
    next_id: str | None = None
    filters: Filters = field(default_factory=Filters)


@dataclass(frozen=True, slots=True)
class Page:
    """`next_id` and `next_offset` lead to the next page; both None on the last one, and the offset
    also on pages that were not found by one. A page may be shorter than its limit where rows have
    gone away while it was read."""

    rows: list[Row]
    next_id: str | None = None
    next_offset: int | None = None


def of_campaign(campaign: Campaign, wanted: Wanted) -> Page:
    """A page of all that participants of the campaign have brought about. Raises as `page`."""
    return page(Scope(campaign.campaign_id), wanted)


def of_participant(participant: Participant, wanted: Wanted) -> Page:
    """A page of what one participant has brought about. Raises as `page`."""
    return page(Scope(participant.profile.campaign_id, participant.participant_id), wanted)


def page(scope: Scope, wanted: Wanted, patience: Patience | None = None) -> Page:
    """The page. A cursor of another order, or a bare row id, begins where its row stands; one that
    no row of the scope ever had gives an empty page.

    Raises:
        InvalidRequest: it takes too long.
    """
    order, start = ORDERS[wanted.sort_by], None
    if wanted.next_id is not None:
        start = _start(scope, order, wanted.next_id)
        if start is None:
            return Page([])
    patience = patience or Patience()
    offset = wanted.offset if start is None else 0
    rows, following = _found(scope, order, wanted, start, offset, patience)
    if following is None:
        return Page(rows)
    next_offset = offset + wanted.limit if start is None else None
    return Page(rows, cursor_of(order, following), next_offset)


def _found(
    scope: Scope,
    order: Order,
    wanted: Wanted,
    start: Start | None,
    offset: int,
    patience: Patience,
) -> tuple[list[Row], Start | None]:
    """The rows of the page, and the first place of the next one."""
    filters, limit = wanted.filters, wanted.limit
    if not filters.names_anybody and can_walk(order, filters.status):
        way = Walk(
            scope=scope,
            order=order,
            descending=wanted.descending,
            status=filters.status,
            patience=patience,
        )
        steps = way.steps(start, offset, limit + 1)
        rows = completed(each_once(steps[:limit]))
        return rows, steps[limit].start if len(steps) > limit else None
    matching = [row for row in _candidates(scope, filters, patience) if filters.match(row)]
    ordered = in_order(matching, order, descending=wanted.descending, start=start)
    found = ordered[offset : offset + limit + 1]
    return found[:limit], start_of(order, found[limit]) if len(found) > limit else None


def _candidates(scope: Scope, filters: Filters, patience: Patience) -> list[Row]:
    if filters.email is None:
        return gather(scope, filters.status, patience)
    row = with_email(scope, filters.email)
    return [row] if row else []


def _start(scope: Scope, order: Order, cursor: str) -> Start | None:
    start = start_in(order, cursor)
    if start is not None:
        return start
    row = with_id(scope, row_id_in(cursor))
    return start_of(order, row) if row else None
