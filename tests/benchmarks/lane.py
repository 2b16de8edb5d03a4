"""The processor time of the rank index: a campaign's batches follow each other, so this is what
bounds the credits that one campaign can take."""

from __future__ import annotations

import random
import statistics
import time

from grapevine import runtime
from grapevine.engine.ranks.maintenance import MOST_AT_ONCE, maintain
from tests.benchmarks.campaigns import Campaign
from tests.benchmarks.figures import print_table

BATCHES = (1, 25, 100, MOST_AT_ONCE)
REPETITIONS = 5


def time_batches(campaign: Campaign) -> None:
    """Counts credits in the index that nobody has got: come here last."""
    rows = []
    with runtime.using(campaign.stack.runtime()):
        for size in BATCHES:
            taken = [_milliseconds(campaign, size) for _ in range(REPETITIONS)]
            rows.append([size, statistics.median(taken) / size])
    columns = ("referrers credited in a batch", "milliseconds for each")
    print_table("Processor time of the rank index on this machine", columns, rows)


def _milliseconds(campaign: Campaign, size: int) -> float:
    people = campaign.people
    credited = random.sample(sorted(people.standings), size)
    for one in credited:
        people.standings[one] = people.standings[one].plus_one(people.month)
    began = time.process_time()
    maintain(campaign.id, [people.standings[one] for one in credited])
    return (time.process_time() - began) * 1000
