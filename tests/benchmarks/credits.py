"""What a credit costs, alone and in a burst, with all that is written for it in the end."""

from __future__ import annotations

import threading
import time
from collections.abc import Sequence
from functools import partial

from tests.benchmarks.campaigns import Campaign
from tests.benchmarks.figures import print_table, spent
from tests.benchmarks.measuring import Record
from tests.scenarios import at_once

PROJECT, TRIGGER = "ProjectStandingsFunction", "TriggerReferralFunction"
THREADS = 8

MOST_UNITS_ALONE = {100_000: 23}
MOST_UNITS_IN_A_BURST = {100_000: 18}
"""Five of each are for lists: a credit moves the referral in two indexes (three more units than it
took to put it into the one that there was before), and makes a line in two activity logs."""

_COLUMNS = (
    "credits",
    "write units, mean",
    "most",
    "of them the transaction",
    "read units",
    "write units by part",
)


def credit_alone(campaign: Campaign, friends: Sequence[int]) -> None:
    """One credit after the other, each followed by all that it brings about."""
    records = []
    for friend in friends:
        with campaign.engine.log.recorded() as record:
            campaign.trigger(friend, campaign.api)
            campaign.stack.drain()
        records.append(record)
    dearest = max(records, key=lambda one: one.write_units)
    together = Record([call for record in records for call in record.calls])
    _print("Credits one by one", len(records), together, dearest.write_units, dearest)
    campaign.bounds.hold(
        f"{campaign.size:,}: a credit alone",
        dearest.write_units,
        MOST_UNITS_ALONE.get(campaign.size),
    )


def burst(campaign: Campaign, friends: Sequence[int], *, working: bool) -> None:
    """Credits from several threads. `working`: the stream is worked off meanwhile, not after."""
    done = threading.Event()

    def work() -> None:
        while not done.wait(0.2):
            campaign.stack._worker.catch_up()

    worker = threading.Thread(target=work)
    with campaign.engine.log.recorded() as record:
        if working:
            worker.start()
        began = time.monotonic()
        at_once(campaign.stack, [partial(campaign.trigger, one) for one in friends], THREADS)
        took = time.monotonic() - began
        done.set()
        if working:
            worker.join()
        campaign.stack.drain()
    number = len(friends)
    batches = sum("JOURNAL" in call.writes for call in record.of(PROJECT).calls)
    title = (
        f"{number:,} credits at once from {THREADS} threads, for "
        f"{len(campaign.referrers_of(friends)):,} referrers: {number / took:.0f} a second on this "
        f"machine, {batches} batches of the index"
    )
    _print(title, number, record, None, record)
    campaign.bounds.hold(
        f"{campaign.size:,}: a credit in a burst of {number:,}",
        record.write_units / number,
        MOST_UNITS_IN_A_BURST.get(campaign.size),
    )


def _print(title: str, number: int, record: Record, most: float | None, example: Record) -> None:
    divisor = 1 if most is not None else number
    parts = {kind: units / divisor for kind, units in example.writes().items()}
    row = [
        number,
        record.write_units / number,
        "" if most is None else most,
        record.of(TRIGGER).write_units / number,
        record.read_units / number,
        ("the dearest: " if most is not None else "each: ") + spent(parts),
    ]
    print_table(title, _COLUMNS, [row])
