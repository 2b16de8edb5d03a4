"""A campaign's totals: some from the rank index, the others kept here from the table's stream.

Participants and referrals are what the rank index counts anyway, so a credit costs nothing here.
The others are counted with exactly-once effect. What has been counted of an item is stored with the
version that it was counted from. A batch raises those records and adds the difference to the totals
in one transaction, each under the condition that the record is still the one that was read; so a
duplicate, an older version or a second worker adds nothing, in whatever order they come.

Totals can be counted anew while this goes on (`grapevine.engine.rebuild.recount`). Their item
says of which **generation** its sums are, and each Counted record of which one it is a part: the
sums contain the records of their own generation and later ones. While a recount is under way its
sums stand beside the others, as `recount…`, and contain the records of its generation. A
batch keeps both. Its addition holds only for the state of the counts (`version`) that it has read.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field, replace

from grapevine.engine.attempts import attempts
from grapevine.engine.ranks.snapshot import participants_in, referrals_in
from grapevine.table import keys, rank_keys, store
from grapevine.table.attributes import Item
from grapevine.table.campaigns import Totals
from grapevine.table.counted import Counted
from grapevine.table.impressions import Impressions
from grapevine.table.invitations import Invitations
from grapevine.table.keys import Key
from grapevine.table.ranks import RankHead
from grapevine.table.rewards import Earnings
from grapevine.table.store import TransactionCanceled
from grapevine.table.writes import ABSENT, Add, Put, Write, counted_in, version

_MOST_AT_ONCE = 50

NAMES = ("impressionCount", "inviteCount", "winnerCount")
"""The sums that are kept here."""

Source = Earnings | Impressions | Invitations

SOURCES: Mapping[type[Source], Callable[[str, str], Key]] = {
    Earnings: keys.earnings,
    Impressions: keys.impressions,
    Invitations: keys.invitations,
}
"""What `contribution` knows, one item of each kind for a participant, and where it lives."""


def total_keys(campaign_id: str) -> list[Key]:
    """What to read for `totals_in`."""
    return [keys.totals(campaign_id), rank_keys.rank_head(campaign_id)]


def totals_in(found: Mapping[Key, Item], campaign_id: str) -> Totals:
    """The campaign's totals among items already read; zeros before the first projection."""
    head = RankHead.found(campaign_id, found.get(rank_keys.rank_head(campaign_id)))
    item = found.get(keys.totals(campaign_id))
    return Totals(
        campaign_id=campaign_id,
        participant_count=participants_in(head),
        referral_count=referrals_in(head),
        impression_count=item.get("impressionCount", 0) if item else 0,
        invite_count=item.get("inviteCount", 0) if item else 0,
        winner_count=item.get("winnerCount", 0) if item else 0,
    )


def contribution(item: Source) -> Counted:
    """What a participant's earnings, the impressions of its link or its invitations add to the
    totals."""
    return Counted(
        campaign_id=item.campaign_id,
        participant_id=item.participant_id,
        source=item.TYPE,
        version=item.version,
        amounts=_amounts(item),
        expires_at=item.expires_at,
    )


def _amounts(item: Source) -> dict[str, int]:
    match item:
        case Earnings():
            return {"winnerCount": int(item.is_winner)}
        case Impressions():
            return {"impressionCount": item.total}
        case Invitations():
            return {"inviteCount": item.invite_count}


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


def recount_name(name: str) -> str:
    """Where a recount keeps the sum of this name."""
    return f"recount{name[0].upper()}{name[1:]}"


@dataclass(frozen=True, slots=True)
class State:
    """Of which generation a campaign's sums are, and of which those of a recount, if one is under
    way. `version` is None where nothing has been counted yet."""

    version: int | None = None
    generation: int = 0
    recount: int | None = None

    @classmethod
    def of(cls, item: Item | None) -> State:
        if item is None:
            return State()
        return State(item.get("version", 0), item.get("generation", 0), item.get("recount"))


@dataclass(slots=True)
class Tally:
    """The writes that bring records and sums from what was read to what should be."""

    campaign_id: str
    state: State
    sums: Counter[str] = field(default_factory=Counter)
    recounted: Counter[str] = field(default_factory=Counter)
    records: list[Write] = field(default_factory=list)
    depends_on_state: bool = False

    def change(self, new: Counted, old: Counted | None) -> None:
        """Counts `new` in place of `old`. A record that adds what it added before stays a part of
        the same generations: that is right whatever state the counts are in by then."""
        if old and old.amounts == new.amounts:
            self._put(new, old, old.generation)
        else:
            self.move(new, old)

    def move(self, new: Counted, old: Counted | None, contained: Counted | None = None) -> None:
        """The same, and makes the record a part of the newest generation. `contained` is what the
        sums contain, if it is not what the old record says."""
        before = contained or old
        self.depends_on_state |= any(new.amounts.values()) or any(
            old.amounts.values() if old else ()
        )
        self.sums.update(new.amounts)
        if before and before.generation >= self.state.generation:
            self.sums.subtract(before.amounts)
        if self.state.recount is None:
            self._put(new, old, self.state.generation)
            return
        self.recounted.update(new.amounts)
        if old and old.generation == self.state.recount:
            self.recounted.subtract(old.amounts)
        self._put(new, old, self.state.recount)

    def _put(self, new: Counted, old: Counted | None, generation: int) -> None:
        condition = counted_in(old.generation, old.version) if old else ABSENT
        self.records.append(Put(replace(new, generation=generation).to_item(), condition))

    def writes(self) -> list[Write]:
        """All in one transaction. Where a record that adds something has become a part of another
        generation, that must be the newest still, even if the differences cancel out."""
        if not self.depends_on_state:
            return self.records
        recounted = {recount_name(name): amount for name, amount in self.recounted.items()}
        return [*self.records, self._addition({**self.sums, **recounted})]

    def _addition(self, amounts: Mapping[str, int]) -> Write:
        key = keys.totals(self.campaign_id)
        if self.state.version is None:
            return Put({**first_totals(self.campaign_id), **amounts}, ABSENT)
        return Add(key, Totals.TYPE, amounts, version(self.state.version))


def first_totals(campaign_id: str) -> Item:
    """The item of a campaign in which nothing has been counted."""
    key = keys.totals(campaign_id)
    zeros = dict.fromkeys(NAMES, 0)
    return {
        "partition": key.partition,
        "sort": key.sort,
        "type": Totals.TYPE,
        "version": 0,
        "generation": 0,
        **zeros,
    }


def _count(campaign_id: str, contributions: list[Counted]) -> None:
    for _ in attempts():
        totals_key = keys.totals(campaign_id)
        found = store.get_many([totals_key, *(counted.key for counted in contributions)])
        tally = Tally(campaign_id, State.of(found.pop(totals_key, None)))
        for new in contributions:
            old = Counted.from_item(found[new.key]) if new.key in found else None
            if old is None or old.version < new.version:
                tally.change(new, old)
        if not tally.records:
            return
        try:
            store.transact(tally.writes())
        except TransactionCanceled:
            continue
        return
