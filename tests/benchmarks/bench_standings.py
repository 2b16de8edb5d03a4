"""What ranks cost by the size of the campaign: `make bench-standings ARGS="1000 10000 100000"`.

The index is filled with standings that are made up: nine of ten without a referral, the others by a
power law. Those who are read and credited join through the API, spread over all of join order.
Figures are request units as DynamoDB counts them (see `local.metering`).
"""

from __future__ import annotations

import argparse
import logging
import random
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from statistics import mean
from typing import Any

from grapevine import runtime
from grapevine.engine.ranks.maintenance import MOST_AT_ONCE, maintain
from grapevine.engine.ranks.reading import ranks_of
from grapevine.months import month_at
from grapevine.table import keys, store
from grapevine.table.standings import Standing
from local import invocation
from local.invocation import Invocation
from local.stack import Stack
from tests.api import Api

PROJECT = "ProjectStandingsFunction"
TEMPLATE = Path(__file__).parents[2] / "template.yaml"
REAL = 100
"""Participants who join through the API, each with a friend to be credited for."""


@contextmanager
def metered(stack: Stack) -> Iterator[Invocation]:
    """Calls the engine as a function would, and counts what that costs."""
    counted = Invocation("benchmark")
    settings = runtime.Settings({"TABLE_NAME": stack.table_name})
    observed = runtime.Runtime(settings, now_ms=stack.now_ms, client=stack._client)
    with invocation.within(counted), runtime.using(observed):
        yield counted


def made_up(campaign_id: str, sequence: int, month: int, chance: random.Random) -> Standing:
    """One of ten has referrals, one of twenty-seven some of this month."""
    count = min(int(chance.paretovariate(1.2)), 3000) if chance.random() < 0.1 else 0
    this_month = min(count, int(chance.paretovariate(1.2))) if chance.random() < 0.37 else 0
    slot = (month, this_month) if this_month else None
    return Standing(
        campaign_id=campaign_id,
        participant_id=f"p{sequence}",
        version=count,
        join_sequence=sequence,
        joined_month=month - 2,
        referral_count=count,
        even_month=None if month % 2 else slot,
        odd_month=slot if month % 2 else None,
    )


class Campaign:
    """A campaign of `size`, in which some are real."""

    def __init__(self, stack: Stack, api: Api, size: int) -> None:
        self.stack, self.api, self.size = stack, api, size
        self.chance = random.Random(size)  # noqa: S311 - made-up people
        self.id = api.campaign()
        self.month = month_at(stack.now_ms())
        real = sorted(self.chance.sample(range(1, size + 1), REAL))
        self._fill({*real})
        self.referrers = [self._join_as(sequence) for sequence in real]
        self._join_as(size)
        self.friends = [
            [api.add(self.id, referredBy=one)["id"] for _ in range(4)] for one in self.referrers
        ]
        self.project()

    def _fill(self, left_out: set[int]) -> None:
        everybody = [one for one in range(1, self.size + 1) if one not in left_out]
        with runtime.using(self.stack.runtime()):
            for start in range(0, len(everybody), MOST_AT_ONCE):
                neighbours = everybody[start : start + MOST_AT_ONCE]
                maintain(
                    self.id,
                    [made_up(self.id, one, self.month, self.chance) for one in neighbours],
                )

    def _join_as(self, sequence: int) -> str:
        where = keys.join_sequence(self.id)
        item = {
            "partition": {"S": where.partition},
            "sort": {"S": where.sort},
            "type": {"S": "Sequence"},
            "joinSequence": {"N": str(sequence - 1)},
        }
        self.stack.dynamodb.put_item(TableName=self.stack.table_name, Item=item)
        joined: str = self.api.add(self.id)["id"]
        return joined

    def project(self) -> float:
        """The write units of bringing everything that is pending into ranks and totals."""
        consumer = self.stack._consumers[PROJECT]
        records = self.stack.take_records(PROJECT)
        units = 0.0
        for start in range(0, len(records), consumer.batch_size):
            event = consumer.event(records[start : start + consumer.batch_size])
            outcome = self.stack.functions.invoke(PROJECT, event)
            assert outcome.failure is None, outcome.failure
            units += outcome.invocation.write_units
        return units

    def credit(self, friend: str) -> float:
        path = f"/v2/campaign/{self.id}/participant/{friend}/ref"
        return float(self.api.call("POST", path, {}).headers["X-Local-Write-Units"])

    def read(self, participant: str) -> tuple[float, float, int]:
        """Read units of the standings part; read units and calls of the whole request."""
        path = f"/v2/campaign/{self.id}/participant/{participant}"
        answer = self.api.call("GET", path)
        with metered(self.stack) as counted:
            item = store.get(keys.standing(self.id, participant))
            assert item is not None
            ranks_of(self.id, [Standing.from_item(item)], self.month)
        headers = answer.headers
        return (
            counted.read_units,
            float(headers["X-Local-Read-Units"]),
            int(headers["X-Local-Calls"]),
        )


def figures(stack: Stack, api: Api, size: int) -> dict[str, Any]:
    campaign = Campaign(stack, api, size)
    zeros = [campaign.read(one) for one in campaign.referrers[:20]]
    alone = [
        campaign.credit(friend) + campaign.project()
        for friends in campaign.friends[::5]
        for friend in friends[:3]
    ]
    burst = sum(campaign.credit(friends[3]) for friends in campaign.friends) + campaign.project()
    scored = [campaign.read(one) for one in campaign.referrers]
    return {
        "participants": size,
        "zero: standings part": max(units for units, _, _ in zeros),
        "scored: standings part, mean": round(mean(units for units, _, _ in scored), 2),
        "scored: standings part, most": max(units for units, _, _ in scored),
        "read: all, most": max(units for _, units, _ in scored),
        "read: calls, most": max(calls for _, _, calls in scored),
        "credit alone, mean": round(mean(alone), 2),
        "credit alone, most": max(alone),
        "credit in a burst of 100": round(burst / REAL, 2),
    }


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("sizes", nargs="*", type=int, default=[1000, 10_000, 100_000])
    parser.add_argument("--engine", default="moto", help="moto or the URL of a DynamoDB")
    arguments = parser.parse_args()
    logging.disable(logging.INFO)
    for size in arguments.sizes:
        with (
            Stack(TEMPLATE, engine=arguments.engine, background=False) as stack,
            Api(stack.url, stack.api_key) as api,
        ):
            for name, value in figures(stack, api, size).items():
                print(f"{name:<32}{value:>10}")
        print()


if __name__ == "__main__":
    main()
