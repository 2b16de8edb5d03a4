"""Counting one view or share: one transaction on the participant's impressions, the visitor and
the source.

Each of the three carries the version that was read as its condition. So a view is counted once as
unique however many of a visitor's requests come at the same time, no bound is overrun, and nothing
is counted for a participant who is deleted meanwhile.
"""

from __future__ import annotations

from collections.abc import Mapping

from grapevine import runtime
from grapevine.engine.attempts import attempts
from grapevine.engine.tracking import rules
from grapevine.engine.tracking.rules import HOUR_MS, Action, Counters
from grapevine.engine.tracking.visits import Identity
from grapevine.table import keys, store
from grapevine.table.attributes import Item
from grapevine.table.impressions import Impressions, SourceHour, Visitor
from grapevine.table.keys import Key
from grapevine.table.standings import Standing
from grapevine.table.store import TransactionCanceled
from grapevine.table.writes import ABSENT, Check, Put, Write, version


def count(
    campaign_id: str,
    participant_id: str,
    who: Identity,
    action: Action,
    *,
    window_ms: int,
    within_seconds: float,
) -> bool:
    """Whether the action is counted, by this call or by an earlier one of the same request.

    Raises:
        Busy: it was not; a repetition is safe.
    """
    standing_key = keys.standing(campaign_id, participant_id)
    for _ in attempts(within_seconds):
        now = runtime.now_ms()
        hour = now // HOUR_MS
        found = store.get_many(
            [
                standing_key,
                keys.impressions(campaign_id, participant_id),
                keys.visitor(campaign_id, who.visitor_hash, participant_id),
                keys.source_hour(campaign_id, who.source_hash, hour),
            ]
        )
        standing = Standing.from_item(found[standing_key]) if standing_key in found else None
        if standing is None or standing.deleted_at is not None:
            return False
        before = _counters(found, standing, who, hour)
        if rules.is_repeated(before.visitor, action):
            return True
        if before.impressions.deleted_at or not rules.has_room(
            before, action, now, who.source_limit
        ):
            return False
        after = rules.counted(before, action, now, window_ms)
        try:
            store.transact(_writes(standing, before, after))
        except TransactionCanceled:
            continue
        return True
    raise AssertionError("attempts() ends by raising Busy")


def _counters(found: Mapping[Key, Item], standing: Standing, who: Identity, hour: int) -> Counters:
    campaign_id = standing.campaign_id
    visitor = Visitor(
        campaign_id=campaign_id,
        visitor_hash=who.visitor_hash,
        participant_id=standing.participant_id,
    )
    source = SourceHour(
        campaign_id=campaign_id,
        source_hash=who.source_hash,
        hour=hour,
        expires_at=(hour + 1) * HOUR_MS // 1000 + 1,
    )
    return Counters(
        rules.impressions_in(found, standing),
        Visitor.from_item(found[visitor.key]) if visitor.key in found else visitor,
        SourceHour.from_item(found[source.key]) if source.key in found else source,
    )


def _writes(standing: Standing, before: Counters, after: Counters) -> list[Write]:
    writes: list[Write] = [
        _write(before.impressions, after.impressions),
        _write(before.visitor, after.visitor),
        _write(before.source, after.source),
    ]
    if not before.impressions.version:
        # From here on the item itself says that the participant is there.
        writes.append(Check(standing.key, version(standing.version)))
    return writes


Counter = Impressions | Visitor | SourceHour


def _write(before: Counter, after: Counter) -> Put:
    """`before` as it was read; its version is 0 where there was no item."""
    return Put(after.to_item(), version(before.version) if before.version else ABSENT)
