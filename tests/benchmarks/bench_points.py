"""What ranks by points and their index cost by the number of players, held against the bounds that
the project has set itself: `make bench-points`.

Everything runs through the HTTP front of a stack on DynamoDB Local, as in `bench_standings`. Ends
with status 1 when a bound is broken, a rank is wrong or a record was given up.
"""

from __future__ import annotations

import argparse
import bisect
import logging
import os
import random
import sys
import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from grapevine import runtime
from grapevine.engine.ranks.points.maintenance import MOST_AT_ONCE, maintain
from grapevine.engine.ranks.points.places import ALL_TIME, Place, place_of
from grapevine.engine.ranks.points.reading import ahead_of
from grapevine.table import mechanics_keys
from grapevine.table.attributes import Item
from grapevine.table.players import Player
from local.dynamodb_local import running
from local.stack import Stack
from tests.benchmarks.figures import Bounds, mean, print_table, spent
from tests.benchmarks.loading import load
from tests.benchmarks.measuring import PAUSE_S, MeasuredEngine, Record
from tests.playing import Game, mechanics

TEMPLATE = Path(__file__).parents[2] / "template.yaml"
PROJECT, GET, RECORD = (
    "ProjectStandingsFunction",
    "GetPlayerFunction",
    "RecordCampaignEventFunction",
)

SIZES = (1_000, 10_000, 100_000)
SAMPLE = 12
"""Players of each kind whose rank is read."""
CHECKED = 300
"""Players whose places are compared with sorting everybody."""
ALONE = 30
BATCH = 100
"""Records of an invocation, as the template has it."""

INDEX_PARTS = ("RANKED", "HEAD", "NODE")
MOST_ROUNDS = 8
"""Of the whole answer: key, slug, campaign, player, mechanics, and two or three of the index."""
MOST_INDEX_UNITS = 7
"""At every size."""
MOST_UNITS_ALONE = {1_000: 9, 10_000: 11, 100_000: 15}
MOST_UNITS_IN_A_BATCH = {1_000: 2, 10_000: 3.2, 100_000: 4}
"""Means: an event in which a bucket becomes an inner node writes up to 65 buckets more."""

DAYS = 90
_DAY_MS = 86_400_000


@dataclass(frozen=True, slots=True)
class Played:
    """A campaign with so many players, and how they stand: their positions in order."""

    engine: MeasuredEngine
    game: Game
    players: list[Player]
    positions: list[int]
    bounds: Bounds

    @property
    def size(self) -> int:
        return len(self.players)

    def ahead_of(self, player: Player) -> int:
        return self.size - bisect.bisect_right(self.positions, place_of(player).position)


def population(campaign_id: str, size: int, now: int) -> list[Player]:
    """A third have only what signing up brings, few have very much; over ninety days."""
    chance = random.Random(size)  # noqa: S311 - made up
    players = []
    for number in range(size):
        reached_at = now - chance.randrange(1, DAYS * _DAY_MS)
        more = 0 if chance.random() < 1 / 3 else min(int(chance.paretovariate(0.7)), 50_000)
        players.append(
            Player(
                campaign_id=campaign_id,
                user_id=f"user-{number:06d}",
                version=1 + more,
                total_points=50 + 20 * more,
                events_count=1 + more,
                joined_at=reached_at,
                reached_at=reached_at,
            )
        )
    return players


def loaded(stack: Stack, engine: MeasuredEngine, size: int, bounds: Bounds) -> Played:
    game = Game.started(stack, {"points": mechanics()["points"]})
    stack.drain()
    players = population(game.campaign_id, size, stack.now_ms() - _DAY_MS)
    began = time.monotonic()
    load(engine, stack.table_name, _items(game.campaign_id, players))
    engine.skip_stream()
    between = time.monotonic()
    places = list(map(place_of, players))
    with runtime.using(stack.runtime()):
        for start in range(0, size, MOST_AT_ONCE):
            maintain(game.campaign_id, ALL_TIME, places[start : start + MOST_AT_ONCE])
    stack.drain()
    print(
        f"\n# {size:,} players\n\nloaded in {between - began:.0f} s, "
        f"indexed in {time.monotonic() - between:.0f} s"
    )
    return Played(engine, game, players, sorted(place.position for place in places), bounds)


def _items(campaign_id: str, players: Sequence[Player]) -> Iterator[Item]:
    key = mechanics_keys.player_count(campaign_id, 0)
    yield {
        "partition": key.partition,
        "sort": key.sort,
        "type": "PlayerCount",
        "players": len(players),
    }
    yield from (player.to_item() for player in players)


def read_ranks(played: Played) -> None:
    order = sorted(played.players, key=lambda one: -place_of(one).position)
    chance = random.Random(1)  # noqa: S311 - a sample
    middle = [one for one in order if one.total_points > 50]
    kinds = {
        "the best": order[:SAMPLE],
        "anybody with more points": chance.sample(middle, SAMPLE),
        "anybody with what signing up brings": chance.sample(order[len(middle) :], SAMPLE),
        "the last": order[-SAMPLE:],
    }
    rows = []
    for label, players in kinds.items():
        records = [_read(played, player) for player in players]
        parts = [one.read_of(INDEX_PARTS) for one in records]
        rounds = max(one.rounds for one in records)
        dearest = max(records, key=lambda one: one.read_units)
        rows.append(
            [
                label,
                rounds,
                mean(one.read_units for one in records),
                mean(parts),
                max(parts),
                spent(dearest.reads()),
            ]
        )
        what = f"{played.size:,}: {label}"
        played.bounds.hold(f"{what}, rounds", rounds, MOST_ROUNDS)
        played.bounds.hold(f"{what}, units for the index", max(parts), MOST_INDEX_UNITS)
    columns = ("player", "rounds, most", "read units, mean", "of the index, mean", "most")
    print_table("One player with its rank", (*columns, "the dearest, by part"), rows)


def _read(played: Played, player: Player) -> Record:
    with played.engine.log.recorded(pause=PAUSE_S) as record:
        response = played.game.call("GET", f"participants/{player.user_id}")
    rank = response.json()["data"]["rank"]
    if rank != played.ahead_of(player) + 1:
        played.bounds.broken.append(f"{played.size:,}: {player.user_id} has rank {rank}")
    return record.of(GET)


def write_points(played: Played) -> None:
    chance = random.Random(2)  # noqa: S311 - a sample
    chosen = chance.sample(range(played.size), ALONE + BATCH)
    # The journal of the last batch that filled the index was a large one.
    _purchase(played, chosen[0])
    played.game.stack.drain()
    alone = []
    for number in chosen[:ALONE]:
        with played.engine.log.recorded() as record:
            _purchase(played, number)
            played.game.stack.drain()
        alone.append(record)
    with played.engine.log.recorded() as together:
        for number in chosen[ALONE:]:
            _purchase(played, number)
        played.game.stack.drain()
    index = [one.of(PROJECT).write_units for one in alone]
    batch = together.of(PROJECT)
    rows = [
        [
            "alone",
            mean(index),
            max(index),
            mean(one.of(PROJECT).read_units for one in alone),
            mean(one.of(RECORD).write_units for one in alone),
            spent(max(alone, key=lambda one: one.of(PROJECT).write_units).of(PROJECT).writes()),
        ],
        [
            f"in a batch of {BATCH}",
            batch.write_units / BATCH,
            "",
            batch.read_units / BATCH,
            together.of(RECORD).write_units / BATCH,
            spent({kind: units / BATCH for kind, units in batch.writes().items()}),
        ],
    ]
    columns = ("events", "write units of the index, each", "most", "its read units", "the event's")
    print_table("Events that give points", (*columns, "the index by part"), rows)
    size = f"{played.size:,}"
    played.bounds.hold(f"{size}: an event alone", mean(index), MOST_UNITS_ALONE.get(played.size))
    played.bounds.hold(
        f"{size}: an event in a batch",
        batch.write_units / BATCH,
        MOST_UNITS_IN_A_BATCH.get(played.size),
    )


def _purchase(played: Played, number: int) -> None:
    user_id = played.players[number].user_id
    played.game.event(user_id, "purchase", {"amount": 20})
    player = played.game.player(user_id)
    assert player is not None
    played.players[number] = player


def check_places(played: Played) -> None:
    """After all that was written, and nothing given up."""
    now = replace(played, positions=sorted(place_of(one).position for one in played.players))
    chance = random.Random(3)  # noqa: S311 - a sample
    wrong = 0
    with runtime.using(played.game.stack.runtime()):
        for player in chance.sample(played.players, min(CHECKED, played.size)):
            place: Place = place_of(player)
            found = ahead_of(player.campaign_id, ALL_TIME, place)
            wrong += found.better != now.ahead_of(player)
    lost = played.game.stack.queue_messages("StreamFailureQueue")
    disagreements = played.engine.log.disagreements
    print(f"\n{CHECKED} places compared with sorting everybody, {wrong} wrong.")
    if wrong or lost or disagreements:
        text = f"{wrong} wrong places, {len(lost)} records given up, {disagreements[:3]}"
        played.bounds.broken.append(f"{played.size:,}: {text}")


def measure(size: int, url: str, bounds: Bounds) -> None:
    engine = MeasuredEngine(url)
    with Stack(TEMPLATE, engine=engine, background=False) as stack:
        played = loaded(stack, engine, size, bounds)
        read_ranks(played)
        write_points(played)
        check_places(played)


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--sizes", nargs="+", type=int, default=SIZES)
    arguments = parser.parse_args()
    logging.disable(logging.INFO)
    bounds = Bounds()
    for size in arguments.sizes:
        with running(Path(os.environ["GRAPEVINE_DYNAMODB_LOCAL_DIR"])) as url:
            measure(size, url, bounds)
    print("\n" + "\n".join(["Broken:", *bounds.broken] if bounds.broken else ["All hold."]))
    return 1 if bounds.broken else 0


if __name__ == "__main__":
    sys.exit(main())
