"""The questions of `bench_standings` put to sorted sets in Redis, with the same participants:
`make bench-redis`, where `redis-server` is on the path.

A board is one sorted set of those with a count; a score is the position that the table's indexes
have, a double in Redis. Those without a count are ranked through two more orders by join sequence:
of everybody, and of those with a count. Ranks are held against sorting everybody; times are given
as multiples of a PING.
"""

from __future__ import annotations

import argparse
import random
import shutil
import socket
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from typing import Any

from grapevine.engine.ranks.reading import NO_RANK, Ranks
from grapevine.months import month_at
from grapevine.table.standings import Standing, position
from tests.benchmarks.figures import print_table
from tests.benchmarks.population import Population
from tests.rank_index import brute_force

SIZES = (1_000, 10_000, 100_000)
PAGE = 100
ASKED = 500
_LARGEST_EXACT = 2**53

Command = Sequence[object]

EVERYBODY, ALL_TIME = "joined", "board:all"


def month_board(month: int) -> str:
    return f"board:{month}"


def joined_of(board: str) -> str:
    """Those with a count on the board, by join sequence."""
    return f"joined:{board}"


class Redis:
    """A connection that sends commands in one go and reads their answers."""

    def __init__(self, port: int) -> None:
        self._socket = socket.create_connection(("127.0.0.1", port))
        self._socket.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        self._answers = self._socket.makefile("rb")
        self.rounds = self.commands = 0

    def close(self) -> None:
        self._answers.close()
        self._socket.close()

    def ask(self, *commands: Command) -> list[Any]:
        """The answers to several commands, in one round trip."""
        self.rounds += 1
        self.commands += len(commands)
        self._socket.sendall(b"".join(map(_encoded, commands)))
        return [self._answer() for _ in commands]

    def _answer(self) -> Any:
        line = self._answers.readline().rstrip(b"\r\n")
        kind, content = line[:1], line[1:]
        match kind:
            case b"+":
                return content.decode()
            case b":":
                return int(content)
            case b"$":
                return self._text(int(content))
            case b"*":
                return [self._answer() for _ in range(int(content))]
        raise RuntimeError(line.decode())

    def _text(self, length: int) -> str | None:
        return self._answers.read(length + 2)[:-2].decode() if length >= 0 else None


def _encoded(command: Command) -> bytes:
    words = [str(word).encode() for word in command]
    parts = [b"*%d\r\n" % len(words), *(b"$%d\r\n%b\r\n" % (len(word), word) for word in words)]
    return b"".join(parts)


@contextmanager
def server() -> Iterator[Redis]:
    """A Redis of this block's own, which stores nothing on disk."""
    program = shutil.which("redis-server")
    if program is None:
        sys.exit("redis-server is not on the path (Debian: apt-get install redis-server)")
    with socket.socket() as probe, tempfile.TemporaryDirectory() as folder:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
        probe.close()
        command = [program, "--port", str(port), "--save", "", "--dir", folder]
        process = subprocess.Popen(command, stdout=subprocess.DEVNULL)
        try:
            redis = _connected(port)
            yield redis
            redis.close()
        finally:
            process.terminate()
            process.wait()


def _connected(port: int) -> Redis:
    for _ in range(100):
        try:
            return Redis(port)
        except ConnectionRefusedError:
            time.sleep(0.1)
    raise RuntimeError("redis-server does not answer")


class Boards:
    """A campaign's boards in Redis, and the questions that are put to them."""

    def __init__(self, redis: Redis, month: int) -> None:
        self._redis, self._month = redis, month

    def fill(self, people: Population) -> int:
        """How many commands it took, as a rebuild after a loss does."""
        commands: list[Command] = []
        for one in people.standings.values():
            commands.append(("ZADD", EVERYBODY, one.join_sequence, one.participant_id))
            commands += self.changes(one)
        for start in range(0, len(commands), 1000):
            self._redis.ask(*commands[start : start + 1000])
        return len(commands)

    def changes(self, standing: Standing) -> list[Command]:
        """What a change of a standing writes: absolute scores, so that a repetition is harmless."""
        counts = {
            ALL_TIME: standing.referral_count,
            month_board(self._month): standing.count_in(self._month),
            month_board(self._month - 1): standing.count_in(self._month - 1),
        }
        name, sequence = standing.participant_id, standing.join_sequence
        return [
            command
            for board, count in counts.items()
            if count
            for command in (
                ("ZADD", board, position(count, sequence), name),
                ("ZADD", joined_of(board), sequence, name),
            )
        ]

    def ranks(self, standing: Standing) -> Ranks:
        """All three in one round trip."""
        boards = [ALL_TIME, month_board(self._month), month_board(self._month - 1)]
        name, sequence = standing.participant_id, standing.join_sequence
        questions: list[Command] = [("ZCOUNT", EVERYBODY, "-inf", f"({sequence}")]
        for board in boards:
            questions += [
                ("ZREVRANK", board, name),
                ("ZCARD", board),
                ("ZCOUNT", joined_of(board), "-inf", f"({sequence}"),
            ]
        earlier, *answers = self._redis.ask(*questions)
        found = [
            place + 1 if place is not None else scored + earlier - scored_earlier + 1
            for place, scored, scored_earlier in zip(*[iter(answers)] * 3, strict=True)
        ]
        all_time, monthly, previous = found
        was_there = standing.joined_month < self._month
        return Ranks(all_time, monthly, previous if was_there else NO_RANK)

    def top(self, board: str) -> list[str]:
        names: list[str] = self._redis.ask(("ZREVRANGE", board, 0, PAGE - 1))[0]
        return names

    def deepest(self, board: str) -> list[str]:
        """The last page: those without a count, the last joiners first read and then sieved."""
        found: list[str] = []
        end = -1
        while len(found) < PAGE:
            [names] = self._redis.ask(("ZRANGE", EVERYBODY, end - 2 * PAGE + 1, end))
            if not names:
                break
            [scores] = self._redis.ask(("ZMSCORE", board, *names))
            unscored = [name for name, score in zip(names, scores, strict=True) if score is None]
            found = unscored + found
            end -= 2 * PAGE
        return found[-PAGE:]


def measured(redis: Redis, ask: Callable[[], object], ping_s: float) -> list[object]:
    """Round trips, commands, and the median time in pings."""
    redis.rounds = redis.commands = 0
    ask()
    counted = [redis.rounds, redis.commands]
    return [*counted, _median(ask) / ping_s]


def _median(ask: Callable[[], object], repetitions: int = 200) -> float:
    times = []
    for _ in range(repetitions):
        began = time.perf_counter()
        ask()
        times.append(time.perf_counter() - began)
    return statistics.median(times)


def bytes_used(redis: Redis) -> int:
    [information] = redis.ask(("INFO", "memory"))
    return int(information.split("used_memory:")[1].split()[0])


def compare(size: int) -> bool:
    """Prints what Redis takes at one size; whether its ranks and pages are exact."""
    month = month_at(time.time_ns() // 1_000_000)
    people = Population("campaign", size, month, pending=PAGE)
    chance = random.Random(size)  # noqa: S311 - a sample
    with server() as redis:
        empty = bytes_used(redis)
        boards = Boards(redis, month)
        commands = boards.fill(people)
        kept = bytes_used(redis) - empty
        for friend in people.pending()[:PAGE]:
            people.credit(friend)
            redis.ask(*boards.changes(people.standings[people.ties[friend].referrer]))
        standings = list(people.standings.values())
        truth = brute_force(standings, month)
        asked = chance.sample(standings, min(ASKED, size))
        right = [boards.ranks(one) == truth[one.participant_id] for one in asked]
        by_rank = {rank.rank: name for name, rank in truth.items()}
        order = [by_rank[rank] for rank in range(1, size + 1)]
        pages = [
            boards.top(ALL_TIME) == order[:PAGE],
            boards.deepest(ALL_TIME) == order[-PAGE:],
        ]
        zero = next(one for one in standings if not one.referral_count)
        best = max(standings, key=lambda one: one.referral_count)
        ping = _median(lambda: redis.ask(("PING",)))
        questions: dict[str, Callable[[], object]] = {
            "three ranks, without a credit": lambda: boards.ranks(zero),
            "three ranks, the best": lambda: boards.ranks(best),
            f"page of {PAGE}, first": lambda: boards.top(ALL_TIME),
            f"page of {PAGE}, deepest": lambda: boards.deepest(ALL_TIME),
            "one credit": lambda: redis.ask(*boards.changes(best)),
        }
        print_table(
            f"Redis, {size:,} participants",
            ("question", "round trips", "commands", "time in pings"),
            [[name, *measured(redis, ask, ping)] for name, ask in questions.items()],
        )
    print(
        f"\n{sum(right)} of {len(right)} participants with their three ranks exact, "
        f"{sum(pages)} of {len(pages)} pages; "
        f"{kept / 2**20:.1f} MB kept ({kept / size:.0f} bytes a participant); "
        f"{commands:,} commands to rebuild it from the table; a month's end writes nothing"
    )
    return all(right) and all(pages)


def ties_break_at() -> int:
    """The least count from which neighbours in join order can have the same score in Redis."""
    first = _LARGEST_EXACT // (position(1, 0) - position(0, 0))
    return next(
        count
        for count in range(first, first + 100)
        if any(
            float(position(count, one)) == float(position(count, one + 1)) for one in range(1, 10)
        )
    )


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--sizes", nargs="+", type=int, default=SIZES)
    arguments = parser.parse_args()
    exact = [compare(size) for size in arguments.sizes]
    print(f"\nFrom {ties_break_at():,} credits on, a double no longer tells neighbours apart.")
    return 0 if all(exact) else 1


if __name__ == "__main__":
    sys.exit(main())
