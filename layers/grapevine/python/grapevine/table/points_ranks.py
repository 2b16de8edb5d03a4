"""The items of the index of ranks by points, one index for each board of a campaign: a head, a
journal, nodes, and with each player what is counted of it.

Generations and batch numbers are as in `table/ranks.py`: so no item of one generation is taken for
one of another. Contents are opaque here; `grapevine.engine.ranks.points` reads and makes them.

`expires_at` (seconds) is when the board is of no use any more; that of all time has none.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, ClassVar

from grapevine.table import rank_keys, store
from grapevine.table.attributes import Item
from grapevine.table.entity import Entity, as_json
from grapevine.table.keys import Key
from grapevine.table.ranks import FIRST_GENERATION, first_batch


@dataclass(frozen=True, slots=True, kw_only=True)
class PointsHead(Entity):
    """What readers may see: the index as of batch `version`. `root` says how many players have
    points of how many bits.

    While a rebuild fills a generation, its head is a draft, which no reader knows. `taken_over_at`
    (ms) and `oldest` are as in `RankHead`."""

    TYPE: ClassVar[str] = "PointsHead"

    campaign_id: str
    board: str
    generation: int
    version: int
    root: bytes = b""
    is_draft: bool = False
    taken_over_at: int = 0
    oldest: int = FIRST_GENERATION
    expires_at: int | None = None

    @property
    def key(self) -> Key:
        if self.is_draft:
            return rank_keys.points_draft(self.campaign_id, self.board, self.generation)
        return rank_keys.points_head(self.campaign_id, self.board)

    @classmethod
    def new(cls, campaign_id: str, board: str, generation: int = FIRST_GENERATION) -> PointsHead:
        """Of a generation without a batch."""
        return PointsHead(
            campaign_id=campaign_id,
            board=board,
            generation=generation,
            version=first_batch(generation),
        )

    @classmethod
    def found(cls, campaign_id: str, board: str, item: Item | None) -> PointsHead:
        return cls.from_item(item) if item else cls.new(campaign_id, board)


@dataclass(frozen=True, slots=True, kw_only=True)
class PointsJournal(Entity):
    """The last batch that was prepared: whoever finds it unpublished can finish it.

    `moves` holds by user id what was counted and what is to be: version, position, version,
    position, the first two 0 for somebody new."""

    TYPE: ClassVar[str] = "PointsJournal"

    campaign_id: str
    board: str
    generation: int
    version: int
    moves: dict[str, Any] = as_json()
    expires_at: int | None = None

    @property
    def key(self) -> Key:
        return rank_keys.points_journal(self.campaign_id, self.board, self.generation)


@dataclass(frozen=True, slots=True, kw_only=True)
class PointsNode(Entity):
    """How many players have the positions that begin with `digits`: by position, or, where these
    are too many, by the next digit. `undo` is what batch `version` found in the places that it
    changed."""

    TYPE: ClassVar[str] = "PointsNode"

    campaign_id: str
    board: str
    generation: int
    digits: tuple[int, ...]
    version: int
    content: bytes = b""
    undo: bytes = b""
    expires_at: int | None = None

    @property
    def key(self) -> Key:
        return rank_keys.points_node(self.campaign_id, self.board, self.generation, self.digits)


@dataclass(frozen=True, slots=True, kw_only=True)
class PointsCounted(Entity):
    """The version and the position that the index counts of a player; `undo` as in a node."""

    TYPE: ClassVar[str] = "PointsCounted"

    campaign_id: str
    board: str
    generation: int
    user_id: str
    version: int
    content: bytes = b""
    undo: bytes = b""
    expires_at: int | None = None

    @property
    def key(self) -> Key:
        return rank_keys.points_counted(self.campaign_id, self.board, self.generation, self.user_id)


PointsPart = PointsNode | PointsCounted


def of_generation(campaign_id: str, board: str, generation: int) -> list[Item]:
    """Journal and nodes of one generation of an index: a Query per partition."""
    return [
        item
        for partition in rank_keys.points_partitions(campaign_id, board, generation)
        for item in store.query(None, partition)
    ]
