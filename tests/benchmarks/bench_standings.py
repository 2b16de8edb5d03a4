"""What ranks, leaderboards, credits and a month's end cost by the size of the campaign, held
against the bounds that the project has set itself: `make bench-standings`.

Everything runs through the HTTP front of a stack on DynamoDB Local, whose figures are corrected
where it reports them wrongly (see `local.metering`). A campaign is loaded past the API, its rank
index built by the code that keeps it. Ends with status 1 when a bound is broken or a rank is wrong.
"""

from __future__ import annotations

import argparse
import logging
import os
import random
import sys
import threading
import time
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from functools import partial
from pathlib import Path

from grapevine import runtime
from grapevine.engine.ranks.boards import ALL_TIME
from grapevine.engine.ranks.codec import decode
from grapevine.engine.ranks.maintenance import MOST_AT_ONCE, maintain
from grapevine.engine.ranks.reading import Ranks
from grapevine.months import DAY_MS, month_at, start_of
from grapevine.table import keys, store
from grapevine.table.ranks import RankHead
from grapevine.table.standings import Standing
from local.dynamodb_local import running
from local.stack import Stack
from tests.api import Api, Json
from tests.benchmarks.loading import load
from tests.benchmarks.measuring import STANDINGS_PART, MeasuredEngine, Record
from tests.benchmarks.population import Population
from tests.month_stories import CLOSE, RELAY, SETTLE
from tests.rank_index import brute_force, problems
from tests.scenarios import HOUR_MS, at_once, leap

TEMPLATE = Path(__file__).parents[2] / "template.yaml"
PROJECT, TRIGGER = "ProjectStandingsFunction", "TriggerReferralFunction"

SIZES = (1_000, 10_000, 100_000)
SAMPLE = 12
"""Participants of each kind that are read, and credits that are given one by one."""
SMALL_BURST, LARGE_BURST = 100, 1_000
LARGE_BURST_FROM = 100_000
THREADS = 8
CHECKED = 500
WINNERS = 3

MOST_ROUNDS = 3
MOST_STANDINGS_UNITS = {1_000: 4, 10_000: 6, 100_000: 8}
MOST_CREDIT_UNITS = {100_000: 18}
MOST_BURST_UNITS = {100_000: 13}
MOST_OF_DEEPEST = 1.5

PAUSE_S = 0.05
"""How long each call of a read is held up: what is called at the same time then overlaps."""


class Findings:
    """Tables of figures as they are printed, and what is wrong with them."""

    def __init__(self) -> None:
        self.broken: list[str] = []

    def hold(self, what: str, figure: float, bound: float | None) -> None:
        if bound is not None and figure > bound:
            self.broken.append(f"{what}: {figure:g}, allowed are {bound:g}")

    def table(self, title: str, columns: Sequence[str], rows: Iterable[Sequence[object]]) -> None:
        print(f"\n{title}\n")
        print(f"| {' | '.join(columns)} |")
        print("|---" * len(columns) + "|")
        for row in rows:
            print(f"| {' | '.join(_text(each) for each in row)} |")
        sys.stdout.flush()


def _text(figure: object) -> str:
    return f"{figure:.2f}".rstrip("0").rstrip(".") if isinstance(figure, float) else str(figure)


@dataclass(frozen=True, slots=True)
class Campaign:
    """A loaded campaign and what it is reached by."""

    stack: Stack
    engine: MeasuredEngine
    api: Api
    id: str
    people: Population
    findings: Findings

    @property
    def size(self) -> int:
        return self.people.size

    @property
    def path(self) -> str:
        return f"/v2/campaign/{self.id}"


@contextmanager
def campaign_of(size: int, url: str, findings: Findings) -> Iterator[Campaign]:
    """A campaign of so many, on the tenth of a month, in a stack of its own."""
    engine = MeasuredEngine(url)
    with (
        Stack(TEMPLATE, engine=engine, background=False) as stack,
        Api(stack.url, stack.api_key) as api,
    ):
        month = month_at(stack.now_ms()) + 1
        leap(stack, start_of(month) + 9 * DAY_MS)
        campaign_id = api.campaign()
        api.ok(
            "POST",
            f"/v2/campaign/{campaign_id}/reward-configs",
            {"type": "LEADERBOARD", "limitDuration": "PER_MONTH", "numberOfWinners": WINNERS},
        )
        stack.drain()
        pending = SAMPLE + SMALL_BURST + (LARGE_BURST if size >= LARGE_BURST_FROM else 0)
        campaign = Campaign(
            stack, engine, api, campaign_id, Population(campaign_id, size, month, pending), findings
        )
        fill(campaign)
        yield campaign


def fill(campaign: Campaign) -> None:
    """Loads the participants, and counts them in the rank index as `project_standings` does."""
    began = time.monotonic()
    table, people = campaign.stack.table_name, campaign.people
    written = load(campaign.engine, table, people.items())
    sequence = keys.join_sequence(campaign.id)
    load(
        campaign.engine,
        table,
        [
            {
                "partition": sequence.partition,
                "sort": sequence.sort,
                "type": "Sequence",
                "joinSequence": people.size,
            }
        ],
    )
    loaded = time.monotonic()
    campaign.engine.skip_stream()
    standings = list(people.standings.values())
    with runtime.using(campaign.stack.runtime()):
        for start in range(0, people.size, MOST_AT_ONCE):
            maintain(campaign.id, standings[start : start + MOST_AT_ONCE])
    campaign.stack.drain()
    print(
        f"\n# {people.size:,} participants\n\n"
        f"{written:,} items loaded in {loaded - began:.0f} s, "
        f"indexed in {time.monotonic() - loaded:.0f} s"
    )
    sys.stdout.flush()


# --- Reading one participant ----------------------------------------------------------------


def kinds_of_readers(people: Population) -> dict[str, list[int]]:
    """Join sequences of a sample of each kind."""
    chance = random.Random(people.size)  # noqa: S311 - a sample
    standings = people.standings.values()

    def sample(wanted: Callable[[Standing], bool]) -> list[int]:
        found = [one.join_sequence for one in standings if wanted(one)]
        return chance.sample(found, min(SAMPLE, len(found)))

    def has_referrer(one: Standing) -> bool:
        return one.join_sequence in people.ties

    best = sorted(standings, key=lambda one: (-one.referral_count, one.join_sequence))
    return {
        "without a credit": sample(lambda one: not one.referral_count and not has_referrer(one)),
        "with credits": sample(lambda one: bool(one.referral_count) and not has_referrer(one)),
        "with credits of this month and the last": sample(
            lambda one: (
                bool(one.count_in(people.month) and one.count_in(people.month - 1))
                and not has_referrer(one)
            )
        ),
        "the best": [one.join_sequence for one in best if not has_referrer(one)][:SAMPLE],
        "with a referrer": sample(has_referrer),
    }


def read_participants(campaign: Campaign) -> None:
    rows = []
    for kind, sequences in kinds_of_readers(campaign.people).items():
        records = [read_one(campaign, campaign.people.id_of(one)) for one in sequences]
        if not records:
            continue
        parts = [sum(one.reads().get(each, 0) for each in STANDINGS_PART) for one in records]
        rounds = max(one.rounds for one in records)
        rows.append(
            [
                kind,
                len(records),
                max(len(one.calls) for one in records),
                rounds,
                _mean(one.read_units for one in records),
                max(one.read_units for one in records),
                _mean(parts),
                max(parts),
                _spent(max(records, key=lambda one: one.read_units).reads()),
            ]
        )
        what = f"{campaign.size:,}: participant {kind}"
        campaign.findings.hold(f"{what}, rounds", rounds, MOST_ROUNDS)
        if kind != "with a referrer":
            # Its answer holds the ranks of two participants.
            bound = MOST_STANDINGS_UNITS.get(campaign.size)
            campaign.findings.hold(f"{what}, standings part", max(parts), bound)
    campaign.findings.table(
        "One participant with three ranks: read units",
        (
            "participant",
            "read",
            "calls",
            "rounds",
            "mean",
            "most",
            "standings part, mean",
            "most",
            "the dearest, by part",
        ),
        rows,
    )


def read_one(campaign: Campaign, participant_id: str) -> Record:
    with campaign.engine.log.recorded(PAUSE_S) as record:
        campaign.api.read(campaign.id, participant_id)
    return record


# --- Credits ---------------------------------------------------------------------------------


def credit_alone(campaign: Campaign, friends: Sequence[int]) -> None:
    """One credit after the other, each followed by all that it brings about."""
    rows, records = [], []
    for friend in friends:
        with campaign.engine.log.recorded() as record:
            trigger(campaign, friend, campaign.api)
            campaign.stack.drain()
        records.append(record)
    units = [one.write_units for one in records]
    dearest = max(records, key=lambda one: one.write_units)
    rows.append(
        [
            "alone",
            len(records),
            _mean(units),
            max(units),
            _mean(one.of(TRIGGER).write_units for one in records),
            _mean(one.read_units for one in records),
            _spent(dearest.writes()),
        ]
    )
    what, bound = f"{campaign.size:,}: a credit alone", MOST_CREDIT_UNITS.get(campaign.size)
    campaign.findings.hold(what, max(units), bound)
    campaign.findings.table("A credit, with everything that is written in the end", CREDIT, rows)


CREDIT = (
    "credits",
    "number",
    "write units",
    "most",
    "of the transaction",
    "read units",
    "write units by part",
)


def trigger(campaign: Campaign, friend: int, api: Api) -> None:
    answer = api.trigger(campaign.id, campaign.people.id_of(friend))
    assert answer["success"], answer
    with _counting:
        campaign.people.credit(friend)


_counting = threading.Lock()


def burst(campaign: Campaign, friends: Sequence[int], *, working: bool) -> None:
    """Credits from several threads. `working`: the stream is worked off meanwhile, not after."""
    stop = threading.Event()

    def work() -> None:
        while not stop.wait(0.2):
            campaign.stack._worker.catch_up()

    worker = threading.Thread(target=work)
    began = time.monotonic()
    with campaign.engine.log.recorded() as record:
        if working:
            worker.start()
        calls = [partial(trigger, campaign, friend) for friend in friends]
        at_once(campaign.stack, calls, THREADS)
        took = time.monotonic() - began
        stop.set()
        if working:
            worker.join()
        campaign.stack.drain()
    number = len(friends)
    batches = len({call.started for call in record.of(PROJECT).calls if _is_journal(call.writes)})
    campaign.findings.table(
        f"{number:,} credits at once for {len(_referrers(campaign, friends)):,} referrers "
        f"({number / took:.0f} a second on this machine, {batches} batches of the index)",
        CREDIT,
        [
            [
                "in a burst, each",
                number,
                record.write_units / number,
                "",
                record.of(TRIGGER).write_units / number,
                record.read_units / number,
                _spent({kind: units / number for kind, units in record.writes().items()}),
            ]
        ],
    )
    campaign.findings.hold(
        f"{campaign.size:,}: a credit in a burst of {number:,}",
        record.write_units / number,
        MOST_BURST_UNITS.get(campaign.size),
    )


def _is_journal(writes: dict[str, float]) -> bool:
    return "JOURNAL" in writes


def _referrers(campaign: Campaign, friends: Iterable[int]) -> set[int]:
    return {campaign.people.ties[friend].referrer for friend in friends}


# --- Is it right? ----------------------------------------------------------------------------


def check_everything(campaign: Campaign, credited: Sequence[int]) -> None:
    """Ranks over HTTP against sorting everybody, the index recounted, nothing given up."""
    people, findings = campaign.people, campaign.findings
    truth = brute_force(people.standings.values(), people.month)
    shown = list(rows_of_pages(campaign, CHECKED)) + [
        campaign.api.read(campaign.id, people.id_of(one))
        for one in sorted(_referrers(campaign, credited))[:: max(len(credited) // 50, 1)]
    ]
    wrong = [row["id"] for row in shown if _ranks_shown(row) != truth[row["id"]]]
    if wrong:
        findings.broken.append(f"{campaign.size:,}: wrong ranks of {wrong[:10]}")
    with runtime.using(campaign.stack.runtime()):
        head_item = store.get(keys.rank_head(campaign.id))
        head = RankHead.found(campaign.id, head_item)
        blocks = [keys.rank_block(campaign.id, head.generation, one) for one in range(500)]
        partitions = {block.partition for block in blocks}
        items = [item for one in sorted(partitions) for item in store.query(None, one)]
    found = list(problems([*items, head_item or {}], people.standings.values(), people.month))
    findings.broken += [f"{campaign.size:,}: the index: {each[:300]}" for each in found[:5]]
    scores = Counter(one.referral_count for one in people.standings.values() if one.referral_count)
    if decode(head.histograms).get(ALL_TIME, {}) != dict(scores):
        findings.broken.append(f"{campaign.size:,}: the histogram is not that of the standings")
    lost = campaign.stack.queue_messages("StreamFailureQueue")
    if lost:
        findings.broken.append(f"{campaign.size:,}: {len(lost)} records in the failure queue")
    findings.broken += campaign.engine.log.disagreements[:5]
    print(
        f"\n{len(shown):,} participants read over HTTP, {len(wrong)} with a wrong rank; "
        f"{len(items):,} items of the index recounted, {len(found)} problems; "
        f"{len(lost)} records in the failure queue; "
        f"{len(campaign.engine.log.disagreements)} of {len(campaign.engine.log.calls):,} calls "
        "metered otherwise than their items amount to"
    )


def rows_of_pages(campaign: Campaign, number: int) -> Iterator[Json]:
    """Participants of pages at places all over join order."""
    pages = number // 100
    for page in range(1, pages + 1):
        start = campaign.people.id_of(campaign.size * page // pages)
        yield from campaign.api.page(campaign.id, limit=100, nextId=start)["participants"]


def _ranks_shown(row: Json) -> Ranks:
    return Ranks(row["rank"], row["monthlyRank"], row["prevMonthlyRank"])


# --- Month's end -----------------------------------------------------------------------------


def end_month(campaign: Campaign) -> int:
    """How many items the end of the month writes for the campaign."""
    leap(campaign.stack, start_of(campaign.people.month + 1) + HOUR_MS)
    with campaign.engine.log.recorded() as record:
        campaign.stack.invoke(CLOSE, {})
        campaign.stack.drain()
    parts = {"close": CLOSE, "relay": RELAY, "settle": SETTLE, "project": PROJECT}
    each = {name: record.of(function_id) for name, function_id in parts.items()}
    campaign.findings.table(
        f"The month's end, with {WINNERS} winners",
        ("function", "items written", "write units", "read units", "write units by part"),
        [
            [name, one.items_written, one.write_units, one.read_units, _spent(one.writes())]
            for name, one in each.items()
        ],
    )
    return sum(one.items_written for one in each.values())


def _mean(figures: Iterable[float]) -> float:
    several = list(figures)
    return sum(several) / len(several)


def _spent(units: dict[str, float]) -> str:
    ordered = sorted(units.items(), key=lambda part: -part[1])
    return ", ".join(f"{kind} {_text(float(amount))}" for kind, amount in ordered if amount > 0.005)


def measure(size: int, url: str, findings: Findings) -> int:
    """Everything for one size; gives the number of items that the month's end wrote."""
    with campaign_of(size, url, findings) as campaign:
        read_participants(campaign)
        friends = campaign.people.pending()
        alone, small, large = (
            friends[:SAMPLE],
            friends[SAMPLE : SAMPLE + SMALL_BURST],
            friends[SAMPLE + SMALL_BURST :],
        )
        credit_alone(campaign, alone)
        burst(campaign, small, working=False)
        if large:
            burst(campaign, large, working=True)
        check_everything(campaign, [*alone, *small, *large])
        return end_month(campaign)


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--sizes", nargs="+", type=int, default=SIZES)
    arguments = parser.parse_args()
    logging.disable(logging.INFO)
    findings = Findings()
    writes: dict[int, int] = {}
    for size in arguments.sizes:
        with running(Path(os.environ["GRAPEVINE_DYNAMODB_LOCAL_DIR"])) as url:
            writes[size] = measure(size, url, findings)
    if len(set(writes.values())) > 1:
        findings.broken.append(f"items that a month's end writes, by size: {writes}")
    print("\n" + "\n".join(["Broken:", *findings.broken] if findings.broken else ["All hold."]))
    return 1 if findings.broken else 0


if __name__ == "__main__":
    sys.exit(main())
