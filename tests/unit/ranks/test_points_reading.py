"""Who is ahead by points, from boards of every kind of skew, and what it takes to know it."""

from __future__ import annotations

import random
from collections.abc import Iterator, Sequence

import pytest
from hypothesis import given
from hypothesis import strategies as st

from grapevine import runtime
from grapevine.engine.ranks.points.maintenance import maintain
from grapevine.engine.ranks.points.places import Place, checked
from grapevine.engine.ranks.points.reading import Ahead, ahead_of, size_of
from grapevine.engine.ranks.points.trie import SHAPE, digits_of
from grapevine.table.attributes import unmarshal
from grapevine.table.points_board import position
from tests import points_index
from tests.unit.ranks.fake_table import FakeTable
from tests.unit.ranks.workers import Died, one_after_the_other

__all__ = ["one_after_the_other"]

CAMPAIGN, BOARD = "camp01", "all"
START = 1_800_000_000_000
MANY = 1_500


@pytest.fixture
def table() -> Iterator[FakeTable]:
    fake = FakeTable()
    settings = runtime.Settings({"TABLE_NAME": "table"})
    with runtime.using(runtime.Runtime(settings, now_ms=lambda: START, client=lambda _: fake)):
        yield fake


def place(name: object, points: int, since: int = 0, version: int = 1) -> Place:
    return Place(f"user {name}", version, position(points, START + since))


def ahead(one: Place, *without: str, board: str = BOARD) -> Ahead:
    return ahead_of(CAMPAIGN, board, one, without=without)


def sorted_out(one: Place, everybody: Sequence[Place]) -> Ahead:
    others = [each.position for each in everybody if each.user_id != one.user_id]
    return Ahead(
        sum(each > one.position for each in others), sum(each == one.position for each in others)
    )


def problems(table: FakeTable, places: Sequence[Place]) -> list[str]:
    items = [unmarshal(item) for item in table.items.values()]
    return list(points_index.problems(items, places))


@given(st.lists(st.tuples(st.integers(0, 2**40), st.integers(0, 2**48 - 1)), min_size=2))
def test_digits_stand_in_the_order_of_positions(made: list[tuple[int, int]]) -> None:
    positions = [position(points, reached_at) for points, reached_at in made]

    by_digits = sorted(positions, key=lambda each: digits_of(each, SHAPE))

    assert by_digits == sorted(positions)
    assert len({digits_of(each, SHAPE) for each in positions}) == len(set(positions))


CHANCE = random.Random(7)  # noqa: S311 - a story
SKEWS = {
    "all the same points, one after the other": [place(n, 50, n * 137) for n in range(MANY)],
    "all the same points, over years": [place(n, 50, n * 90_000_000) for n in range(MANY)],
    "all in the same millisecond": [place(n, 0) for n in range(MANY)],
    "many points in the same millisecond": [place(n, n) for n in range(MANY)],
    "all the same points in one second": [place(n, 50, n % 1000) for n in range(MANY)],
    "steps beyond a million": [place(n, n * 1_000, n) for n in range(MANY)],
    "a thousand million points": [place(n, 10**9 + n % 7, n) for n in range(MANY)],
    "most have little and few have much": [
        place(n, int(CHANCE.paretovariate(0.5)) * 10, CHANCE.randrange(10**10)) for n in range(MANY)
    ],
}


@pytest.mark.parametrize("everybody", SKEWS.values(), ids=SKEWS)
def test_whatever_the_points_are_those_ahead_are_known_in_a_few_reads(
    table: FakeTable, everybody: list[Place]
) -> None:
    for start in range(0, MANY, 100):
        maintain(CAMPAIGN, BOARD, everybody[start : start + 100])

    assert not problems(table, everybody)
    for one in everybody[::37]:
        table.reads.clear()
        assert ahead(one) == sorted_out(one, everybody)
        assert len(table.reads) <= 3
        assert sum(table.reads) <= 11
    newcomer = place("new", 60, 500)
    assert ahead(newcomer) == sorted_out(newcomer, everybody)


def test_totals_that_grow_event_by_event_and_fall_again(table: FakeTable) -> None:
    """A player goes through all classes of points, up and down."""
    others = [place(n, 4**n) for n in range(12)]
    maintain(CAMPAIGN, BOARD, others)
    totals = [*(3**n for n in range(15)), *(3**n - 1 for n in reversed(range(15)))]

    for version, total in enumerate(totals, start=1):
        mine = place("me", total, version, version)
        before = ahead(mine)
        maintain(CAMPAIGN, BOARD, [mine])
        assert before == ahead(mine) == sorted_out(mine, others)

    assert not problems(table, [*others, mine])


def test_a_small_board_takes_a_head_a_bucket_and_what_is_counted_of_oneself(
    table: FakeTable,
) -> None:
    everybody = [place(n, 50, n) for n in range(30)]
    maintain(CAMPAIGN, BOARD, everybody)
    table.reads.clear()

    ahead(everybody[7])

    assert table.reads == [1, 2]


def test_where_nobody_has_as_many_points_no_bucket_is_read(table: FakeTable) -> None:
    maintain(CAMPAIGN, BOARD, [place(n, 50, n) for n in range(30)])
    table.reads.clear()

    assert ahead(place("me", 1_000)) == Ahead(0, 0)
    assert ahead(place("me", 3)) == Ahead(30, 0)
    assert table.reads == [1, 1, 1, 1]


@pytest.mark.parametrize("points", [0, 10, 49, 50, 51, 200])
def test_ones_own_newest_points_count_before_the_index_has_them(
    table: FakeTable, points: int
) -> None:
    others = [place(n, n % 4 * 50, n) for n in range(40)]
    maintain(CAMPAIGN, BOARD, [*others, place("me", 50, 7)])
    mine = place("me", points, 90, 2)

    assert ahead(mine) == sorted_out(mine, others)


def test_who_is_aside_is_counted_neither_ahead_nor_at_the_same_place(table: FakeTable) -> None:
    everybody = [place("a", 9), place("b", 9), place("c", 5), place("d", 5), place("e", 1)]
    maintain(CAMPAIGN, BOARD, everybody)

    assert ahead(place("d", 5)) == Ahead(2, 1)
    assert ahead(place("d", 5), "user a", "user e", "user d", "nobody") == Ahead(1, 1)
    assert ahead(place("d", 5), "user a", "user b", "user c") == Ahead(0, 0)


def test_boards_and_campaigns_do_not_know_of_each_other(table: FakeTable) -> None:
    maintain(CAMPAIGN, "week2931", [place("a", 9)])
    maintain(CAMPAIGN, "week2932", [place("a", 3), place("b", 4)])
    maintain("camp02", "week2931", [place("a", 1)])

    assert ahead(place("me", 2), board="week2931") == Ahead(1, 0)
    assert ahead(place("me", 2), board="week2932") == Ahead(2, 0)
    assert ahead(place("me", 2)) == Ahead(0, 0)
    assert ahead_of("camp02", "week2931", place("me", 2)) == Ahead(0, 0)


def test_all_items_of_a_board_that_ends_go_away_with_it(table: FakeTable) -> None:
    ends = START // 1000 + 60
    everybody = [place(n, 50, n) for n in range(100)]

    maintain(CAMPAIGN, "day1", everybody, expires_at=ends)

    items = [unmarshal(item) for item in table.items.values()]
    assert {item["expiresAt"] for item in items} == {ends}
    assert {item["type"] for item in items} == {
        "PointsHead",
        "PointsJournal",
        "PointsNode",
        "PointsCounted",
    }


def test_a_board_that_has_ended_counts_nothing_more(table: FakeTable) -> None:
    """What is left of its items would not add up."""
    maintain(CAMPAIGN, "day1", [place("a", 9)], expires_at=START // 1000)

    assert not table.items


def test_an_event_without_points_writes_nothing(table: FakeTable) -> None:
    maintain(CAMPAIGN, BOARD, [place("a", 9)])
    before = dict(table.items)

    maintain(CAMPAIGN, BOARD, [place("a", 9, version=2)])

    assert table.items == before


@pytest.mark.parametrize(
    "impossible",
    [
        Place("a", 1, -1),
        Place("a", -1, position(5, START)),
        Place("a", 1, position(5, 2**48)),
        Place("", 1, position(5, START)),
        Place("a" * 101, 1, position(5, START)),
        Place("a", 1, "5"),  # type: ignore[arg-type]
        Place("a", None, position(5, START)),  # type: ignore[arg-type]
        Place(5, 1, position(5, START)),  # type: ignore[arg-type]
    ],
)
def test_what_cannot_be_counted_never_gets_into_a_batch(impossible: Place) -> None:
    with pytest.raises(ValueError, match="place"):
        checked(impossible)


def test_a_worker_that_dies_at_any_call_leaves_one_batch_or_the_other(table: FakeTable) -> None:
    """In a batch in which a bucket becomes an inner node, and some leave it and others come."""
    before = [place(n, 200 + n, n) for n in range(64)]
    moved = [place(n, 230 + n, 1_000 + n, 2) for n in range(5)]
    after = [*before[5:], *moved, *(place(n, 300 + n, n) for n in range(64, 80))]
    maintain(CAMPAIGN, BOARD, before)
    known = dict(table.items)
    mine = place("me", 264)
    seen = set()

    for call in range(1_000):
        table.items = dict(known)
        is_over = not dies(table, call, after)
        seen.add(ahead(mine))
        assert ahead(mine) in {sorted_out(mine, before), sorted_out(mine, after)}
        maintain(CAMPAIGN, BOARD, after)
        assert not problems(table, after)
        if is_over:
            break

    assert seen == {sorted_out(mine, before), sorted_out(mine, after)}


def dies(table: FakeTable, after_calls: int, places: Sequence[Place]) -> bool:
    """Whether a worker has died with this call, before or after it was carried out."""
    left = after_calls

    def happening() -> None:
        nonlocal left
        left -= 1
        if left < 0:
            raise Died

    table.happening = happening
    try:
        maintain(CAMPAIGN, BOARD, places)
    except Died:
        return True
    finally:
        table.happening = lambda: None
    return False


def test_how_many_are_on_a_board_is_in_its_head(table: FakeTable) -> None:
    maintain(CAMPAIGN, BOARD, [place(n, n % 3) for n in range(300)])
    table.reads.clear()

    everybody = size_of(CAMPAIGN, BOARD)
    reads = list(table.reads)
    some = size_of(CAMPAIGN, BOARD, without=["user 7", "user 7", "user 9", "nobody"])

    assert (everybody, reads, some) == (300, [1], 298)
    assert size_of(CAMPAIGN, "day1", without=["user 7"]) == 0
