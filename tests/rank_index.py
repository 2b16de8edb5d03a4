"""The rank index read whole and counted again, and ranks by sorting everybody."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from typing import Any

from grapevine.engine.ranks.boards import ALIVE, ALL_TIME, VERSIONS, Boards, is_month
from grapevine.engine.ranks.codec import decode
from grapevine.engine.ranks.reading import NO_RANK, Ranks
from grapevine.engine.ranks.snapshot import Snapshot
from grapevine.engine.ranks.tree import SHAPE, Node, Shape
from grapevine.table.standings import Standing

Item = dict[str, Any]


def brute_force(everybody: Iterable[Standing], month: int) -> dict[str, Ranks]:
    """By participant id, from the standings of all the living."""
    living = [one for one in everybody if one.deleted_at is None]
    before = [one for one in living if one.joined_month < month]
    all_time = _ranks(living, {one.participant_id: one.referral_count for one in living})
    monthly = _ranks(living, {one.participant_id: one.count_in(month) for one in living})
    previous = _ranks(before, {one.participant_id: one.count_in(month - 1) for one in before})
    return {
        one.participant_id: Ranks(
            all_time[one.participant_id],
            monthly[one.participant_id],
            previous.get(one.participant_id, NO_RANK),
        )
        for one in living
    }


def _ranks(members: list[Standing], counts: dict[str, int]) -> dict[str, int]:
    order = sorted(members, key=lambda one: (-counts[one.participant_id], one.join_sequence))
    return {one.participant_id: rank for rank, one in enumerate(order, 1)}


def of_head(items: Iterable[Item]) -> list[Item]:
    """Without what is left of generations that a rebuild has replaced, or has not finished."""
    everything = list(items)
    current = {item["generation"] for item in everything if item["type"] == "RankHead"}
    return [item for item in everything if not current or item["generation"] in current]


def problems(
    items: Iterable[Item],
    standings: Iterable[Standing],
    month: int,
    shape: Shape = SHAPE,
    *,
    rebuilt: bool = False,
) -> Iterator[str]:
    """What is wrong with an index that nobody is working on and that has seen all `standings`;
    after a rebuild it may know older versions of the dead."""
    parts: dict[str, list[Item]] = {}
    for item in items:
        parts.setdefault(item["type"], []).append(item)
    blocks = parts.get("RankBlock", [])
    found = _recent(_by_sequence(blocks, shape), month)
    expected = _expected(standings, month)
    if rebuilt:
        found, expected = _without_dead(found), _without_dead(expected)
    yield from _differences("counted of participants", found, expected)
    yield from recount_problems(parts, month, shape)


def recount_problems(
    parts: Mapping[str, list[Item]], month: int, shape: Shape = SHAPE
) -> Iterator[str]:
    """Where nodes and head say something else than the blocks, counted one by one."""
    blocks = parts.get("RankBlock", [])
    heads, journals = parts.get("RankHead", []), parts.get("RankJournal", [])
    if not heads:
        yield from (f"{kind} without a head" for kind in parts)
        return
    [head], [journal] = heads, journals
    last = head["version"]
    if journal["version"] != last:
        yield f"batch {journal['version']} is prepared and {last} published"
    for part in (*blocks, *parts.get("RankNode", [])):
        if part["version"] > last:
            yield f"{part['sort']} holds batch {part['version']} and {last} is published"
    counted = _recent(_by_sequence(blocks, shape), month)
    nodes, histograms = _recount(counted, shape)
    found = {
        (int(node["score"]), int(node["level"]), int(node["number"])): _recent(
            decode(content_of(node)), month
        )
        for node in parts.get("RankNode", [])
    }
    for name in {*nodes, *found}:
        yield from _differences(f"node {name}", found.get(name, {}), nodes.get(name, {}))
    yield from _differences(
        "the histograms", _recent(decode(content_of(head, "histograms")), month), histograms
    )
    everybody = {one for entries in _by_sequence(blocks, shape).values() for one in entries}
    if head["lastSequence"] != max(everybody):
        yield f"the head says {head['lastSequence']} is the last, it is {max(everybody)}"


def snapshot_problems(snapshot: Snapshot, ranks: Mapping[Standing, Ranks], month: int) -> list[str]:
    """Where a snapshot disagrees with itself, and ranks that are not those of sorting its blocks
    with the participant's own score laid over them.

    Raises:
        Overtaken
    """
    snapshot.load(range(snapshot.blocks), [])
    size = snapshot.shape.block_size
    counted: Boards = {}
    for number in range(snapshot.blocks):
        for board, entries in snapshot.block(number).items():
            here = {number * size + offset: value for offset, value in entries.items()}
            counted.setdefault(board, {}).update(here)
    counted = _recent(counted, month)
    nodes, histograms = _recount(counted, snapshot.shape)
    wrong = [*_differences("histograms", _recent(snapshot.histograms, month), histograms)]
    snapshot.load([], [Node(*name) for name in nodes])
    for name, wanted in nodes.items():
        found = _recent(snapshot.node(Node(*name)), month)
        wrong += _differences(f"node {name}", found, wanted)
    for standing, shown in ranks.items():
        wanted_ranks = _ranks_over(counted, snapshot.head.last_sequence, standing, month)
        if shown != wanted_ranks:
            wrong.append(f"{standing} has {shown}, should have {wanted_ranks}")
    return wrong


def _ranks_over(counted: Boards, last: int, standing: Standing, month: int) -> Ranks:
    own = standing.join_sequence

    def rank(board: int, score: int) -> int:
        scores = counted.get(board, {})
        ahead = [
            other
            for other in counted.get(ALIVE, {})
            if other != own and (-scores.get(other, 0), other) < (-score, own)
        ]
        return len(ahead) + 1 + (0 if score else max(own - 1 - last, 0))

    return Ranks(
        rank(ALL_TIME, standing.referral_count),
        rank(month, standing.count_in(month)),
        rank(month - 1, standing.count_in(month - 1)) if standing.joined_month < month else NO_RANK,
    )


def content_of(item: Item, name: str = "content") -> bytes:
    value = item[name]
    return value if isinstance(value, bytes) else bytes(value.value)


def _by_sequence(blocks: Iterable[Item], shape: Shape) -> Boards:
    boards: Boards = {}
    for block in blocks:
        first = int(block["number"]) * shape.block_size
        for board, entries in decode(content_of(block)).items():
            kept = boards.setdefault(board, {})
            kept.update({first + offset: value for offset, value in entries.items()})
    return boards


def _recent(boards: Boards, month: int) -> Boards:
    return {
        board: entries
        for board, entries in boards.items()
        if entries and (not is_month(board) or board >= month - 1)
    }


def _expected(standings: Iterable[Standing], month: int) -> Boards:
    boards: Boards = {}
    for standing in standings:
        numbers = {VERSIONS: standing.version}
        if standing.deleted_at is None:
            numbers |= {
                ALIVE: 1,
                ALL_TIME: standing.referral_count,
                month: standing.count_in(month),
                month - 1: standing.count_in(month - 1),
            }
        for board, number in numbers.items():
            if number:
                boards.setdefault(board, {})[standing.join_sequence] = number
    return boards


def _without_dead(boards: Boards) -> Boards:
    versions = boards.get(VERSIONS, {})
    living = {each: versions[each] for each in versions if each in boards.get(ALIVE, {})}
    return boards | {VERSIONS: living}


def _recount(counted: Boards, shape: Shape) -> tuple[dict[tuple[int, int, int], Boards], Boards]:
    nodes: dict[tuple[int, int, int], Boards] = {}
    histograms: Boards = {}
    for board, entries in counted.items():
        for sequence, score in entries.items():
            if board == VERSIONS:
                continue
            _count(histograms, board, score)
            upper, lower = divmod(sequence // shape.block_size, shape.fan_out)
            for each in {0, score} if board != ALIVE else {0}:
                if lower:
                    _count(nodes.setdefault((each, 1, upper), {}), board, lower)
                if upper:
                    _count(nodes.setdefault((each, 2, 0), {}), board, upper)
    return nodes, histograms


def _count(boards: Boards, board: int, position: int) -> None:
    entries = boards.setdefault(board, {})
    entries[position] = entries.get(position, 0) + 1


def _differences(what: str, found: Boards, wanted: Boards) -> Iterator[str]:
    for board in sorted({*found, *wanted}):
        has, needs = found.get(board, {}), wanted.get(board, {})
        if has != needs:
            wrong = {
                place: (has.get(place), needs.get(place))
                for place in {*has, *needs}
                if has.get(place) != needs.get(place)
            }
            yield f"{what}, board {board}: (found, wanted) {wrong}"
