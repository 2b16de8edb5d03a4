"""The index of ranks by points read whole and counted again."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from typing import Any

from grapevine.engine.ranks.boards import Boards
from grapevine.engine.ranks.codec import decode
from grapevine.engine.ranks.points.places import Counted, Place
from grapevine.engine.ranks.points.trie import (
    CHILDREN,
    MEMBERS,
    SHAPE,
    Digits,
    Shape,
    digits_of,
    path_of,
)

Item = dict[str, Any]


def problems(items: Iterable[Item], places: Iterable[Place], shape: Shape = SHAPE) -> Iterator[str]:
    """What is wrong with an index that nobody is working on and that has seen all `places`; `items`
    are those of its generation."""
    parts: dict[str, list[Item]] = {}
    for item in items:
        parts.setdefault(item["type"], []).append(item)
    [head], [journal] = parts["PointsHead"], parts["PointsJournal"]
    last = head["version"]
    if journal["version"] != last:
        yield f"batch {journal['version']} is prepared and {last} published"
    stored = [*parts.get("PointsNode", []), *parts["PointsCounted"]]
    yield from (f"{each['sort']} is ahead" for each in stored if each["version"] > last)
    counted = {item["userId"]: Counted.of(_content(item)) for item in parts["PointsCounted"]}
    expected = {place.user_id: place for place in places}
    for user_id in {*counted, *expected}:
        found, wanted = counted.get(user_id), expected.get(user_id)
        if not found or not wanted or found.position != wanted.position:
            yield f"{found} is counted of {user_id}, {wanted} is so"
        elif found.version > wanted.version:
            yield f"{user_id} is counted ahead of itself: {found}, {wanted}"
    nodes = {
        tuple(int(digit) for digit in item["digits"]): _content(item)
        for item in parts.get("PointsNode", [])
    }
    positions = [each.position for each in counted.values()]
    yield from trie_problems(decode(bytes_of(head, "root")), nodes, positions, shape)


def trie_problems(
    root: Boards, nodes: Mapping[Digits, Boards], positions: Iterable[int], shape: Shape
) -> Iterator[str]:
    """Where root and nodes say something else than these positions, counted one by one."""
    below: dict[Digits, dict[int, int]] = {}
    for position in positions:
        for node in [(), *path_of(digits_of(position, shape))]:
            members = below.setdefault(node, {})
            members[position] = members.get(position, 0) + 1
    if root != _by_digit(below.get((), {}), 0, shape):
        yield f"the root says {root}"
    inner: set[Digits] = {()}
    for node in sorted({*below, *nodes} - {()}, key=lambda each: (len(each), each)):
        boards, members = nodes.get(node, {}), below.get(node, {})
        if CHILDREN in boards:
            inner.add(node)
        # What is below a bucket is asked by nobody.
        if node[:-1] not in inner and boards:
            yield f"{node} says {boards} below a bucket"
        elif node[:-1] in inner:
            yield from _node_problems(node, boards, members, shape)


def _node_problems(
    node: Digits, boards: Boards, members: Mapping[int, int], shape: Shape
) -> Iterator[str]:
    if CHILDREN in boards and boards != _by_digit(members, len(node), shape):
        yield f"{node} says {boards}, there are {members}"
    if CHILDREN not in boards and boards.get(MEMBERS, {}) != members:
        yield f"{node} says {boards}, there are {members}"
    is_large = CHILDREN not in boards and len(members) > shape.bucket
    if is_large and node != path_of(digits_of(min(members), shape))[-1]:
        yield f"{node} holds {len(members)} positions"


def _by_digit(members: Mapping[int, int], depth: int, shape: Shape) -> Boards:
    counts: dict[int, int] = {}
    for position, count in members.items():
        digit = digits_of(position, shape)[depth]
        counts[digit] = counts.get(digit, 0) + count
    return {CHILDREN: counts} if counts else {}


def _content(item: Item) -> Boards:
    return decode(bytes_of(item, "content"))


def bytes_of(item: Item, name: str) -> bytes:
    value = item[name]
    return value if isinstance(value, bytes) else bytes(value.value)
