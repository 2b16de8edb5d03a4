"""What a batch of places changes in an index of ranks by points.

It follows from the journal and from the parts as of the batch before, which their undo leads back
to. So it is the same for whoever carries it out, also where a bucket becomes an inner node.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import replace
from typing import NamedTuple

from grapevine.engine.ranks.boards import Boards, laid_over, values_at
from grapevine.engine.ranks.codec import decode, encode
from grapevine.engine.ranks.parts import Parts
from grapevine.engine.ranks.points.places import Counted, Place
from grapevine.engine.ranks.points.trie import (
    CHILDREN,
    Digits,
    Shape,
    digits_of,
    likely_depth,
    path_of,
    spread,
    through,
)
from grapevine.engine.ranks.protocol import Work, is_applied
from grapevine.table.attributes import Item
from grapevine.table.keys import Key
from grapevine.table.points_ranks import (
    PointsCounted,
    PointsHead,
    PointsJournal,
    PointsNode,
    PointsPart,
)


class Move(NamedTuple):
    """What the index counts of a player, and what it is to count."""

    was: Counted
    now: Counted

    def numbers(self) -> list[int]:
        """As a journal has them."""
        return [*self.was, *self.now]


def plan(places: Iterable[Place], counted: Mapping[str, Counted]) -> dict[str, Move]:
    """By user id, those of the places that are news, one of each player, beside what is counted."""
    return {
        place.user_id: Move(counted[place.user_id], Counted(place.version, place.position))
        for place in places
        if counted[place.user_id].is_behind(place)
    }


def work_of(
    head: PointsHead, journal: PointsJournal, known: Mapping[Key, Item | None], shape: Shape
) -> Work[PointsHead]:
    """What is to be put for the batch in the journal, which follows the head. Reads the parts that
    are not `known`: those of players at once, nodes from the top, some levels at a time.

    Raises:
        Overtaken
    """
    moves = {user_id: Move(Counted(*it[:2]), Counted(*it[2:])) for user_id, it in _of(journal)}
    differences = differences_of(moves.values())
    parts = Parts(head.version, (PointsNode, PointsCounted), known)
    root = decode(head.root)
    changes: list[tuple[PointsPart, Boards]] = [
        (empty_counted(head, user_id), move.now.boards()) for user_id, move in moves.items()
    ]
    likely = [empty_node(head, node).key for node in likely_nodes(differences, root, shape)]
    parts.load([*(empty.key for empty, _ in changes), *likely])
    top = through((), root, differences, shape)
    pending = top.below
    while pending:
        parts.load(empty_node(head, node).key for node in pending)
        below: dict[Digits, dict[int, int]] = {}
        for node, those_below in pending.items():
            empty = empty_node(head, node)
            step = spread(node, parts.boards(empty.key), those_below, shape)
            if step.values:
                changes.append((empty, step.values))
            below |= step.below
        pending = below
    after = [
        (_changed(empty, parts.boards(empty.key), values, journal), parts.as_read(empty.key))
        for empty, values in changes
        if not is_applied(journal, parts.part(empty.key))
    ]
    published = encode(laid_over(root, top.values))
    return Work(after, replace(head, version=journal.version, root=published))


def _of(journal: PointsJournal) -> Iterable[tuple[str, list[int]]]:
    return journal.moves.items()


def differences_of(moves: Iterable[Move]) -> dict[int, int]:
    """By position, how many more have it."""
    differences: dict[int, int] = {}
    for was, now in moves:
        if was.position:
            differences[was.position] = differences.get(was.position, 0) - 1
        differences[now.position] = differences.get(now.position, 0) + 1
    return {position: difference for position, difference in differences.items() if difference}


def likely_nodes(positions: Iterable[int], root: Boards, shape: Shape) -> list[Digits]:
    """The nodes that will have to be read for these positions, as a rule."""
    nodes: dict[Digits, None] = {}
    for position in positions:
        digits = digits_of(position, shape)
        members = root.get(CHILDREN, {}).get(digits[0], 0)
        nodes |= dict.fromkeys(path_of(digits)[: likely_depth(members, shape)])
    return list(nodes)


def _changed(
    empty: PointsPart, before: Boards, values: Boards, journal: PointsJournal
) -> PointsPart:
    return replace(
        empty,
        version=journal.version,
        content=encode(laid_over(before, values)),
        undo=encode(values_at(before, values)),
    )


def empty_counted(head: PointsHead, user_id: str) -> PointsCounted:
    return PointsCounted(
        campaign_id=head.campaign_id,
        board=head.board,
        generation=head.generation,
        user_id=user_id,
        version=0,
        expires_at=head.expires_at,
    )


def empty_node(head: PointsHead, digits: Digits) -> PointsNode:
    return PointsNode(
        campaign_id=head.campaign_id,
        board=head.board,
        generation=head.generation,
        digits=digits,
        version=0,
        expires_at=head.expires_at,
    )
