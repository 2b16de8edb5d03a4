"""A campaign of any size in a stack on DynamoDB Local, loaded past the API and indexed by the code
that keeps the index."""

from __future__ import annotations

import sys
import threading
import time
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path

from grapevine import runtime
from grapevine.engine.ranks.maintenance import MOST_AT_ONCE, maintain
from grapevine.months import DAY_MS, month_at, start_of
from grapevine.table import keys
from local.stack import Stack
from tests.api import Api
from tests.benchmarks.figures import Bounds
from tests.benchmarks.loading import load
from tests.benchmarks.measuring import MeasuredEngine
from tests.benchmarks.population import Population
from tests.scenarios import leap

TEMPLATE = Path(__file__).parents[2] / "template.yaml"
WINNERS = 3


@dataclass(frozen=True, slots=True)
class Campaign:
    """A loaded campaign, the clients that reach it, and who is in it."""

    stack: Stack
    engine: MeasuredEngine
    api: Api
    id: str
    people: Population
    bounds: Bounds
    _counting: threading.Lock = field(default_factory=threading.Lock)

    @property
    def size(self) -> int:
        return self.people.size

    def trigger(self, friend: int, api: Api) -> None:
        """Credits the referrer of a participant, here and in the memory of who is in it."""
        answer = api.trigger(self.id, self.people.id_of(friend))
        if not answer["success"]:
            raise AssertionError(answer)
        with self._counting:
            self.people.credit(friend)

    def referrers_of(self, friends: Iterable[int]) -> set[int]:
        return {self.people.ties[friend].referrer for friend in friends}


@contextmanager
def loaded(size: int, pending: int, url: str, bounds: Bounds) -> Iterator[Campaign]:
    """A campaign of so many, on the tenth of a month, in a stack of its own; it rewards the best
    three of each month, and `pending` referrals wait for their credit."""
    engine = MeasuredEngine(url)
    with (
        Stack(TEMPLATE, engine=engine, background=False) as stack,
        Api(stack.url, stack.api_key) as api,
    ):
        month = month_at(stack.now_ms()) + 1
        leap(stack, start_of(month) + 9 * DAY_MS)
        campaign_id = api.campaign()
        reward = {"type": "LEADERBOARD", "limitDuration": "PER_MONTH", "numberOfWinners": WINNERS}
        api.ok("POST", f"/v2/campaign/{campaign_id}/reward-configs", reward)
        stack.drain()
        people = Population(campaign_id, size, month, pending)
        campaign = Campaign(stack, engine, api, campaign_id, people, bounds)
        _fill(campaign)
        yield campaign


def _fill(campaign: Campaign) -> None:
    began = time.monotonic()
    table, people = campaign.stack.table_name, campaign.people
    written = load(campaign.engine, table, people.items())
    sequence = keys.join_sequence(campaign.id)
    drawn = {"partition": sequence.partition, "sort": sequence.sort, "type": "Sequence"}
    load(campaign.engine, table, [{**drawn, "joinSequence": people.size}])
    between = time.monotonic()
    campaign.engine.skip_stream()
    standings = list(people.standings.values())
    with runtime.using(campaign.stack.runtime()):
        for start in range(0, people.size, MOST_AT_ONCE):
            maintain(campaign.id, standings[start : start + MOST_AT_ONCE])
    campaign.stack.drain()
    print(
        f"\n# {people.size:,} participants\n\n"
        f"{written:,} items loaded in {between - began:.0f} s, "
        f"indexed in {time.monotonic() - between:.0f} s"
    )
    sys.stdout.flush()
