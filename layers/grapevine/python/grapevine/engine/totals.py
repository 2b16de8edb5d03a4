"""A campaign's totals, kept from the stream of standings with exactly-once effect.

What has been counted of each participant is stored with the version of the standing that it was
counted from. A batch raises those records and adds the difference to the totals in one
transaction, each under the condition that the record is still the one that was read; so a
duplicate, an older version or a second worker adds nothing, in whatever order they come.
"""

from __future__ import annotations

from collections.abc import Iterable

from grapevine.engine.attempts import attempts
from grapevine.table import keys, store
from grapevine.table.campaigns import Totals
from grapevine.table.counted import Counted
from grapevine.table.standings import Standing
from grapevine.table.store import ABSENT, Add, Put, TransactionCanceled, Write, version

_MOST_AT_ONCE = 50


def changed_standing(image: store.Item) -> Standing:
    """The standing in a stream record. Raises KeyError or TypeError for anything else."""
    return Standing.from_item(image)


def campaign_of(standing: Standing) -> str:
    return standing.campaign_id


def project(campaign_id: str, changed: Iterable[Standing]) -> None:
    """Brings the campaign's totals up to these standings, all of the same campaign.

    Raises:
        Busy: some may have been counted; repeating is safe.
    """
    newest: dict[str, Standing] = {}
    for standing in changed:
        known = newest.get(standing.participant_id)
        if known is None or standing.version > known.version:
            newest[standing.participant_id] = standing
    waiting = list(newest.values())
    for start in range(0, len(waiting), _MOST_AT_ONCE):
        _count(campaign_id, waiting[start : start + _MOST_AT_ONCE])


def _count(campaign_id: str, standings: list[Standing]) -> None:
    for _ in attempts():
        found = store.get_many(
            keys.counted(campaign_id, standing.participant_id) for standing in standings
        )
        before = {
            counted.participant_id: counted for counted in map(Counted.from_item, found.values())
        }
        writes = _writes(campaign_id, standings, before)
        if not writes:
            return
        try:
            store.transact(writes)
        except TransactionCanceled:
            continue
        return


def _writes(campaign_id: str, standings: list[Standing], before: dict[str, Counted]) -> list[Write]:
    writes: list[Write] = []
    participants = referrals = 0
    for standing in standings:
        old = before.get(standing.participant_id)
        if old and old.version >= standing.version:
            continue
        new = _counted(standing)
        participants += new.participants - (old.participants if old else 0)
        referrals += new.referrals - (old.referrals if old else 0)
        writes.append(Put(new.to_item(), version(old.version) if old else ABSENT))
    if participants or referrals:
        amounts = {"participantCount": participants, "referralCount": referrals}
        writes.append(Add(keys.totals(campaign_id), Totals.TYPE, amounts))
    return writes


def _counted(standing: Standing) -> Counted:
    alive = standing.deleted_at is None
    return Counted(
        campaign_id=standing.campaign_id,
        participant_id=standing.participant_id,
        version=standing.version,
        participants=1 if alive else 0,
        referrals=standing.referral_count if alive else 0,
        expires_at=standing.expires_at,
    )
