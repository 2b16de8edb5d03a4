"""How many stand before a player on a board of points, from a path of the counted trie, however
many players there are.

A player's own place comes from its state, so its own newest points always count; the others' come
from the index, as of one batch. What the index has of the player itself is left out.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterator
from typing import NamedTuple

from grapevine.engine.ranks.boards import Boards
from grapevine.engine.ranks.codec import decode
from grapevine.engine.ranks.parts import Parts, in_one_batch
from grapevine.engine.ranks.points.batch import empty_counted, empty_node
from grapevine.engine.ranks.points.places import Counted, Place
from grapevine.engine.ranks.points.trie import (
    CHILDREN,
    MEMBERS,
    SHAPE,
    Digits,
    Shape,
    better_children,
    better_members,
    digits_of,
    likely_depth,
    path_of,
)
from grapevine.table import rank_keys, store
from grapevine.table.points_ranks import PointsCounted, PointsHead, PointsNode


class Ahead(NamedTuple):
    """How many others have a better position, and how many the very same: those stand in the order
    of their user ids, which only `points_board.players_at` knows."""

    better: int
    equal: int


def ahead_of(
    campaign_id: str,
    board: str,
    place: Place,
    *,
    without: Collection[str] = (),
    shape: Shape = SHAPE,
) -> Ahead:
    """As of one published batch, some users aside. What the index has of the player itself is left
    out. Two rounds of calls, the head's and that of the nodes that are likely to be enough; a third
    one reads the rest of the path where they are not.

    Raises:
        Busy
    """
    aside = {place.user_id, *without}
    return in_one_batch(
        _newest(campaign_id, board),
        None,
        lambda head: ahead_in(head, place.position, aside, shape),
    )


def size_of(campaign_id: str, board: str, *, without: Collection[str] = ()) -> int:
    """How many are on the board as of one published batch, some users aside. One round of calls,
    two where somebody is to be left out.

    Raises:
        Busy
    """
    return in_one_batch(_newest(campaign_id, board), None, lambda head: size_in(head, without))


def size_in(head: PointsHead, aside: Collection[str]) -> int:
    """The same as of the batch of a head that has just been read.

    Raises:
        Overtaken
    """
    parts = Parts(head.version, (PointsCounted,))
    counted = {empty_counted(head, user_id).key for user_id in aside}
    parts.load(counted)
    everybody = sum(decode(head.root).get(CHILDREN, {}).values())
    return everybody - sum(Counted.of(parts.boards(key)).position > 0 for key in counted)


def _newest(campaign_id: str, board: str) -> Callable[[], PointsHead]:
    def newest() -> PointsHead:
        key = rank_keys.points_head(campaign_id, board)
        return PointsHead.found(campaign_id, board, store.get_many([key]).get(key))

    return newest


def ahead_in(
    head: PointsHead, position: int, aside: Collection[str], shape: Shape = SHAPE
) -> Ahead:
    """The same as of the batch of a head that has just been read.

    Raises:
        Overtaken
    """
    parts = Parts(head.version, (PointsNode, PointsCounted))
    root, digits = decode(head.root), digits_of(position, shape)
    members = root.get(CHILDREN, {}).get(digits[0], 0)
    path = path_of(digits) if members else []
    first = path[: likely_depth(members, shape)]
    counted = [empty_counted(head, user_id).key for user_id in aside]
    parts.load([*counted, *(empty_node(head, node).key for node in first)])
    better, equal = better_children(root, digits[0]), 0
    for depth, boards in enumerate(_from_the_top(head, parts, path, len(first)), start=1):
        better += better_children(boards, digits[depth]) + better_members(boards, position)
        equal += boards.get(MEMBERS, {}).get(position, 0)
        if not boards.get(CHILDREN, {}).get(digits[depth]):
            break
    known = [Counted.of(parts.boards(key)).position for key in counted]
    return Ahead(
        better - sum(each > position for each in known),
        equal - sum(each == position for each in known),
    )


def _from_the_top(
    head: PointsHead, parts: Parts, path: list[Digits], loaded: int
) -> Iterator[Boards]:
    """The nodes of a path, of which so many are loaded."""
    for depth, node in enumerate(path):
        if depth >= loaded:
            loaded = len(path)
            parts.load(empty_node(head, each).key for each in path[depth:])
        yield parts.boards(empty_node(head, node).key)
