"""Bringing changes into an index: batches become visible one after the other, each as a whole.

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
from abc import ABC, abstractmethod
from collections.abc import Callable, Hashable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from typing import Generic, Protocol, TypeVar

from grapevine.engine.attempts import attempts
from grapevine.engine.parallel import in_parallel
from grapevine.engine.ranks.parts import Overtaken, Part
from grapevine.table import store
from grapevine.table.attributes import Item
from grapevine.table.keys import Key
from grapevine.table.writes import ABSENT, Condition, version

PATIENCE_SECONDS = 0.5
"""How long a worker watches another one's batch before it finishes it; a batch takes a tenth."""


class _Version(Protocol):
    @property
    def version(self) -> int: ...


class Numbered(_Version, Protocol):
    """A head or a journal, with the number of its batch."""

    def to_item(self) -> Item: ...


N = TypeVar("N", bound=_Version)
H = TypeVar("H", bound=Numbered)
J = TypeVar("J", bound=Numbered)


@dataclass(frozen=True, slots=True)
class Work(Generic[H]):
    """What a batch comes to: the parts after it, each with the condition to put it under, and the
    head that publishes them. Parts that hold the batch already are left out."""

    parts: Sequence[tuple[Part, Condition]]
    head: H


class Index(ABC, Generic[H, J]):
    """What the protocol must know of an index and of the changes that are to come into it."""

    @property
    @abstractmethod
    def head_key(self) -> Key: ...

    @abstractmethod
    def head(self, item: Item | None) -> H:
        """The head in an item, or that of an index without a batch."""

    @abstractmethod
    def journal_key(self, head: H) -> Key: ...

    @abstractmethod
    def journal(self, item: Item) -> J: ...

    @abstractmethod
    def planned_from(self, head: H) -> Iterable[Key]:
        """The parts that say what is counted of whom the changes are of."""

    @abstractmethod
    def plan(self, head: H, found: Mapping[Key, Item]) -> J | None:
        """The batch that brings the changes in, by those of these parts that are there; None where
        nothing is news."""

    @abstractmethod
    def work(self, head: H, journal: J, known: Mapping[Key, Item | None]) -> Work[H]:
        """What is to be put for the batch that follows the head, the same for whoever asks. `known`
        holds parts that have been read after the head, None for those that are not there.

        Raises:
            Overtaken
        """


def newest(changes: Iterable[N], of: Callable[[N], Hashable]) -> list[N]:
    """The change with the highest version of each: `of` says of whom one is."""
    found: dict[Hashable, N] = {}
    for change in changes:
        known = found.get(of(change))
        if known is None or change.version > known.version:
            found[of(change)] = change
    return list(found.values())


def bring_in(index: Index[H, J]) -> None:
    """The index contains its changes, or newer ones.

    Raises:
        Busy: some may be counted; repeating is safe.
    """
    watch = _Watch()
    for _ in attempts():
        head_item = store.get_many([index.head_key]).get(index.head_key)
        head = index.head(head_item)
        is_last = version(head.version) if head_item else ABSENT
        # After the head, so that they contain all that it has published.
        journal_key, wanted = index.journal_key(head), list(index.planned_from(head))
        found = store.get_many([journal_key, *wanted])
        journal = index.journal(found[journal_key]) if journal_key in found else None
        if journal and journal.version > head.version:
            if _follows(journal, head) and watch.is_abandoned(journal):
                _finish(index, head, is_last, journal, {})
            continue
        prepared = index.plan(head, found)
        if prepared is None:
            return
        known = {key: found.get(key) for key in wanted}
        is_prepared = store.put(prepared.to_item(), version(journal.version) if journal else ABSENT)
        if is_prepared and _finish(index, head, is_last, prepared, known):
            return
    raise AssertionError("attempts() ends by raising Busy")


class _Watch:
    """Knows how long the last journal has been there unpublished."""

    def __init__(self) -> None:
        self._seen: tuple[int, float] = (0, 0.0)

    def is_abandoned(self, journal: Numbered) -> bool:
        now = time.monotonic()
        if self._seen[0] != journal.version:
            self._seen = (journal.version, now)
        return now - self._seen[1] >= PATIENCE_SECONDS


def _follows(journal: Numbered, head: Numbered) -> bool:
    """Not so when the head was read long before the journal."""
    return journal.version == head.version + 1


def _finish(
    index: Index[H, J],
    head: H,
    is_last: Condition,
    journal: J,
    known: Mapping[Key, Item | None],
) -> bool:
    """Applies the batch that follows `head`; whether it has published it, too."""
    try:
        work = index.work(head, journal, known)
    except Overtaken:
        return False
    in_parallel([partial(store.put, part.to_item(), condition) for part, condition in work.parts])
    return store.put(work.head.to_item(), is_last)


def is_applied(journal: Numbered, part: Part | None) -> bool:
    return part is not None and part.version >= journal.version
