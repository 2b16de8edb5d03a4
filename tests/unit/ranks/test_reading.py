from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace

import pytest

from grapevine import runtime
from grapevine.engine import attempts
from grapevine.engine.ranks import protocol
from grapevine.engine.ranks.batch import checked
from grapevine.engine.ranks.maintenance import maintain
from grapevine.engine.ranks.reading import ranks_of
from grapevine.engine.ranks.snapshot import participants_in, referrals_in
from grapevine.engine.ranks.tree import Shape
from grapevine.errors import Busy
from grapevine.months import start_of
from grapevine.table import rank_keys, store
from grapevine.table.ranks import RankHead, RankJournal
from grapevine.table.standings import Standing
from grapevine.table.writes import ABSENT
from tests import rank_index
from tests.unit.ranks.fake_table import FakeTable
from tests.unit.ranks.story import CAMPAIGN, FIRST_MONTH

SMALL = Shape(4, 3)


def member(sequence: int, count: int = 0, month: int = FIRST_MONTH) -> Standing:
    standing = Standing(
        campaign_id=CAMPAIGN,
        participant_id=f"p{sequence}",
        join_sequence=sequence,
        joined_month=FIRST_MONTH - 1,
    )
    for _ in range(count):
        standing = standing.plus_one(month)
    return standing


@pytest.fixture
def table() -> Iterator[FakeTable]:
    fake = FakeTable()
    settings = runtime.Settings({"TABLE_NAME": "table"})
    with runtime.using(
        runtime.Runtime(settings, now_ms=lambda: start_of(FIRST_MONTH), client=lambda _: fake)
    ):
        yield fake


def head() -> RankHead:
    key = rank_keys.rank_head(CAMPAIGN)
    return RankHead.found(CAMPAIGN, store.get_many([key]).get(key))


@pytest.mark.parametrize("ahead", [0, 1, 2, 3])
@pytest.mark.parametrize("before", [0, 1, 2])
def test_ones_own_newest_credits_count_before_the_index_has_them(
    table: FakeTable, before: int, ahead: int
) -> None:
    others = [member(sequence, count=sequence % 4) for sequence in range(1, 30) if sequence != 17]
    maintain(CAMPAIGN, [*others, member(17, before)], SMALL)
    mine = member(17, before + ahead)

    [ranks] = ranks_of(CAMPAIGN, [mine], FIRST_MONTH, shape=SMALL)

    assert ranks == rank_index.brute_force([*others, mine], FIRST_MONTH)["p17"]


@pytest.mark.parametrize("left", [0, 1])
def test_a_credit_taken_back_counts_before_the_index_has_it(table: FakeTable, left: int) -> None:
    others = [member(sequence, count=sequence % 4) for sequence in range(1, 30) if sequence != 17]
    credited = member(17, left + 1)
    maintain(CAMPAIGN, [*others, credited], SMALL)
    mine = credited.minus_one(FIRST_MONTH)

    [ranks] = ranks_of(CAMPAIGN, [mine], FIRST_MONTH, shape=SMALL)

    assert ranks == rank_index.brute_force([*others, mine], FIRST_MONTH)["p17"]


@pytest.mark.parametrize("indexed", [0, 1, 5, 12])
def test_newcomers_count_before_the_index_has_them(table: FakeTable, indexed: int) -> None:
    everybody = [member(sequence) for sequence in range(1, 15)]
    maintain(CAMPAIGN, everybody[:indexed], SMALL)

    found = ranks_of(CAMPAIGN, everybody, FIRST_MONTH, shape=SMALL)

    assert [each.rank for each in found] == list(range(1, 15))


def test_a_number_that_was_drawn_and_never_used_moves_nobody(table: FakeTable) -> None:
    everybody = [member(sequence) for sequence in (1, 2, 6, 9, 40)]
    maintain(CAMPAIGN, everybody, SMALL)

    found = ranks_of(CAMPAIGN, everybody, FIRST_MONTH, shape=SMALL)

    assert [each.rank for each in found] == [1, 2, 3, 4, 5]


def test_a_page_takes_one_round_behind_the_head(table: FakeTable) -> None:
    everybody = [member(sequence, count=sequence % 5) for sequence in range(1, 40)]
    maintain(CAMPAIGN, everybody, SMALL)
    known = head()
    table.reads.clear()

    ranks_of(CAMPAIGN, everybody, FIRST_MONTH, head=known, shape=SMALL)

    assert len(table.reads) == 1


def test_the_only_one_with_a_score_needs_no_node_to_know_it(table: FakeTable) -> None:
    everybody = [*(member(sequence) for sequence in range(1, 20)), member(20, 7)]
    maintain(CAMPAIGN, everybody, SMALL)
    leader = replace(everybody[-1], joined_month=FIRST_MONTH)
    table.reads.clear()

    ranks_of(CAMPAIGN, [leader], FIRST_MONTH, shape=SMALL)

    assert table.reads == [1, 1]


def test_the_head_knows_how_many_there_are_and_what_they_have(table: FakeTable) -> None:
    gone = replace(member(3, 2), version=9, referral_count=0, even_month=None, deleted_at=1)
    maintain(CAMPAIGN, [member(1, 3), member(2), member(3, 2), member(4, 1)], SMALL)
    maintain(CAMPAIGN, [gone], SMALL)

    assert (participants_in(head()), referrals_in(head())) == (3, 4)


@pytest.mark.parametrize(
    "impossible",
    [
        {"referral_count": -1},
        {"join_sequence": 0},
        {"version": "1"},
        {"even_month": (2, 5)},
        {"odd_month": (FIRST_MONTH, "many")},
    ],
)
def test_what_cannot_be_counted_never_gets_into_a_batch(impossible: dict[str, object]) -> None:
    with pytest.raises(ValueError, match="standing"):
        checked(replace(member(1), **impossible))  # type: ignore[arg-type]


def test_a_worker_waits_no_longer_than_its_deadline(
    table: FakeTable, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(attempts, "DEADLINE_SECONDS", 0.05)
    monkeypatch.setattr(protocol, "PATIENCE_SECONDS", 60)
    somebody_elses = RankJournal(
        campaign_id=CAMPAIGN,
        generation=1,
        version=RankHead.new(CAMPAIGN).version + 1,
        month=FIRST_MONTH,
        before=b"",
        after=b"",
    )
    store.put(somebody_elses.to_item(), ABSENT)

    with pytest.raises(Busy):
        maintain(CAMPAIGN, [member(1)])
