"""The parts of an index as of one published batch, whatever workers are doing meanwhile.

A part is read after the head, so it holds at least what the head has published. If the batch after
that has already touched it, its undo leads back. Further ahead it cannot be without another head:
then whoever reads begins again.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from functools import partial
from typing import ClassVar, Protocol, Self, TypeVar

from grapevine.engine.attempts import attempts
from grapevine.engine.parallel import in_parallel
from grapevine.engine.ranks.boards import Boards, laid_over
from grapevine.engine.ranks.codec import decode
from grapevine.table import store
from grapevine.table.attributes import Item
from grapevine.table.keys import Key
from grapevine.table.writes import ABSENT, Condition, version

H = TypeVar("H")
T = TypeVar("T")

_KEYS_PER_CALL = 100


class Overtaken(Exception):
    """A part is more than one batch ahead of the head: the head must be read again."""


class Part(Protocol):
    """An item with numbers: `version` is the number of the batch that wrote it last, `undo` what
    that found in the places that it changed."""

    TYPE: ClassVar[str]

    @property
    def version(self) -> int: ...
    @property
    def content(self) -> bytes: ...
    @property
    def undo(self) -> bytes: ...
    @property
    def key(self) -> Key: ...
    def to_item(self) -> Item: ...
    @classmethod
    def from_item(cls, item: Item) -> Self: ...


def as_of_head(part: Part, published: int) -> Boards:
    """What the part held when the batch `published` was the last.

    Raises:
        Overtaken
    """
    if part.version > published + 1:
        raise Overtaken
    content = decode(part.content)
    return laid_over(content, decode(part.undo)) if part.version > published else content


def in_one_batch(read_head: Callable[[], H], head: H | None, read: Callable[[H], T]) -> T:
    """What `read` makes of an index, from `head` if that has just been read, or else the newest.

    Raises:
        Busy: batches were published faster than they could be read.
    """
    for _ in attempts():
        if head is None:
            head = read_head()
        try:
            return read(head)
        except Overtaken:
            head = None
    raise AssertionError("attempts() ends by raising Busy")


class Parts:
    """Those of an index with a head of batch `published`, which has been read before; `known` are
    some that have been read since, None for those that are not there. Parts must be loaded first.
    """

    def __init__(
        self,
        published: int,
        types: Iterable[type[Part]],
        known: Mapping[Key, Item | None] | None = None,
    ) -> None:
        self._published = published
        self._types = {part.TYPE: part for part in types}
        self._items = dict(known or {})
        self._contents: dict[Key, Boards] = {}

    def load(self, keys: Iterable[Key]) -> None:
        """Reads what is not there yet, all at the same time."""
        unread = list(dict.fromkeys(key for key in keys if key not in self._items))
        calls = [
            partial(store.get_many, unread[start : start + _KEYS_PER_CALL])
            for start in range(0, len(unread), _KEYS_PER_CALL)
        ]
        found = {key: item for part in in_parallel(calls) for key, item in part.items()}
        self._items.update((key, found.get(key)) for key in unread)

    def boards(self, key: Key) -> Boards:
        """Raises Overtaken."""
        if key not in self._contents:
            part = self.part(key)
            self._contents[key] = as_of_head(part, self._published) if part else {}
        return self._contents[key]

    def part(self, key: Key) -> Part | None:
        """As it is now."""
        item = self._items[key]
        return self._types[item["type"]].from_item(item) if item else None

    def as_read(self, key: Key) -> Condition:
        """That the part is still what was read."""
        item = self._items[key]
        return version(item["version"]) if item else ABSENT
