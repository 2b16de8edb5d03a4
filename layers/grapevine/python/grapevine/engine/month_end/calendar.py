"""Which months a campaign has to close: from the one in which it goes live to that of its end.

Pure rules, and the one write that belongs into the transaction that starts or ends a campaign.
"""

from __future__ import annotations

from dataclasses import replace

from grapevine import runtime
from grapevine.months import month_at, start_of
from grapevine.table import keys, store
from grapevine.table.campaigns import Campaign
from grapevine.table.due import month_end_shard_of
from grapevine.table.month_end import Calendar
from grapevine.table.writes import ABSENT, Delete, Put, Write, version

GRACE_MS = 5 * 60 * 1000
"""From the end of a month until it is closed. A credit belongs to the month of its transaction's
clock, which is read up to 20 s before the commit; then the boards' indexes follow in moments."""

IN_FLIGHT_MS = 60 * 1000
"""For so long after an end, credits may be committed by requests that saw the campaign live."""


def opened(before: Calendar | None, campaign_id: str, month: int) -> Calendar:
    """The campaign goes live in `month`. What was still to be closed of an earlier life stays."""
    months = before.months if before else ()
    if month not in months:
        months = (*months, month)
    return Calendar(
        campaign_id=campaign_id,
        version=before.version + 1 if before else 0,
        months=months,
        is_live=True,
        due_shard=month_end_shard_of(campaign_id),
        due_at=_due_at(months),
    )


def ended(before: Calendar, month: int) -> Calendar:
    """The campaign ends in `month`, which is the last one to be closed."""
    following = range(before.months[-1] + 1, month + 1)
    return replace(
        before,
        version=before.version + 1,
        months=(*before.months, *following),
        is_live=False,
    )


def after_first(before: Calendar) -> Calendar | None:
    """The first month has been closed. None when nothing is left to be closed."""
    months = before.months[1:]
    if not months and before.is_live:
        months = (before.months[0] + 1,)
    if not months:
        return None
    return replace(before, months=months, due_at=_due_at(months))


def _due_at(months: tuple[int, ...]) -> int:
    return start_of(months[0] + 1) + GRACE_MS


def replacement(before: Calendar, after: Calendar | None) -> Write:
    """Puts the calendar that follows in the place of the one that was read."""
    if after is None:
        return Delete(before.key, version(before.version))
    return Put(replace(after, version=before.version + 1).to_item(), version(before.version))


def writes_for(before: Campaign, after: Campaign) -> list[Write]:
    """What a campaign's start or end changes in its calendar; nothing for any other change.

    A campaign that has been live since before there were calendars gets one at its end.
    """
    if before.is_in_progress == after.is_in_progress:
        return []
    item = store.get(keys.calendar(after.campaign_id))
    calendar = Calendar.from_item(item) if item else None
    now = runtime.now_ms()
    if after.is_in_progress:
        following = opened(calendar, after.campaign_id, month_at(now))
    else:
        live = calendar or opened(None, after.campaign_id, month_at(now))
        following = ended(live, month_at(now + IN_FLIGHT_MS))
    return [Put(following.to_item(), version(calendar.version) if calendar else ABSENT)]
