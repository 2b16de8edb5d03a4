"""Keeping the rank index: batches of standings become visible one after the other, each as a whole.

**Prepare** writes the batch into the journal, under the condition that the one before is the last.
It is the only step that workers compete in. **Apply** puts each part that the batch touches, under
the condition that it is as it was read. **Publish** puts the head. Apply and publish can be
repeated by anybody at any time: a worker that finds a batch unpublished for a while finishes it
from the journal, and whoever comes late loses every condition.

So nothing is lost when a process dies: before the journal is written nothing has happened, after it
the batch will be finished by the next worker, at the latest by the one that gets the same records
again. Readers see the last published batch; each part says how it was before its last one.

A worker that could not publish goes round again: either somebody else has published its batch, and
there is nothing left to do, or another generation of the index has taken over without it.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterable, Mapping
from dataclasses import replace
from functools import partial

from grapevine import runtime
from grapevine.engine.attempts import attempts
from grapevine.engine.parallel import in_parallel
from grapevine.engine.ranks.batch import KEPT_MONTHS, Batch, Effects, effects, newest, plan
from grapevine.engine.ranks.boards import Boards, added_up, laid_over, since, values_at
from grapevine.engine.ranks.codec import decode, encode
from grapevine.engine.ranks.tree import SHAPE, Node, Shape
from grapevine.months import month_at
from grapevine.table import rank_keys, store
from grapevine.table.attributes import Item
from grapevine.table.keys import Key
from grapevine.table.ranks import RankBlock, RankHead, RankJournal, RankNode, RankPart
from grapevine.table.standings import Standing
from grapevine.table.writes import ABSENT, Condition, version

MOST_AT_ONCE = 500
"""Participants in a batch: some 12 KB of journal, and half a second of puts at most."""

PATIENCE_SECONDS = 0.5
"""How long a worker watches another one's batch before it finishes it; a batch takes a tenth."""


def maintain(campaign_id: str, standings: Iterable[Standing], shape: Shape = SHAPE) -> None:
    """The index counts these standings, or newer ones of the same participants.

    Raises:
        Busy: some may be counted; repeating is safe.
    """
    waiting = newest(standings)
    for start in range(0, len(waiting), MOST_AT_ONCE):
        _Worker(campaign_id, shape).count(waiting[start : start + MOST_AT_ONCE])


class _Worker:
    """One attempt after the other to get one batch into the index."""

    def __init__(self, campaign_id: str, shape: Shape) -> None:
        self._campaign_id, self._shape = campaign_id, shape
        self._watched: tuple[int, float] = (0, 0.0)

    def count(self, standings: list[Standing]) -> None:
        numbers = {self._shape.place_of(one.join_sequence)[0] for one in standings}
        for _ in attempts():
            head_key = rank_keys.rank_head(self._campaign_id)
            head_item = store.get_many([head_key]).get(head_key)
            head = RankHead.found(self._campaign_id, head_item)
            is_last = version(head.version) if head_item else ABSENT
            # After the head, so that they contain all that it has published.
            journal_key = rank_keys.rank_journal(self._campaign_id, head.generation)
            found = store.get_many([journal_key, *(_block_key(head, one) for one in numbers)])
            journal = RankJournal.from_item(found[journal_key]) if journal_key in found else None
            if journal and journal.version > head.version:
                if _follows(journal, head) and self._is_abandoned(journal):
                    self._finish(head, is_last, journal, {})
                continue
            blocks = {_block_key(head, one): found.get(_block_key(head, one)) for one in numbers}
            contents = {one: _content(blocks[_block_key(head, one)]) for one in numbers}
            month = max(month_at(runtime.now_ms()), head.month)
            batch = plan(standings, contents, month, self._shape)
            if not batch:
                return
            prepared = _prepared(head, batch, month)
            is_prepared = store.put(
                prepared.to_item(), version(journal.version) if journal else ABSENT
            )
            if is_prepared and self._finish(head, is_last, prepared, blocks):
                return
        raise AssertionError("attempts() ends by raising Busy")

    def _is_abandoned(self, journal: RankJournal) -> bool:
        now = time.monotonic()
        if self._watched[0] != journal.version:
            self._watched = (journal.version, now)
        return now - self._watched[1] >= PATIENCE_SECONDS

    def _finish(
        self,
        head: RankHead,
        is_last: Condition,
        journal: RankJournal,
        known: Mapping[Key, Item | None],
    ) -> bool:
        """Applies the batch that follows `head`; whether it has published it, too. `known` holds
        parts that have been read after the head, None for those that are not there."""
        batch = Batch(decode(journal.before), decode(journal.after))
        work = effects(batch, self._shape)
        parts = _parts(head, work)
        found = {**known, **store.get_many(key for key in parts if key not in known)}
        puts: list[Callable[[], bool]] = []
        for key, (empty, changes) in parts.items():
            item = found.get(key)
            before = type(empty).from_item(item) if item else empty
            if _is_applied(journal, before):
                continue
            after = _changed(before, changes, journal)
            puts.append(
                partial(store.put, after.to_item(), version(before.version) if item else ABSENT)
            )
        in_parallel(puts)
        return store.put(_published(head, journal, batch, work).to_item(), is_last)


def _follows(journal: RankJournal, head: RankHead) -> bool:
    """Not so when the head was read long before the journal."""
    return journal.version == head.version + 1


def _is_applied(journal: RankJournal, part: RankPart) -> bool:
    return part.version >= journal.version


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
