"""The rank index's items: a head, a journal, and the parts that hold the numbers.

All belong to one generation of the index: a new one can be built beside it and takes over when the
head is replaced. `version` is the number of the batch that wrote an item last. Numbers of different
generations never meet: each counts from `generation * 10^12`, and the first is 1.

Contents are opaque here; `grapevine.engine.ranks` reads and makes them.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

from grapevine.table import rank_keys, store
from grapevine.table.attributes import Item
from grapevine.table.entity import Entity
from grapevine.table.keys import Key

FIRST_GENERATION = 1

_NUMBERS = 10**12


def first_batch(generation: int) -> int:
    """The number that the batches of a generation count from."""
    return generation * _NUMBERS


@dataclass(frozen=True, slots=True, kw_only=True)
class RankHead(Entity):
    """What readers may see: the index as of batch `version`.

    `month` is the latest month that a batch was made in, `last_sequence` the highest join sequence
    in the index, and `histograms` says of each board how many participants have each score.

    `taken_over_at` (ms) is when this generation became the one that counts. Items of generations
    from `oldest` on may be left of earlier ones.
    """

    TYPE: ClassVar[str] = "RankHead"

    campaign_id: str
    generation: int
    version: int
    month: int = 0
    last_sequence: int = 0
    histograms: bytes = b""
    taken_over_at: int = 0
    oldest: int = FIRST_GENERATION

    @property
    def key(self) -> Key:
        return rank_keys.rank_head(self.campaign_id)

    @classmethod
    def new(cls, campaign_id: str, generation: int = FIRST_GENERATION) -> RankHead:
        """Of a generation without a batch."""
        return RankHead(
            campaign_id=campaign_id, generation=generation, version=first_batch(generation)
        )

    @classmethod
    def found(cls, campaign_id: str, item: Item | None) -> RankHead:
        return cls.from_item(item) if item else cls.new(campaign_id)


@dataclass(frozen=True, slots=True, kw_only=True)
class RankJournal(Entity):
    """The last batch that was prepared: whoever finds it unpublished can finish it.

    `before` and `after` hold, by join sequence, what the batch changes.
    """

    TYPE: ClassVar[str] = "RankJournal"

    campaign_id: str
    generation: int
    version: int
    month: int
    before: bytes
    after: bytes

    @property
    def key(self) -> Key:
        return rank_keys.rank_journal(self.campaign_id, self.generation)


@dataclass(frozen=True, slots=True, kw_only=True)
class RankBlock(Entity):
    """Neighbours in join order: who is alive, what version is counted, and their scores.

    `undo` is what batch `version` found in the places that it changed.
    """

    TYPE: ClassVar[str] = "RankBlock"

    campaign_id: str
    generation: int
    number: int
    version: int
    content: bytes = b""
    undo: bytes = b""

    @property
    def key(self) -> Key:
        return rank_keys.rank_block(self.campaign_id, self.generation, self.number)


@dataclass(frozen=True, slots=True, kw_only=True)
class RankNode(Entity):
    """How many participants with one score lie in each of its children; `undo` as in a block."""

    TYPE: ClassVar[str] = "RankNode"

    campaign_id: str
    generation: int
    score: int
    level: int
    number: int
    version: int
    content: bytes = b""
    undo: bytes = b""

    @property
    def key(self) -> Key:
        return rank_keys.rank_node(
            self.campaign_id, self.generation, self.score, self.level, self.number
        )


RankPart = RankBlock | RankNode


def of_generation(campaign_id: str, generation: int) -> list[Item]:
    """All items of one generation of a campaign's index but the head: a Query per partition."""
    return [
        item
        for partition in rank_keys.rank_partitions(campaign_id, generation)
        for item in store.query(None, partition)
    ]
