"""What a view or a share changes, and when it is not counted any more: pure rules.

Bounds are per fixed hour. Whoever is over one is sent on as ever; only the count stands still.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace

from grapevine.table import keys
from grapevine.table.attributes import Item
from grapevine.table.impressions import Impressions, SourceHour, Visitor
from grapevine.table.keys import Key
from grapevine.table.standings import Standing

HOUR_MS = 60 * 60 * 1000

IMPRESSIONS_OF_A_VISITOR = 30
"""An hour, for one participant's link."""

SHARES_OF_A_VISITOR = 20
"""An hour, for one participant."""

COUNTS_OF_AN_ADDRESS = 600
"""Impressions and shares an hour in one campaign: an office behind one address has room."""

COUNTS_WITHOUT_ADDRESSES = 6000
"""The same for one participant, where addresses are not stored (GDPR mode)."""

_REMEMBERED_REQUESTS = 5


@dataclass(frozen=True, slots=True)
class Action:
    """A view, or a share through a channel. A request that comes twice has the same id."""

    channel: str | None = None
    request_id: str | None = None


@dataclass(frozen=True, slots=True)
class Counters:
    """The three items that one action changes."""

    impressions: Impressions
    visitor: Visitor
    source: SourceHour


def impressions_in(found: Mapping[Key, Item], standing: Standing) -> Impressions:
    """The participant's impressions among items already read; empty where there are none yet."""
    item = found.get(keys.impressions(standing.campaign_id, standing.participant_id))
    if item is not None:
        return Impressions.from_item(item)
    return Impressions(
        campaign_id=standing.campaign_id,
        participant_id=standing.participant_id,
        join_sequence=standing.join_sequence,
    )


def is_repeated(visitor: Visitor, action: Action) -> bool:
    """Whether this very request has been counted before."""
    return action.request_id is not None and action.request_id in visitor.recent_requests


def has_room(counters: Counters, action: Action, now: int, source_limit: int) -> bool:
    """Whether neither the visitor nor the source has used up its hour."""
    if counters.source.count >= source_limit:
        return False
    visitor = counters.visitor
    if visitor.hour != now // HOUR_MS:
        return True
    if action.channel:
        return visitor.shares_in_hour < SHARES_OF_A_VISITOR
    return visitor.impressions_in_hour < IMPRESSIONS_OF_A_VISITOR


def counted(before: Counters, action: Action, now: int, window_ms: int) -> Counters:
    """The counters after the action. A visitor counts as unique again when `window_ms` have passed
    since its first visit."""
    visitor = before.visitor
    is_first = not action.channel and (visitor.seen_until or 0) <= now
    return Counters(
        _impressions(before.impressions, action, now, is_first=is_first),
        _visitor(visitor, action, now, now + window_ms if is_first else visitor.seen_until),
        replace(before.source, version=before.source.version + 1, count=before.source.count + 1),
    )


def _impressions(before: Impressions, action: Action, now: int, *, is_first: bool) -> Impressions:
    after = replace(before, version=before.version + 1, last_share=None, last_share_at=None)
    if action.channel:
        shares = {**before.shares, action.channel: before.shares.get(action.channel, 0) + 1}
        return replace(after, shares=shares, last_share=action.channel, last_share_at=now)
    return replace(after, total=before.total + 1, unique=before.unique + int(is_first))


def _visitor(before: Visitor, action: Action, now: int, seen_until: int | None) -> Visitor:
    hour = now // HOUR_MS
    fresh = before.hour != hour
    requests = before.recent_requests
    if action.request_id:
        requests = (*requests, action.request_id)[-_REMEMBERED_REQUESTS:]
    return replace(
        before,
        version=before.version + 1,
        seen_until=seen_until,
        hour=hour,
        impressions_in_hour=(0 if fresh else before.impressions_in_hour) + (not action.channel),
        shares_in_hour=(0 if fresh else before.shares_in_hour) + bool(action.channel),
        recent_requests=requests,
        expires_at=max(seen_until or 0, (hour + 1) * HOUR_MS) // 1000 + 1,
    )
