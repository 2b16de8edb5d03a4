"""How much has been invited: by a participant, and by a campaign on one day.

Room of a campaign's day is reserved before it is used. A request that dies in between leaves its
reservation, so a day may send fewer than the limit, and never more.
"""

from __future__ import annotations

from collections.abc import Mapping

from grapevine.months import DAY_MS
from grapevine.table import keys, store
from grapevine.table.attributes import Item
from grapevine.table.invitations import Invitations, InviteDay
from grapevine.table.keys import Key
from grapevine.table.standings import Standing
from grapevine.table.store import TransactionCanceled
from grapevine.table.writes import ABSENT

_KEPT_DAYS = 3


def day_at(time_ms: int) -> int:
    """Days since the epoch, in UTC."""
    return time_ms // DAY_MS


def invitations_in(found: Mapping[Key, Item], standing: Standing) -> Invitations:
    """The participant's invitations among items already read; none where there is no item."""
    item = found.get(keys.invitations(standing.campaign_id, standing.participant_id))
    if item is not None:
        return Invitations.from_item(item)
    return Invitations(campaign_id=standing.campaign_id, participant_id=standing.participant_id)


def reserve(campaign_id: str, day: int, wanted: int, reserved: int, limit: int) -> int | None:
    """How many of `wanted` are reserved now, given what was last seen of the day (`reserved`); None
    when that has changed so far that it must be looked at again."""
    granted = min(wanted, limit - reserved)
    if granted <= 0:
        return 0
    try:
        return granted if _add(campaign_id, day, granted, limit) else None
    except TransactionCanceled:
        return None


def _add(campaign_id: str, day: int, number: int, limit: int) -> bool:
    new = InviteDay(
        campaign_id=campaign_id,
        day=day,
        reserved=number,
        expires_at=(day + _KEPT_DAYS) * DAY_MS // 1000,
    )
    values = {":number": number, ":most": limit - number}
    condition = "reserved <= :most"
    if store.change(new.key, "SET reserved = reserved + :number", values, condition) is not None:
        return True
    return store.put(new.to_item(), ABSENT)
