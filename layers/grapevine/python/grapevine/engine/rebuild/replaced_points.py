"""A generation of the index of ranks by points that has been replaced, and what was wrong with it.

Nothing is published in it any more, so it is read as of its last batch: where a worker is still at
the next one, which nobody will ever see, the undo leads back.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass, field

from grapevine.engine.ranks.boards import Boards
from grapevine.engine.ranks.codec import decode
from grapevine.engine.ranks.parts import Overtaken, as_of_head
from grapevine.engine.ranks.points.batch import empty_counted
from grapevine.engine.ranks.points.places import Counted, Place
from grapevine.engine.ranks.points.trie import (
    CHILDREN,
    MEMBERS,
    SHAPE,
    Digits,
    digits_of,
)
from grapevine.engine.rebuild.findings import Findings, Kind
from grapevine.table import store
from grapevine.table.attributes import Item
from grapevine.table.points_ranks import (
    PointsCounted,
    PointsHead,
    PointsNode,
    PointsPart,
    of_generation,
)

_UNREADABLE = (IndexError, KeyError, TypeError, ValueError, Overtaken)


@dataclass
class ReplacedPoints:
    """Says in `findings` what was wrong. A million positions are some hundred megabytes."""

    head: PointsHead
    findings: Findings
    _positions: dict[str, int] = field(default_factory=dict)

    def compare(self, places: Iterable[Place]) -> None:
        """Finds whom of these it counted otherwise than they are. They were read after it had been
        replaced, so it could not have known later versions."""
        unseen = [place for place in places if place.user_id not in self._positions]
        keys = {place.user_id: empty_counted(self.head, place.user_id).key for place in unseen}
        found = store.get_many(keys.values())
        for place in unseen:
            counted = self._counted(found.get(keys[place.user_id]), place.user_id)
            self._positions[place.user_id] = counted.position
            if counted.position == place.position:
                continue
            if counted.is_behind(place):
                kind = Kind.BEHIND
                was = f"version {counted.version} was" if counted.position else "was not"
                text = f"player {place.user_id}: {was} counted, not {place.version}"
            else:
                kind = Kind.PLAYER
                text = f"{place.user_id}: {_told(counted)}, should be {_told(place)}"
            self.findings.add(kind, text)

    def _counted(self, item: Item | None, user_id: str) -> Counted:
        if item is None:
            return Counted(0, 0)
        try:
            return Counted.of(self._boards(PointsCounted.from_item(item)))
        except _UNREADABLE:
            self.findings.add(Kind.PLAYER, f"{user_id}: what was counted could not be read")
            return Counted(0, 0)

    def _boards(self, part: PointsPart) -> Boards:
        return as_of_head(part, self.head.version)

    def add_up(self) -> None:
        """Finds where its nodes said something else than what it counted of the players that have
        been compared."""
        nodes = self._nodes()
        expected: dict[Digits, Counter[int]] = {node: Counter() for node in nodes}
        for position in self._positions.values():
            if position:
                _walk(position, nodes, expected)
        for node in sorted(expected):
            boards = nodes.get(node, {})
            said = boards.get(CHILDREN) or boards.get(MEMBERS, {})
            if said != expected[node]:
                self.findings.add(Kind.POINTS_PART, f"node {node}" if node else "the root")

    def _nodes(self) -> dict[Digits, Boards]:
        """With the root, which is always inner."""
        nodes: dict[Digits, Boards] = {}
        head = self.head
        for item in of_generation(head.campaign_id, head.board, head.generation):
            if item["type"] != PointsNode.TYPE:
                continue
            try:
                node = PointsNode.from_item(item)
                nodes[node.digits] = self._boards(node)
            except _UNREADABLE:
                self.findings.add(Kind.POINTS_PART, f"{item['sort']} could not be read")
        try:
            nodes[()] = {CHILDREN: decode(head.root).get(CHILDREN, {})}
        except _UNREADABLE:
            nodes[()] = {CHILDREN: {}}
        return nodes


def _walk(position: int, nodes: dict[Digits, Boards], expected: dict[Digits, Counter[int]]) -> None:
    """Adds a position to what each node on its path should say, down to its bucket."""
    digits = digits_of(position, SHAPE)
    for length in range(len(digits)):
        node = digits[:length]
        is_inner = CHILDREN in nodes.get(node, {})
        expected.setdefault(node, Counter())[digits[length] if is_inner else position] += 1
        if not is_inner:
            return


def _told(one: Counted | Place) -> str:
    return f"version {one.version} at {one.position}"
