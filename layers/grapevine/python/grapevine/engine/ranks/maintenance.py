"""Keeping the rank index: standings become batches by the rules of `batch`, and visible by the
protocol of `protocol`."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import replace

from grapevine import runtime
from grapevine.engine.ranks.batch import KEPT_MONTHS, Batch, Effects, effects, plan
from grapevine.engine.ranks.boards import Boards, added_up, laid_over, since, values_at
from grapevine.engine.ranks.codec import decode, encode
from grapevine.engine.ranks.protocol import Index, Work, bring_in, is_applied, newest
from grapevine.engine.ranks.tree import SHAPE, Node, Shape
from grapevine.months import month_at
from grapevine.table import rank_keys, store
from grapevine.table.attributes import Item
from grapevine.table.keys import Key
from grapevine.table.ranks import RankBlock, RankHead, RankJournal, RankNode, RankPart
from grapevine.table.standings import Standing
from grapevine.table.writes import ABSENT, version

MOST_AT_ONCE = 500
"""Participants in a batch: some 12 KB of journal, and half a second of puts at most."""


def maintain(campaign_id: str, standings: Iterable[Standing], shape: Shape = SHAPE) -> None:
    """The index counts these standings, or newer ones of the same participants.

    Raises:
        Busy: some may be counted; repeating is safe.
    """
    waiting = newest(standings, lambda one: one.join_sequence)
    for start in range(0, len(waiting), MOST_AT_ONCE):
        bring_in(_Ranks(campaign_id, shape, waiting[start : start + MOST_AT_ONCE]))


class _Ranks(Index[RankHead, RankJournal]):
    """The rank index of a campaign, and standings that are to come into it."""

    def __init__(self, campaign_id: str, shape: Shape, standings: list[Standing]) -> None:
        self._campaign_id, self._shape, self._standings = campaign_id, shape, standings
        self._numbers = {shape.place_of(one.join_sequence)[0] for one in standings}

    @property
    def head_key(self) -> Key:
        return rank_keys.rank_head(self._campaign_id)

    def head(self, item: Item | None) -> RankHead:
        return RankHead.found(self._campaign_id, item)

    def journal_key(self, head: RankHead) -> Key:
        return rank_keys.rank_journal(self._campaign_id, head.generation)

    def journal(self, item: Item) -> RankJournal:
        return RankJournal.from_item(item)

    def planned_from(self, head: RankHead) -> Iterable[Key]:
        return [_block_key(head, number) for number in self._numbers]

    def plan(self, head: RankHead, found: Mapping[Key, Item]) -> RankJournal | None:
        contents = {one: _content(found.get(_block_key(head, one))) for one in self._numbers}
        month = max(month_at(runtime.now_ms()), head.month)
        batch = plan(self._standings, contents, month, self._shape)
        return _prepared(head, batch, month) if batch else None

    def work(
        self, head: RankHead, journal: RankJournal, known: Mapping[Key, Item | None]
    ) -> Work[RankHead]:
        batch = Batch(decode(journal.before), decode(journal.after))
        work = effects(batch, self._shape)
        parts = _parts(head, work)
        found = {**known, **store.get_many(key for key in parts if key not in known)}
        puts = []
        for key, (empty, changes) in parts.items():
            item = found.get(key)
            before = type(empty).from_item(item) if item else empty
            if not is_applied(journal, before):
                after = _changed(before, changes, journal)
                puts.append((after, version(before.version) if item else ABSENT))
        return Work(puts, _published(head, journal, batch, work))


def _block_key(head: RankHead, number: int) -> Key:
    return rank_keys.rank_block(head.campaign_id, head.generation, number)


def _content(item: Item | None) -> Boards:
    return decode(RankBlock.from_item(item).content) if item else {}


def _prepared(head: RankHead, batch: Batch, month: int) -> RankJournal:
    return RankJournal(
        campaign_id=head.campaign_id,
        generation=head.generation,
        version=head.version + 1,
        month=month,
        before=encode(batch.before),
        after=encode(batch.after),
    )


def _parts(head: RankHead, work: Effects) -> dict[Key, tuple[RankPart, Boards]]:
    """Each part that the batch touches, as it is where there is none, with its changes."""
    empty: list[tuple[RankPart, Boards]] = [
        (_empty_block(head, number), changes) for number, changes in work.blocks.items()
    ]
    empty += [(_empty_node(head, node), changes) for node, changes in work.nodes.items()]
    return {part.key: (part, changes) for part, changes in empty}


def _empty_block(head: RankHead, number: int) -> RankBlock:
    return RankBlock(
        campaign_id=head.campaign_id, generation=head.generation, version=0, number=number
    )


def _empty_node(head: RankHead, node: Node) -> RankNode:
    return RankNode(
        campaign_id=head.campaign_id,
        generation=head.generation,
        version=0,
        score=node.score,
        level=node.level,
        number=node.number,
    )


def _changed(before: RankPart, changes: Boards, journal: RankJournal) -> RankPart:
    content = decode(before.content)
    values = added_up(content, changes) if isinstance(before, RankNode) else changes
    kept = since(laid_over(content, values), journal.month - KEPT_MONTHS)
    return replace(
        before,
        version=journal.version,
        content=encode(kept),
        undo=encode(values_at(content, values)),
    )


def _published(head: RankHead, journal: RankJournal, batch: Batch, work: Effects) -> RankHead:
    histograms = decode(head.histograms)
    values = added_up(histograms, work.histograms)
    kept = since(laid_over(histograms, values), journal.month - KEPT_MONTHS)
    return replace(
        head,
        version=journal.version,
        month=journal.month,
        last_sequence=max(head.last_sequence, batch.last_sequence),
        histograms=encode(kept),
    )
