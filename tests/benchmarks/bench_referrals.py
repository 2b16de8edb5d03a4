"""What the lists of referrals and invites cost by their length, held against the bounds that the
project has set itself: `make bench-referrals`.

All rows are of one participant, so that its list is as long as the campaign's. Everything runs
through the HTTP front of a stack on DynamoDB Local, whose figures are corrected where it reports
them wrongly (see `local.metering`). Ends with status 1 when a page of a seed's order costs
over a quarter more in the longest list than in the shortest, or deep in a list than at its top, or
when a page holds other rows than sorting all of them.
"""

from __future__ import annotations

import argparse
import logging
import os
import random
import sys
import time
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from grapevine.engine.referral_lists.orders import (
    ORDERS,
    SortBy,
    cursor_of,
    in_order,
    start_of,
)
from grapevine.months import month_at
from grapevine.table.attributes import Item
from grapevine.table.invites import Invite
from grapevine.table.referral_rows import Row, row_of
from grapevine.table.referrals import Referral, ReferralStatus
from local.dynamodb_local import running
from local.stack import Stack
from tests.api import Api, Json
from tests.benchmarks.figures import Bounds, print_table
from tests.benchmarks.loading import load
from tests.benchmarks.measuring import MeasuredEngine

TEMPLATE = Path(__file__).parents[2] / "template.yaml"
SIZES = (1_000, 100_000)
LIMIT = 10
DEEP = 0.9
"""How far down the deep page is, as a part of the list."""
MOST_OF_LONG = 1.25
MOST_OF_DEEP = 1.25
MOST_OF_DEEP_UNTRIGGERED = 2
"""Behind the credited ones, three lists are merged instead of one read: a unit more."""

SEED_ORDERS: tuple[SortBy, ...] = ("updatedAt", "createdAt", "email", "referralTriggeredAt")
INDEXED: tuple[SortBy, ...] = (*SEED_ORDERS, "referralStatus")

_SPAN_MS = 180 * 24 * 3600 * 1000
_NAMES = ("Ada", "Grace", "Barbara", "Edith", "Radia", "Karen", "Mary", "Joan")


def rows_of(campaign_id: str, referrer_id: str, size: int, now: int) -> list[Item]:
    """Half of them credited, a quarter pending, one of seven expired, one of ten an invite."""
    chance = random.Random(size)  # noqa: S311 - made-up people
    return [_row(chance, campaign_id, referrer_id, number, now) for number in range(size)]


def _row(chance: random.Random, campaign_id: str, referrer_id: str, number: int, now: int) -> Item:
    created_at = now - chance.randrange(_SPAN_MS)
    drawn = chance.random()
    if drawn < 0.1:
        return Invite(
            campaign_id=campaign_id,
            referrer_id=referrer_id,
            address_hash=f"{number:020x}",
            email=f"invited.{number}@example.com",
            request_hash=f"{number:020x}",
            message_id=f"{number:020x}",
            created_at=created_at,
        ).to_item()
    status: ReferralStatus = "CREDIT_AWARDED"
    if drawn > 0.6:
        status = "CREDIT_PENDING" if drawn < 0.85 else "CREDIT_EXPIRED"
    updated_at = min(created_at + chance.randrange(_SPAN_MS // 4), now)
    credited = status == "CREDIT_AWARDED"
    return Referral(
        campaign_id=campaign_id,
        referrer_id=referrer_id,
        referred_id=f"f{number:05x}",
        email=f"somebody.{chance.randrange(10**9)}@example.com",
        first_name=chance.choice(_NAMES),
        last_name=f"Number {chance.randrange(1000)}",
        status=status,
        created_at=created_at,
        updated_at=updated_at,
        pending_since=created_at,
        credited_at=updated_at if credited else None,
        credited_month=month_at(updated_at) if credited else None,
    ).to_item()


@dataclass(frozen=True, slots=True)
class List:
    """A loaded list, and the clients that reach it."""

    engine: MeasuredEngine
    api: Api
    path: str
    scope: str
    rows: list[Row]
    bounds: Bounds

    @property
    def size(self) -> int:
        return len(self.rows)

    def page(self, wanted: Sequence[Row], what: str, **query: str | int) -> tuple[float, int, int]:
        """Read units, calls and milliseconds of one page, which must have these rows."""
        began = time.monotonic()
        with self.engine.log.recorded() as record:
            answer: Json = self.api.ok("GET", self.path, params={"limit": LIMIT, **query})
        took = round((time.monotonic() - began) * 1000)
        if [row["id"] for row in answer["referrals"]] != [row.row_id for row in wanted]:
            self.bounds.broken.append(f"{self.size:,}, {self.scope}: {what} has other rows")
        return record.read_units, len(record.calls), took


Costs = dict[tuple[str, str], float]
"""Read units, by order and page."""


def measure_orders(asked: List) -> Costs:
    figures = []
    costs: Costs = {}
    for sort_by in INDEXED:
        order = ORDERS[sort_by]
        ordered = in_order(asked.rows, order, descending=True, start=None)
        at = int(asked.size * DEEP)
        next_id = cursor_of(order, start_of(order, ordered[at]))
        first, calls, _ = asked.page(ordered[:LIMIT], f"{sort_by}, first", sortBy=sort_by)
        deep, _, _ = asked.page(
            ordered[at : at + LIMIT], f"{sort_by}, deep", sortBy=sort_by, nextId=next_id
        )
        figures.append([sort_by, calls, first, deep, deep / first])
        if sort_by in SEED_ORDERS:
            what = f"{asked.size:,}, {asked.scope}: {sort_by}, a deep page beside the first"
            untriggered = sort_by == "referralTriggeredAt"
            bound = MOST_OF_DEEP_UNTRIGGERED if untriggered else MOST_OF_DEEP
            asked.bounds.hold(what, deep / first, bound)
            costs[sort_by, "first"], costs[sort_by, "deep"] = first, deep
    print_table(
        f"{asked.size:,} rows, of the {asked.scope}: orders that have an index",
        ("order", "calls", "read units, first", "deep", "deep beside first"),
        figures,
    )
    return costs


def measure_the_rest(asked: List) -> None:
    """What costs by the length of the list, or is one read."""
    by_update = in_order(asked.rows, ORDERS["updatedAt"], descending=True, start=None)
    by_name = in_order(asked.rows, ORDERS["firstName"], descending=True, start=None)
    by_creation = in_order(asked.rows, ORDERS["createdAt"], descending=True, start=None)
    pending = [row for row in by_update if row.status == "CREDIT_PENDING"]
    old = [row for row in by_creation if row.status == "CREDIT_PENDING"]
    named = [row for row in by_update if row.first_name == "Grace"]
    offset = int(asked.size * DEEP)
    questions: dict[str, tuple[list[Row], dict[str, str | int]]] = {
        "a status": (pending, {"referralStatus": "CREDIT_PENDING"}),
        "by first name": (by_name, {"sortBy": "firstName"}),
        "a first name": (named, {"firstName": "Grace"}),
        "a status, by creation": (
            old,
            {"referralStatus": "CREDIT_PENDING", "sortBy": "createdAt"},
        ),
        f"offset {offset:,}": (by_update[offset:], {"offset": offset}),
        f"offset {offset:,}, by creation": (
            by_creation[offset:],
            {"offset": offset, "sortBy": "createdAt"},
        ),
    }
    figures = []
    for name, (rows, query) in questions.items():
        units, calls, took = asked.page(rows[:LIMIT], name, **query)
        figures.append([name, calls, units, took])
    print_table(
        f"{asked.size:,} rows, of the {asked.scope}: filters, orders by name, offsets",
        ("first page of", "calls", "read units", "milliseconds on this machine"),
        figures,
    )


def measure(size: int, url: str, bounds: Bounds) -> dict[str, Costs]:
    """What the pages of the seeds' orders cost, by scope."""
    costs: dict[str, Costs] = {}
    engine = MeasuredEngine(url)
    with (
        Stack(TEMPLATE, engine=engine, background=False) as stack,
        Api(stack.url, stack.api_key) as api,
    ):
        campaign_id = api.campaign()
        referrer = api.add(campaign_id)["id"]
        items = rows_of(campaign_id, referrer, size, stack.now_ms())
        load(engine, stack.table_name, items)
        engine.skip_stream()
        rows = [row_of(item) for item in items]
        for scope, whose in (("campaign", ""), ("participant", f"/participant/{referrer}")):
            path = f"/v2/campaign/{campaign_id}{whose}/referrals"
            asked = List(engine, api, path, scope, rows, bounds)
            costs[scope] = measure_orders(asked)
            measure_the_rest(asked)
        bounds.broken += engine.log.disagreements
    return costs


def compare(shortest: dict[str, Costs], longest: dict[str, Costs], bounds: Bounds) -> None:
    for scope, pages in longest.items():
        for (sort_by, page), units in pages.items():
            ratio = units / shortest[scope][sort_by, page]
            what = f"{scope}: {sort_by}, {page} page of the longest list beside the shortest"
            bounds.hold(what, ratio, MOST_OF_LONG)


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--sizes", nargs="+", type=int, default=SIZES)
    arguments = parser.parse_args()
    logging.disable(logging.INFO)
    bounds = Bounds()
    costs = []
    for size in sorted(arguments.sizes):
        with running(Path(os.environ["GRAPEVINE_DYNAMODB_LOCAL_DIR"])) as url:
            costs.append(measure(size, url, bounds))
    compare(costs[0], costs[-1], bounds)
    print("\n" + "\n".join(["Broken:", *bounds.broken] if bounds.broken else ["All hold."]))
    return 1 if bounds.broken else 0


if __name__ == "__main__":
    sys.exit(main())
