"""What ranks, leaderboards, credits and a month's end cost by the size of the campaign, held
against the bounds that the project has set itself: `make bench-standings`.

Everything runs through the HTTP front of a stack on DynamoDB Local, whose figures are corrected
where it reports them wrongly (see `local.metering`). Ends with status 1 when a bound is broken or
anything is wrong: ranks, the index, a record that was given up.
"""

from __future__ import annotations

import argparse
import logging
import os
import random
import sys
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from grapevine.months import start_of
from grapevine.table.standings import Standing
from local.dynamodb_local import running
from tests.benchmarks.boards import read_boards
from tests.benchmarks.campaigns import WINNERS, Campaign, loaded
from tests.benchmarks.checking import check_everything
from tests.benchmarks.credits import PROJECT, burst, credit_alone
from tests.benchmarks.everyday import make_requests
from tests.benchmarks.figures import Bounds, mean, print_table, spent
from tests.benchmarks.lane import time_batches
from tests.benchmarks.measuring import PAUSE_S, STANDINGS_PART, Record
from tests.benchmarks.population import Population
from tests.month_stories import CLOSE, RELAY, SETTLE
from tests.scenarios import HOUR_MS, leap

SIZES = (1_000, 10_000, 100_000)
SAMPLE = 12
"""Participants of each kind that are read."""
ALONE = 30
SMALL_BURST, LARGE_BURST = 100, 1_000
LARGE_BURST_FROM = 100_000

MOST_ROUNDS = 3
MOST_STANDINGS_UNITS = {1_000: 4, 10_000: 6, 100_000: 8}


@dataclass(frozen=True, slots=True)
class Kind:
    """Participants that are read alike: `names` are ids or e-mail addresses."""

    label: str
    names: list[str]
    most_rounds: int = MOST_ROUNDS
    ranked: int = 1
    """Whose ranks the answer holds: the participant's, and perhaps its referrer's."""


def kinds(people: Population) -> list[Kind]:
    chance = random.Random(people.size)  # noqa: S311 - a sample
    best = sorted(
        people.standings.values(), key=lambda one: (-one.referral_count, one.join_sequence)
    )
    alone = [one for one in best if one.join_sequence not in people.ties]
    referred = chance.sample(sorted(people.ties), min(SAMPLE, len(people.ties)))

    def sample(wanted: Callable[[Standing], bool]) -> list[str]:
        found = [one.participant_id for one in alone if wanted(one)]
        return chance.sample(found, min(SAMPLE, len(found)))

    def scores_everywhere(one: Standing) -> bool:
        return bool(one.count_in(people.month) and one.count_in(people.month - 1))

    return [
        Kind("without a credit", sample(lambda one: not one.referral_count)),
        Kind("with credits", sample(lambda one: bool(one.referral_count))),
        Kind("with credits of this month and the last", sample(scores_everywhere)),
        Kind("the best", [one.participant_id for one in alone[:SAMPLE]]),
        Kind("with a referrer", [people.id_of(one) for one in referred], ranked=2),
        # The address must be found first.
        Kind(
            "with a referrer, by e-mail",
            [people.email_of(one) for one in referred],
            most_rounds=MOST_ROUNDS + 1,
            ranked=2,
        ),
    ]


def read_participants(campaign: Campaign) -> None:
    rows = []
    for kind in kinds(campaign.people):
        records = [_read(campaign, name) for name in kind.names]
        parts = [one.read_of(STANDINGS_PART) for one in records]
        rounds = max(one.rounds for one in records)
        rows.append(
            [
                kind.label,
                len(records),
                max(len(one.calls) for one in records),
                rounds,
                mean(one.read_units for one in records),
                max(one.read_units for one in records),
                mean(parts),
                max(parts),
                spent(max(records, key=lambda one: one.read_units).reads()),
            ]
        )
        what = f"{campaign.size:,}: participant {kind.label}"
        campaign.bounds.hold(f"{what}, rounds", rounds, kind.most_rounds)
        if kind.ranked == 1:
            bound = MOST_STANDINGS_UNITS.get(campaign.size)
            campaign.bounds.hold(f"{what}, standings part", max(parts), bound)
    columns = ("participant", "read", "calls", "rounds", "read units, mean", "most")
    print_table(
        "One participant with three ranks",
        (*columns, "standings part, mean", "most", "the dearest, by part"),
        rows,
    )


def _read(campaign: Campaign, name: str) -> Record:
    with campaign.engine.log.recorded(pause=PAUSE_S) as record:
        campaign.api.read(campaign.id, name)
    return record


def end_month(campaign: Campaign) -> int:
    """How many items the end of the month writes for the campaign."""
    leap(campaign.stack, start_of(campaign.people.month + 1) + HOUR_MS)
    with campaign.engine.log.recorded() as record:
        campaign.stack.invoke(CLOSE, {})
        campaign.stack.drain()
    parts = {"close": CLOSE, "relay": RELAY, "settle": SETTLE, "project": PROJECT}
    each = {name: record.of(function_id) for name, function_id in parts.items()}
    print_table(
        f"The month's end, with {WINNERS} winners",
        ("function", "items written", "write units", "read units", "write units by part"),
        [
            [name, one.items_written, one.write_units, one.read_units, spent(one.writes())]
            for name, one in each.items()
        ],
    )
    return sum(one.items_written for one in each.values())


def measure(size: int, url: str, bounds: Bounds) -> int:
    """Everything for one size; gives the number of items that the month's end wrote."""
    pending = ALONE + SMALL_BURST + (LARGE_BURST if size >= LARGE_BURST_FROM else 0)
    with loaded(size, pending, url, bounds) as campaign:
        read_participants(campaign)
        read_boards(campaign)
        friends = campaign.people.pending()
        alone, small, large = (
            friends[:ALONE],
            friends[ALONE : ALONE + SMALL_BURST],
            friends[ALONE + SMALL_BURST :],
        )
        credit_alone(campaign, alone)
        burst(campaign, small, working=False)
        if large:
            burst(campaign, large, working=True)
        check_everything(campaign, [*alone, *small, *large])
        written = end_month(campaign)
        make_requests(campaign)
        time_batches(campaign)
        return written


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--sizes", nargs="+", type=int, default=SIZES)
    arguments = parser.parse_args()
    logging.disable(logging.INFO)
    bounds = Bounds()
    writes: dict[int, int] = {}
    for size in arguments.sizes:
        with running(Path(os.environ["GRAPEVINE_DYNAMODB_LOCAL_DIR"])) as url:
            writes[size] = measure(size, url, bounds)
    if len(set(writes.values())) > 1:
        bounds.broken.append(f"items that a month's end writes, by size: {writes}")
    print("\n" + "\n".join(["Broken:", *bounds.broken] if bounds.broken else ["All hold."]))
    return 1 if bounds.broken else 0


if __name__ == "__main__":
    sys.exit(main())
