"""Leaderboards against sorting everybody: five orders, their pages and their cursors."""

from __future__ import annotations

import random
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any

import pytest

from grapevine.months import month_at, start_of
from local.stack import Stack
from tests import visitors
from tests.api import Api, Json
from tests.conftest import TEMPLATE
from tests.refusals import refusal
from tests.scenarios import drain, leap

ALL_TIME, CURRENT, PREVIOUS = "ALL_TIME", "CURRENT_MONTH", "PREV_MONTH"
TOTAL, UNIQUE = "TOTAL_IMPRESSION_COUNT", "UNIQUE_IMPRESSION_COUNT"
BOARDS = [ALL_TIME, CURRENT, PREVIOUS, TOTAL, UNIQUE]
COUNTS = {
    ALL_TIME: "referralCount",
    CURRENT: "monthlyReferralCount",
    PREVIOUS: "prevMonthlyReferralCount",
    TOTAL: "impressionCount",
    UNIQUE: "uniqueImpressionCount",
}


@dataclass
class Program:
    """A campaign, what is known of its participants by their ids in join order, and its boards."""

    stack: Stack
    api: Api
    id: str
    joined: dict[str, int] = field(default_factory=dict)
    credits: dict[int, Counter[str]] = field(default_factory=dict)
    seen: dict[str, Counter[str]] = field(
        default_factory=lambda: {TOTAL: Counter(), UNIQUE: Counter()}
    )
    known: dict[str, set[str]] = field(default_factory=dict)

    @classmethod
    def begin(cls, stack: Stack, api: Api) -> Program:
        installation = {"shareUrl": "https://example.com/join"}
        return cls(stack, api, api.campaign(installation=installation))

    @property
    def month(self) -> int:
        return month_at(self.stack.now_ms())

    def join(self, number: int = 1) -> list[str]:
        ids = [self.api.add(self.id)["id"] for _ in range(number)]
        self.joined |= dict.fromkeys(ids, self.month)
        return ids

    def credit(self, referrer: str, times: int = 1) -> None:
        for _ in range(times):
            fields = {"referredBy": referrer, "referralStatus": "CREDIT_AWARDED"}
            friend = self.api.add(self.id, **fields)["id"]
            self.joined[friend] = self.month
            self.credits.setdefault(self.month, Counter())[referrer] += 1

    def visit(self, participant: str, by: str) -> None:
        assert visitors.view(self.api, self.id, participant, by)
        known = self.known.setdefault(participant, set())
        self.seen[TOTAL][participant] += 1
        self.seen[UNIQUE][participant] += by not in known
        known.add(by)

    def leave(self, participant: str) -> None:
        self.api.delete(self.id, participant)
        del self.joined[participant]

    def count(self, board: str, participant: str) -> int:
        match board:
            case "ALL_TIME":
                return sum(counter[participant] for counter in self.credits.values())
            case "CURRENT_MONTH":
                return self.credits.get(self.month, Counter())[participant]
            case "PREV_MONTH":
                return self.credits.get(self.month - 1, Counter())[participant]
        return self.seen[board][participant]

    def order(self, board: str) -> list[str]:
        """The ids as they should stand: sorting keeps the join order of equal ones."""
        there = [
            one for one, month in self.joined.items() if board != PREVIOUS or month < self.month
        ]
        return sorted(there, key=lambda one: -self.count(board, one))

    def page(self, board: str | None = None, **query: Any) -> Json:
        named = {} if board is None else {"leaderboardType": board}
        return self.api.ok("GET", f"/v2/campaign/{self.id}/leaderboard", params={**named, **query})

    def pages(self, board: str, limit: int, **query: Any) -> Iterator[list[Json]]:
        """The rows of every page, by following `nextId`."""
        while True:
            page = self.page(board, limit=limit, **query)
            yield page["participants"]
            if page["nextId"] is None:
                return
            query["nextId"] = page["nextId"]

    def listed(self, board: str, limit: int = 100, **query: Any) -> list[str]:
        return [row["id"] for page in self.pages(board, limit, **query) for row in page]


@pytest.fixture
def program(stack: Stack, api: Api) -> Program:
    return Program.begin(stack, api)


@pytest.fixture(scope="module")
def months(engine: str) -> Iterator[Program]:
    """Credits in three months, some of them none; newcomers in each; visits; people who left."""
    rng = random.Random(7)  # noqa: S311 - a story
    with Stack(TEMPLATE, engine=engine) as stack, Api(stack.url, stack.api_key) as api:
        told = Program.begin(stack, api)
        for turn in range(3):
            if turn:
                leap(stack, start_of(told.month + 1))
            told.join(6)
            for _ in range(7):
                told.credit(rng.choice(list(told.joined)))
            told.leave(told.join()[0])
        people, browsers = list(told.joined), [visitors.visitor() for _ in range(5)]
        for number in range(15):
            told.visit(rng.choice(people[:9]), browsers[number % 5])
        drain(api)
        yield told


@pytest.mark.both_engines
@pytest.mark.parametrize("limit", [1, 3, 7, 100])
@pytest.mark.parametrize("board", BOARDS)
def test_pages_of_any_size_make_up_the_whole_order(months: Program, board: str, limit: int) -> None:
    pages = list(months.pages(board, limit))

    assert [row["id"] for page in pages for row in page] == months.order(board)
    assert [len(page) for page in pages[:-1]] == [limit] * (len(pages) - 1)
    assert 0 < len(pages[-1]) <= limit


@pytest.mark.parametrize("board", BOARDS)
def test_rows_are_what_reading_each_one_answers(months: Program, board: str) -> None:
    rows = months.page(board, limit=100)["participants"]

    for row in (rows[0], rows[len(rows) // 2], rows[-1]):
        assert row == months.api.read(months.id, row["id"])
    found = [row[COUNTS[board]] for row in rows]
    assert found == [months.count(board, row["id"]) for row in rows]
    assert found == sorted(found, reverse=True)


@pytest.mark.parametrize(
    ("board", "rank"), [(ALL_TIME, "rank"), (CURRENT, "monthlyRank"), (PREVIOUS, "prevMonthlyRank")]
)
def test_the_ranks_of_a_board_count_its_rows(months: Program, board: str, rank: str) -> None:
    rows = [row for page in months.pages(board, 10) for row in page]

    assert [row[rank] for row in rows] == list(range(1, len(rows) + 1))


@pytest.mark.parametrize("board", BOARDS)
def test_a_page_can_begin_with_any_participant(months: Program, board: str) -> None:
    order = months.order(board)

    for start in (0, 4, len(order) - 1):
        assert months.listed(board, 5, nextId=order[start]) == order[start:]


def test_who_joined_after_the_month_is_not_on_its_board(months: Program) -> None:
    newcomers = [one for one, month in months.joined.items() if month == months.month]

    assert newcomers
    assert not set(months.listed(PREVIOUS)) & set(newcomers)
    for newcomer in newcomers:
        assert months.page(PREVIOUS, nextId=newcomer)["participants"] == []


@pytest.mark.parametrize(
    ("query", "board"),
    [
        ({}, ALL_TIME),
        ({"isMonthly": "false"}, ALL_TIME),
        ({"isMonthly": "true"}, CURRENT),
        ({"isMonthly": "true", "leaderboardType": ALL_TIME}, ALL_TIME),
        ({"isMonthly": "false", "leaderboardType": CURRENT}, CURRENT),
    ],
)
def test_the_board_is_the_one_asked_for(months: Program, query: Json, board: str) -> None:
    assert months.page(**query) == months.page(board)


def test_without_a_limit_a_page_has_ten(months: Program) -> None:
    page = months.page()

    assert (len(page["participants"]), page["limit"]) == (10, 10)
    assert page["nextId"].split(".")[0] == months.order(ALL_TIME)[10]


@pytest.mark.parametrize("board", BOARDS)
def test_a_campaign_without_participants_has_an_empty_board(program: Program, board: str) -> None:
    assert program.page(board) == {"participants": [], "limit": 10, "nextId": None}


@pytest.mark.both_engines
@pytest.mark.parametrize("board", BOARDS)
def test_who_moves_between_two_pages_takes_nobody_along(program: Program, board: str) -> None:
    """The first of the second page goes to the top: the others still come once each."""
    people = program.join(9)
    drain(program.api)
    first = program.page(board, limit=4)
    if board == PREVIOUS:
        assert first["participants"] == []
        return
    moved = first["nextId"].split(".")[0]
    program.credit(moved)
    program.visit(moved, visitors.visitor())
    drain(program.api)

    rest = program.listed(board, 4, nextId=first["nextId"])

    listed = [row["id"] for row in first["participants"]] + rest
    still = [one for one in listed if one in people and one != moved]
    assert still == [one for one in people if one != moved]


def test_a_cursor_outlives_its_participant(program: Program) -> None:
    people = program.join(8)
    page = program.page(ALL_TIME, limit=3)
    program.leave(people[3])

    assert program.listed(ALL_TIME, 3, nextId=page["nextId"]) == people[4:]


def test_a_listing_of_a_month_goes_on_in_it_when_the_next_one_begins(fresh_stack: Stack) -> None:
    with Api(fresh_stack.url, fresh_stack.api_key) as api:
        program = Program.begin(fresh_stack, api)
        *_, last = program.join(6)
        program.credit(last, 2)
        drain(api)
        order = program.order(CURRENT)
        page = program.page(CURRENT, limit=3)
        leap(fresh_stack, start_of(program.month + 1))
        program.credit(order[5], 3)
        drain(api)

        rest = program.listed(CURRENT, 3, nextId=page["nextId"])

        assert [row["id"] for row in page["participants"]] + rest == order


@pytest.mark.parametrize(
    "next_id",
    [
        "zzzzzz",
        "",
        "a b",
        "#",
        "x" * 300,
        "nobody@example.com",
        "void-1",
        "zzzzzz.all.1",
        "zzzzzz.all.1.",
        "zzzzzz.all.-1.1",
        "zzzzzz.month1.0.1",
        "zzzzzz.nowhere.0.1",
        "zzzzzz.all.1.1.1",
        "zzzzzz.all.99999999999999999999999.1",
        "zzzzzz.total.5.1",
    ],
)
def test_an_unknown_cursor_gives_an_empty_last_page(months: Program, next_id: str) -> None:
    page = months.page(ALL_TIME, nextId=next_id)

    assert page == {"participants": [], "limit": 10, "nextId": None}


@pytest.mark.parametrize("name", ["zzzzzz", "../x", "gavin-1"])
def test_a_cursor_shows_nobody_whom_the_board_does_not(months: Program, name: str) -> None:
    """Whatever stands in the place of the id: the place alone decides."""
    page = months.page(ALL_TIME, nextId=f"{name}.all.999999999.9999999999", limit=100)

    expected = months.order(ALL_TIME) if name != "../x" else []
    assert [row["id"] for row in page["participants"]] == expected


@pytest.mark.parametrize(
    ("query", "param"),
    [
        ({"leaderboardType": "BEST"}, "leaderboardType"),
        ({"leaderboardType": ""}, "leaderboardType"),
        ({"isMonthly": "maybe"}, "isMonthly"),
        ({"limit": "101"}, "limit"),
        ({"limit": "0"}, "limit"),
    ],
)
def test_a_wrong_query_is_refused_with_its_detail(months: Program, query: Json, param: str) -> None:
    path = f"/v2/campaign/{months.id}/leaderboard"

    body = refusal(months.api.call("GET", path, params=query), 400)

    assert [(each["location"], each["param"]) for each in body["errors"]] == [("query", param)]


@pytest.mark.parametrize("board", ["BY_COMMISSIONS", "BY_REVENUE", "BY_REFERRALS", "BY_LEADS"])
def test_boards_of_affiliate_programs_are_none_of_a_referral_campaign(
    months: Program, board: str
) -> None:
    path = f"/v2/campaign/{months.id}/leaderboard"

    refusal(months.api.call("GET", path, params={"leaderboardType": board}), 422)
