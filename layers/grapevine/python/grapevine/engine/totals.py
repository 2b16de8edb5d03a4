"""A campaign's totals, kept from the table's stream with exactly-once effect.

What has been counted of an item is stored with the version that it was counted from. A batch raises
those records and adds the difference to the totals in one transaction, each under the condition
that the record is still the one that was read; so a duplicate, an older version or a second worker
adds nothing, in whatever order they come.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable

from grapevine.engine.attempts import attempts
from grapevine.table import keys, store
from grapevine.table.attributes import Change
from grapevine.table.campaigns import Totals
from grapevine.table.counted import Counted
from grapevine.table.impressions import Impressions
from grapevine.table.rewards import Earnings
from grapevine.table.standings import Standing
from grapevine.table.store import ABSENT, Add, Put, TransactionCanceled, Write, version

_MOST_AT_ONCE = 50


def contribution(change: Change) -> Counted:
    """What the item in a stream record adds to the totals. Raises KeyError or TypeError for an
    item that is not counted."""
    image = change.new
    if image["type"] == Earnings.TYPE:
        earnings = Earnings.from_item(image)
        amounts = {"winnerCount": int(earnings.is_winner)}
        return _counted(earnings, amounts)
    if image["type"] == Impressions.TYPE:
        impressions = Impressions.from_item(image)
        return _counted(impressions, {"impressionCount": impressions.total})
    standing = Standing.from_item(image)
    alive = standing.deleted_at is None
    amounts = {
        "participantCount": int(alive),
        "referralCount": standing.referral_count if alive else 0,
    }
    return _counted(standing, amounts)


def _counted(item: Standing | Earnings | Impressions, amounts: dict[str, int]) -> Counted:
    return Counted(
        campaign_id=item.campaign_id,
        participant_id=item.participant_id,
        source=item.TYPE,
        version=item.version,
        amounts=amounts,
        expires_at=item.expires_at,
    )


def campaign_of(counted: Counted) -> str:
    return counted.campaign_id


def project(campaign_id: str, changed: Iterable[Counted]) -> None:
    """Brings the campaign's totals up to these contributions, all to the same campaign.

    Raises:
        Busy: some may have been counted; repeating is safe.
    """
    newest: dict[keys.Key, Counted] = {}
    for counted in changed:
        known = newest.get(counted.key)
        if known is None or counted.version > known.version:
            newest[counted.key] = counted
    waiting = list(newest.values())
    for start in range(0, len(waiting), _MOST_AT_ONCE):
        _count(campaign_id, waiting[start : start + _MOST_AT_ONCE])


def _count(campaign_id: str, contributions: list[Counted]) -> None:
    for _ in attempts():
        found = store.get_many(counted.key for counted in contributions)
        before = {key: Counted.from_item(item) for key, item in found.items()}
        writes = _writes(campaign_id, contributions, before)
        if not writes:
            return
        try:
            store.transact(writes)
        except TransactionCanceled:
            continue
        return


def _writes(
    campaign_id: str, contributions: list[Counted], before: dict[keys.Key, Counted]
) -> list[Write]:
    writes: list[Write] = []
    differences: Counter[str] = Counter()
    for new in contributions:
        old = before.get(new.key)
        if old and old.version >= new.version:
            continue
        differences.update(new.amounts)
        differences.subtract(old.amounts if old else {})
        writes.append(Put(new.to_item(), version(old.version) if old else ABSENT))
    amounts = {name: amount for name, amount in differences.items() if amount}
    if amounts:
        writes.append(Add(keys.totals(campaign_id), Totals.TYPE, amounts))
    return writes
