"""What a page of a hundred costs on each leaderboard: first, where the counts end, and last."""

from __future__ import annotations

from collections.abc import Callable

from tests.benchmarks.campaigns import Campaign
from tests.benchmarks.figures import print_table, spent
from tests.benchmarks.measuring import PAUSE_S, STANDINGS_PART, Record
from tests.benchmarks.population import Population

PAGE = 100
MOST_OF_DEEPEST = 1.5
"""What the deepest page may cost beside the first one."""


def orders(people: Population) -> dict[str, tuple[list[int], int]]:
    """By leaderboard: join sequences in their order, and how many of them have a count."""
    month = people.month
    standings = people.standings

    def order(count: Callable[[int], int], joined_by: int = month) -> tuple[list[int], int]:
        members = [one for one in standings if standings[one].joined_month <= joined_by]
        scored = sum(1 for one in members if count(one))
        return sorted(members, key=lambda one: (-count(one), one)), scored

    return {
        "ALL_TIME": order(lambda one: standings[one].referral_count),
        "CURRENT_MONTH": order(lambda one: standings[one].count_in(month)),
        "PREV_MONTH": order(lambda one: standings[one].count_in(month - 1), month - 1),
        "TOTAL_IMPRESSION_COUNT": order(lambda one: people.impressions.get(one, (0, 0))[0]),
        "UNIQUE_IMPRESSION_COUNT": order(lambda one: people.impressions.get(one, (0, 0))[1]),
    }


def read_boards(campaign: Campaign) -> None:
    rows = []
    for board, (order, scored) in orders(campaign.people).items():
        first = _page(campaign, board, order, 0)
        crossing = _page(campaign, board, order, max(scored - PAGE // 2, 0))
        deepest = _page(campaign, board, order, len(order) - PAGE)
        ratio = deepest.read_units / first.read_units
        campaign.bounds.hold(
            f"{campaign.size:,}: {board}, the deepest page beside the first", ratio, MOST_OF_DEEPEST
        )
        rows += [
            [
                board,
                name,
                len(one.calls),
                one.rounds,
                one.read_units,
                one.read_of(STANDINGS_PART),
                one.read_units / first.read_units,
                spent(one.reads()),
            ]
            for name, one in (("first", first), ("counts end", crossing), ("deepest", deepest))
        ]
    columns = (
        "board",
        "page",
        "calls",
        "rounds",
        "read units",
        "standings part",
        "beside the first",
    )
    print_table(f"A page of {PAGE} of a leaderboard", (*columns, "by part"), rows)


def _page(campaign: Campaign, board: str, order: list[int], start: int) -> Record:
    """Reads the page that begins at a place, and holds it against the order."""
    wanted = [campaign.people.id_of(one) for one in order[start : start + PAGE]]
    query = {"leaderboardType": board, "limit": PAGE} | ({"nextId": wanted[0]} if start else {})
    with campaign.engine.log.recorded(pause=PAUSE_S) as record:
        path = f"/v2/campaign/{campaign.id}/leaderboard"
        answer = campaign.api.ok("GET", path, params=query)
    if [row["id"] for row in answer["participants"]] != wanted:
        campaign.bounds.broken.append(f"{campaign.size:,}: {board} from {start:,} is wrong")
    return record
