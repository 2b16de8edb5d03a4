"""What tests of the end of a month do to a campaign, and what they look at."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from grapevine.months import month_at, name_of, start_of
from grapevine.table.keys import Key
from local.stack import Stack
from tests.api import Api, Json
from tests.invariants import Item, of_type, table_of
from tests.reward_stories import Program, stack_with_receivers
from tests.scenarios import DAY_MS, HOUR_MS, friends_of, leap

CLOSE, RELAY, SETTLE = "CloseMonthFunction", "RelayChangesFunction", "SettleMonthFunction"
GOAL = "PARTICIPANT_REACHED_A_GOAL"
Table = dict[Key, Item]


@contextmanager
def stack_on_a_second_day(engine: str) -> Iterator[Stack]:
    """An empty stack with receivers, on the second day of a month."""
    with stack_with_receivers(engine) as stack:
        leap(stack, start_of(this_month(stack) + 1) + DAY_MS)
        yield stack


def begin(stack: Stack, api: Api, options: Json | None = None) -> Program:
    """A campaign in progress that credits a referrer as soon as the friend joins."""
    return Program.begin(stack, api, options, installation={"referralTrigger": "ON_SIGNUP"})


def credit(program: Program, referrer: str, number: int = 1) -> list[str]:
    """The ids of new friends whose credits the referrer has got."""
    return friends_of(program.stack, program.id, referrer, number)


def referrers(program: Program, *counts: int) -> list[str]:
    """New participants who get so many credits, after all of them have joined."""
    people = friends_of(program.stack, program.id, None, len(counts))
    for person, count in zip(people, counts, strict=True):
        credit(program, person, count)
    return people


def this_month(stack: Stack) -> int:
    return month_at(stack.now_ms())


def pass_months(stack: Stack, number: int = 1) -> None:
    """It is some months later, an hour after the month's beginning, and no schedule has fired."""
    leap(stack, start_of(this_month(stack) + number) + HOUR_MS)


def close(stack: Stack) -> int:
    """The schedule fires once, and all that follows is done; how many months were closed."""
    closed: int = stack.invoke(CLOSE, {})["closed"]
    stack.drain()
    return closed


def answer_of(program: Program, month: int, **query: Any) -> Any:
    path = f"{program.path}/leaderboard/{name_of(month)}"
    return program.api.call("GET", path, params=query)


def final(program: Program, month: int) -> list[tuple[int, int, str]]:
    """Rank, count and id of everybody in the snapshot of a month."""
    answer = answer_of(program, month, limit=100)
    assert answer.status_code == 200, answer.text
    rows: list[Json] = answer.json()["participants"]
    return [(row["finalRank"], row["finalReferralCount"], row["id"]) for row in rows]


def closed_months(program: Program, items: Table | None = None) -> list[int]:
    """`items` is the whole table, when it has been read already."""
    closings = of_type((items or table_of(program.stack)).values(), "MonthClosing")
    return sorted(int(each["month"]) for each in closings if each["campaignId"] == program.id)


def wins(program: Program, reward: str, items: Table | None = None) -> list[tuple[int, str]]:
    """The months that a reward was won in, and by whom, as the table has it."""
    return sorted(
        (int(each["wonIn"]), each["participantId"])
        for each in of_type((items or table_of(program.stack)).values(), "EarnedReward")
        if each["campaignId"] == program.id and each["rewardId"] == reward
    )


def monthly(program: Program, winners: int = 3, **fields: Any) -> str:
    return program.offer(
        "LEADERBOARD", limitDuration="PER_MONTH", numberOfWinners=winners, **fields
    )
