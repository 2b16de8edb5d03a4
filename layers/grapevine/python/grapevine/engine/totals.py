"""A campaign's totals: some from the rank index, the others kept here from the table's stream.

Participants and referrals are what the rank index counts anyway, so a credit costs nothing here.
The others are counted with exactly-once effect. What has been counted of an item is stored with the
version that it was counted from. A batch raises those records and adds the difference to the totals
in one transaction, each under the condition that the record is still the one that was read; so a
duplicate, an older version or a second worker adds nothing, in whatever order they come.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping

from grapevine.engine.attempts import attempts
from grapevine.engine.ranks.snapshot import participants_in, referrals_in
from grapevine.table import keys, store
from grapevine.table.attributes import Item
from grapevine.table.campaigns import Totals
from grapevine.table.counted import Counted
from grapevine.table.impressions import Impressions
from grapevine.table.keys import Key
from grapevine.table.ranks import RankHead
from grapevine.table.rewards import Earnings
from grapevine.table.store import TransactionCanceled
from grapevine.table.writes import ABSENT, Add, Put, Write, version

_MOST_AT_ONCE = 50


def total_keys(campaign_id: str) -> list[Key]:
    """What to read for `totals_in`."""
    return [keys.totals(campaign_id), keys.rank_head(campaign_id)]


def totals_in(found: Mapping[Key, Item], campaign_id: str) -> Totals:
    """The campaign's totals among items already read; zeros before the first projection."""
    head = RankHead.found(campaign_id, found.get(keys.rank_head(campaign_id)))
    item = found.get(keys.totals(campaign_id))
    return Totals(
        campaign_id=campaign_id,
        participant_count=participants_in(head),
        referral_count=referrals_in(head),
        impression_count=item.get("impressionCount", 0) if item else 0,
        winner_count=item.get("winnerCount", 0) if item else 0,
    )


def contribution(item: Earnings | Impressions) -> Counted:
    """What a participant's earnings, or the impressions of its link, add to the totals."""
    amounts = (
        {"winnerCount": int(item.is_winner)}
        if isinstance(item, Earnings)
        else {"impressionCount": item.total}
    )
    return Counted(
        campaign_id=item.campaign_id,
        participant_id=item.participant_id,
        source=item.TYPE,
        version=item.version,
        amounts=amounts,
        expires_at=item.expires_at,
    )


def count(campaign_id: str, changed: Iterable[Counted]) -> None:
    """Brings the campaign's own totals up to these contributions, all to the same campaign.

    Raises:
        Busy: some may have been counted; repeating is safe.
    """
    newest: dict[Key, Counted] = {}
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
    campaign_id: str, contributions: list[Counted], before: dict[Key, Counted]
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
