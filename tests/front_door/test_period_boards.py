"""Leaderboards of days, weeks and months: against a model made from the ledger, across boundaries
in the campaign's time zone, and with the stream as AWS may deliver it."""

from __future__ import annotations

import itertools
import random
from collections.abc import Iterable
from dataclasses import dataclass
from functools import partial
from typing import Any

import httpx
import pytest

from grapevine.engine.access import CAMPAIGN_CACHE_MS
from grapevine.engine.mechanics.counters import PERIODS
from grapevine.engine.mechanics.fields import instant_text
from grapevine.engine.mechanics.periods import periods_at, span_of
from grapevine.engine.ranks import protocol
from grapevine.table import store
from grapevine.table.player_periods import PlayerPeriod
from grapevine.table.players import Player
from grapevine.table.points_board import Period
from local.stack import Stack
from tests import accounts
from tests.api import TLS, Json
from tests.coding import data_of, events_of, new_codes, redeem, reverse
from tests.conftest import inside
from tests.invariants import table_of
from tests.play_invariants import Written, check
from tests.playing import BLANK, GOLD, Game, mechanics
from tests.scenarios import DAY_MS, at_once, interrupted

pytestmark = pytest.mark.both_engines

PROJECT = "ProjectStandingsFunction"
BERLIN = "Europe/Berlin"
HOUR_MS = 3_600_000


def keeping(*periods: str, **more: Any) -> Json:
    return mechanics(leaderboard={"periods": list(periods), **more})


def stand(stack: Stack, at: int) -> None:
    """The clock stands at a time, as if no schedule had fired on the way there."""
    stack._clock.stand_at(at)
    for appointment in stack._worker._agenda._appointments:
        appointment.next_at = appointment.timing.next_after(at)


def shown(game: Game, period: str | None = None, **params: Any) -> Json:
    asked = {"period": period} if period else {}
    return data_of(game.call("GET", "leaderboard", params={**asked, **params}))


def ranking(game: Game, period: str) -> list[tuple[str, int]]:
    game.stack.drain()
    return [(each["userId"], each["totalPoints"]) for each in shown(game, period)["entries"]]


def span_now(game: Game, period: Period) -> tuple[int, int]:
    now = game.stack.now_ms()
    return span_of(period, periods_at(now, BERLIN).number(period), BERLIN)


def rows_of(game: Game, period: Period, written: Written) -> list[Json]:
    """The board as it should be: who had an event in the period, with the sum of the ledger in it,
    of which an event of an earlier one takes nothing."""
    first, last = span_now(game, period)
    in_it = {(one.user_id, one.event_id): one for one in written.events if first <= one.at <= last}
    points, reached = dict[str, int](), dict[str, int]()
    for event in sorted(in_it.values(), key=lambda one: one.at):
        points.setdefault(event.user_id, 0)
        reached.setdefault(event.user_id, event.at)
    for line in sorted(written.lines, key=lambda line: line.key.sort):
        if (line.user_id, line.event_id) in in_it and first <= line.at <= last:
            points[line.user_id] += line.points
            reached[line.user_id] = line.at
    names = {player.user_id: player.display_name for player in written.players}
    order = sorted(points, key=lambda user: (-points[user], reached[user], user))
    return [
        {
            "rank": rank,
            "userId": user,
            "displayName": names[user],
            "totalPoints": points[user],
            "eventsCount": sum(each == user for each, _ in in_it),
        }
        for rank, user in enumerate(order, start=1)
    ]


def check_boards(game: Game, users: Iterable[str], periods: Iterable[Period] = PERIODS) -> None:
    game.stack.drain()
    written = check(game)
    for period in periods:
        rows = rows_of(game, period, written)
        board = shown(game, period, limit=100)
        assert board == {
            "period": period,
            "from": instant_text(span_now(game, period)[0]),
            "to": instant_text(span_now(game, period)[1]),
            "entries": rows,
            "totalParticipants": len(rows),
        }
        places = {row["userId"]: place for place, row in enumerate(rows)}
        for user in users:
            near = shown(game, period, limit=1, userId=user)
            place = places.get(user)
            around = [] if place is None else rows[max(0, place - 2) : place + 3]
            assert near["participant"] == (None if place is None else rows[place])
            assert near["neighbours"] == around
            assert near["totalParticipants"] == len(rows)


def change_of_clocks(now: int) -> int:
    """When the next day begins that has not 24 hours, and is none of the next two."""
    day = periods_at(now, BERLIN).day + 3
    while True:
        first, last = span_of("day", day, BERLIN)
        if last + 1 - first != DAY_MS:
            return first
        day += 1


def test_boards_are_those_of_the_ledger_across_a_change_of_the_clocks(fresh_stack: Stack) -> None:
    game = Game.started(fresh_stack, keeping("day", "week", "month"))
    sunday = change_of_clocks(fresh_stack.now_ms())
    _, last = span_of("day", periods_at(sunday, BERLIN).day, BERLIN)
    month = periods_at(sunday, BERLIN).month + 1
    first_of_month, _ = span_of("month", month, BERLIN)
    chance = random.Random(7)  # noqa: S311 - chosen, not secret
    users = [f"user-{number}" for number in range(5)]
    for at in (sunday - HOUR_MS, sunday - 1, sunday, last, last + 1, first_of_month):
        stand(fresh_stack, at)
        for user in chance.sample(users, 3):
            event_type = chance.choice(["signup", "purchase", "daily_login", "nothing"])
            game.event(user, event_type, {"amount": 20})

        check_boards(game, chance.sample(users, 2))


def test_all_that_pays_counts_and_what_is_taken_back_in_the_period_does_not(
    fresh_stack: Stack,
) -> None:
    """Rules, a milestone, a win and a code; then all of it is taken back but the last."""
    made = keeping("day", "week")
    made["milestones"][0] |= {"threshold": 500, "reward": {"points": 70}}
    game = Game.started(fresh_stack, made)
    stand(fresh_stack, span_now(game, "week")[1] + 1 + 30 * HOUR_MS)
    game.event("ada", "purchase", {"amount": 20}, key=next(game.keys_that_draw(GOLD)))
    (code,) = new_codes(game, 1, points=300)
    assert redeem(game, "ada", code).status_code == 200
    game.event("bob", "signup")
    game.event("ada", "daily_login")
    before = ranking(game, "day")

    for event in events_of(game, "ada"):
        if event.event_type != "daily_login":
            assert reverse(game, "ada", event.event_id).status_code == 200

    assert before == [("ada", 975), ("bob", 50)]
    assert ranking(game, "week") == [("bob", 50), ("ada", 5)]
    check_boards(game, ["ada", "bob"], ("day", "week"))


def test_a_period_loses_nothing_that_was_earned_before_it(fresh_stack: Stack) -> None:
    game = Game.started(fresh_stack, keeping("day", "week"))
    stand(fresh_stack, span_now(game, "week")[1] + 1)
    game.event("ada", "purchase", {"amount": 20}, key=next(game.keys_that_draw(BLANK)))
    (monday,) = events_of(game, "ada")
    stand(fresh_stack, fresh_stack.now_ms() + 2 * DAY_MS)
    game.event("ada", "daily_login")
    game.event("bob", "signup")

    reverse(game, "ada", monday.event_id)

    assert ranking(game, "day") == [("bob", 50), ("ada", 5)]
    assert ranking(game, "week") == [("bob", 50), ("ada", 5)]
    assert game.player("ada").total_points == 5  # type: ignore[union-attr]
    check_boards(game, ["ada", "bob"], ("day", "week"))


def test_events_that_come_at_once_are_each_counted_once(fresh_stack: Stack) -> None:
    game = Game.started(fresh_stack, keeping("day", "month"))
    stand(fresh_stack, span_now(game, "day")[1] + 1)
    keys = game.keys_that_draw(BLANK)
    sent = [("ada", next(keys)) for _ in range(6)] + [("bob", next(keys)) for _ in range(4)]
    calls = [game.sending(user, "purchase", {"amount": 20}, key=key) for user, key in sent * 2]

    answers = at_once(fresh_stack, calls)

    assert {answer.status_code for answer in answers} == {200}
    assert ranking(game, "month") == [("ada", 600), ("bob", 400)]
    check_boards(game, ["ada", "bob"], ("day", "month"))


def test_a_board_that_is_kept_later_counts_from_then_on(fresh_stack: Stack) -> None:
    game = Game.started(fresh_stack, mechanics())
    stand(fresh_stack, span_now(game, "week")[1] + 1)
    purchase = {"amount": 20}
    game.event("ada", "purchase", purchase, key=next(game.keys_that_draw(BLANK)))
    (uncounted,) = events_of(game, "ada")
    game.event("bob", "signup")
    assert game.save(keeping("week"), seen=1).status_code == 200
    fresh_stack.advance(CAMPAIGN_CACHE_MS)

    empty = ranking(game, "week")
    game.event("ada", "daily_login")
    counted = ranking(game, "week")
    reverse(game, "ada", uncounted.event_id)

    assert (empty, counted) == ([], [("ada", 5)])
    assert ranking(game, "week") == [("ada", 5)]
    assert shown(game, "week")["totalParticipants"] == 1
    assert shown(game, "week", userId="bob")["participant"] is None


def test_a_period_that_is_not_kept_is_refused_and_the_setting_named(stack: Stack) -> None:
    game = Game.started(stack, keeping("week"))
    game.event("ada", "signup")

    for period in ("day", "month", "year", ""):
        refused = game.call("GET", "leaderboard", params={"period": period})

        assert refused.status_code == 400
        assert refused.json()["message"] == "Invalid request parameters"
        (error,) = refused.json()["errors"]
        assert error["field"] == "period"
        if period in PERIODS:
            assert "leaderboard.periods" in error["message"]
    stack.drain()
    assert shown(game, "all") == shown(game)
    assert "period" not in shown(game)


def test_a_kind_of_period_is_named_once(stack: Stack) -> None:
    game = Game.started(stack, mechanics())

    for periods in (["week", "week"], ["year"], "week"):
        refused = game.save(mechanics(leaderboard={"periods": periods}), seen=1)

        assert refused.status_code == 400
        assert refused.json()["errors"][0]["field"].startswith("leaderboard.periods")


@dataclass(frozen=True)
class Crowd:
    """Players put there with any points of this week, and the rows that sorting them gives."""

    game: Game
    players: list[Player]
    rows: list[Json]


STAFF = ["user-03", "user-11", "user-29"]


def crowd(stack: Stack, seed: int, *, count: int, totals: int, moments: int) -> Crowd:
    """Every fifth has had no event this week."""
    game = Game.started(stack, keeping("week", excludeUsers=STAFF, hideNames=seed % 2 == 1))
    chance = random.Random(seed)  # noqa: S311 - chosen, not secret
    now = stack.now_ms()
    week = periods_at(now, BERLIN).week
    players = []
    for number in range(count):
        at = now + chance.randrange(moments)
        score = [week - (number % 5 == 4), chance.randrange(totals), at, chance.randrange(1, 9)]
        player = Player(
            campaign_id=game.campaign_id,
            user_id=f"user-{number:02d}",
            version=1,
            total_points=score[1] + chance.randrange(1000),
            events_count=score[3] + 1,
            joined_at=now,
            reached_at=at,
            display_name=f"Player {number}",
            counters={"boards": {"week": score}},
        )
        players.append(player)
    with inside(stack):
        store.put_all(player.to_item() for player in players)
    stack.drain()

    def score_of(player: Player) -> list[int]:
        found: list[int] = player.counters["boards"]["week"]
        return found

    ranked = sorted(
        (
            player
            for player in players
            if player.user_id not in STAFF and score_of(player)[0] == week
        ),
        key=lambda player: (-score_of(player)[1], score_of(player)[2], player.user_id),
    )
    rows = [
        {
            "rank": rank,
            "userId": player.user_id,
            "displayName": None if seed % 2 else player.display_name,
            "totalPoints": score_of(player)[1],
            "eventsCount": score_of(player)[3],
        }
        for rank, player in enumerate(ranked, start=1)
    ]
    return Crowd(game, players, rows)


@pytest.mark.parametrize(
    ("seed", "totals", "moments"),
    [
        (1, 1, 1),
        (2, 3, 2),
        (3, 1000, 40),
    ],
)
def test_i18_ranks_of_a_period_are_those_of_sorting_its_players(
    stack: Stack, seed: int, totals: int, moments: int
) -> None:
    """Many or all have the same points, many at the same millisecond."""
    made = crowd(stack, seed, count=25, totals=totals, moments=moments)
    rows = made.rows

    for limit in (1, 7, 100):
        board = shown(made.game, "week", limit=limit)
        assert board["entries"] == rows[:limit]
        assert board["totalParticipants"] == len(rows)
    places = {row["userId"]: place for place, row in enumerate(rows)}
    for player in made.players:
        place = places.get(player.user_id)
        near = shown(made.game, "week", limit=1, userId=player.user_id)
        if place is None:
            assert (near["participant"], near["neighbours"]) == (None, [])
        else:
            assert near["participant"] == rows[place]
            assert near["neighbours"] == rows[max(0, place - 2) : place + 3]
        assert near["totalParticipants"] == len(rows)


def test_ones_own_place_counts_before_the_stream_has_told_of_it(stack: Stack) -> None:
    game = Game.started(stack, keeping("week"))
    for user in ("ada", "bob", "eve"):
        game.event(user, "signup")
    stack.drain()
    game.event("eve", "purchase", {"amount": 20}, key=next(game.keys_that_draw(BLANK)))
    game.event("new", "daily_login")

    up, new = (shown(game, "week", userId=user) for user in ("eve", "new"))

    assert (up["participant"]["rank"], up["participant"]["totalPoints"]) == (1, 150)
    assert [each["userId"] for each in up["neighbours"]] == ["eve", "ada", "bob"]
    assert up["totalParticipants"] == 3
    assert (new["participant"]["rank"], new["totalParticipants"]) == (4, 4)


def test_a_board_that_is_switched_off_is_not_shown(stack: Stack) -> None:
    game = Game.started(stack, keeping("week", enabled=False))
    game.event("ada", "signup")

    refused = game.call("GET", "leaderboard", params={"period": "week"})

    assert refused.status_code == 404
    assert refused.json()["message"] == "Campaign has no leaderboard"


def test_campaigns_and_accounts_have_boards_of_their_own(stack: Stack) -> None:
    one, other = (Game.started(stack, keeping("week")) for _ in range(2))
    one.event("ada", "signup")
    other.event("ada", "daily_login")
    other.event("bob", "signup")
    key = accounts.new_key(stack, accounts.new_account(stack)).secret
    http = httpx.Client(
        base_url=stack.url,
        headers={"x-api-secret": key, "authorization": f"Bearer {key}"},
        verify=TLS,
    )
    path = f"/v1/campaigns/{one.slug}"

    theirs = http.get(f"{path}/leaderboard", params={"period": "week"})
    made = http.post("/v2/campaigns", json={"type": "REFERRAL", "slug": one.slug})
    saved = http.put(f"{path}/mechanics", json=keeping("week"), headers={"if-match": "0"})
    same_slug = http.get(f"{path}/leaderboard", params={"period": "week", "userId": "ada"})

    assert theirs.status_code == 404
    assert (made.status_code, saved.status_code) == (200, 200)
    empty = data_of(same_slug)
    assert (empty["entries"], empty["participant"], empty["totalParticipants"]) == ([], None, 0)
    assert ranking(one, "week") == [("ada", 50)]
    assert ranking(other, "week") == [("bob", 50), ("ada", 5)]


@dataclass(frozen=True)
class Told:
    """A campaign whose players have had some events, of which the stream has not told yet."""

    game: Game

    def deliver(self, records: list[Json]) -> None:
        assert self.game.stack.deliver(PROJECT, records) == {"batchItemFailures": []}

    def check(self) -> None:
        check_boards(self.game, [], ("day", "week"))


@pytest.fixture
def told(fresh_stack: Stack) -> Told:
    game = Game.started(fresh_stack, keeping("day", "week"))
    stand(fresh_stack, span_now(game, "week")[1] + 1)
    users = ["ada", "bob", "eve"]
    for user, event_type in itertools.product(users, ("signup", "daily_login", "nothing")):
        game.event(user, event_type)
    stand(fresh_stack, fresh_stack.now_ms() + DAY_MS)
    for user in ("eve", "bob"):
        game.event(user, "daily_login")
        stand(fresh_stack, fresh_stack.now_ms() + 1)
    return Told(game)


def player_records(told: Told) -> list[Json]:
    """In the order of the stream."""
    records = told.game.stack.take_records(PROJECT)
    return [one for one in records if one["dynamodb"]["NewImage"]["type"]["S"] == "Player"]


def test_records_that_come_twice_in_pieces_or_backwards_make_the_same_boards(told: Told) -> None:
    records = player_records(told)
    assert len(records) == 11

    told.deliver(records[::-1])
    told.check()
    for record in (*records, *records[::-1]):
        told.deliver([record])

    told.check()


def test_late_records_never_put_an_older_state_on_a_board(told: Told) -> None:
    records = player_records(told)

    for record in records[::-1]:
        told.deliver([record])

    told.check()


def test_a_process_that_dies_anywhere_leaves_what_the_next_one_finishes(
    fresh_stack: Stack, monkeypatch: pytest.MonkeyPatch
) -> None:
    """After each of the calls that the consumer makes for an event, one new player each."""
    monkeypatch.setattr(protocol, "PATIENCE_SECONDS", 0)
    game = Game.started(fresh_stack, keeping("week"))
    stand(fresh_stack, span_now(game, "week")[1] + 1)
    game.event("bob", "daily_login")
    fresh_stack.drain()
    for calls in range(40):
        game.event(f"user-{calls:02d}", "signup")

        with fresh_stack.kill_after(calls, PROJECT) as order:
            fresh_stack.drain()

        last = shown(game, "week", userId="bob")
        assert last["participant"]["rank"] == last["totalParticipants"] == calls + 2
        assert [each["totalPoints"] for each in last["entries"][-2:]] == [50, 5]
        if not order.happened:
            break

    assert not order.happened
    assert calls > 12
    check_boards(game, ["bob"], ["week"])


def test_a_state_that_has_been_counted_is_read_and_no_more(told: Told) -> None:
    stack, records = told.game.stack, player_records(told)
    told.deliver(records)

    # The index of all time reads its head, and what it counts; then the entries are read.
    with stack.kill_after(4, PROJECT) as order:
        told.deliver(records)

    assert not order.happened


def test_an_older_state_that_is_being_counted_is_overtaken_by_a_newer_one(
    fresh_stack: Stack, monkeypatch: pytest.MonkeyPatch
) -> None:
    """After each of the calls that the consumer makes for the older one."""
    monkeypatch.setattr(protocol, "PATIENCE_SECONDS", 0)
    game = Game.started(fresh_stack, keeping("week"))
    stand(fresh_stack, span_now(game, "week")[1] + 1)
    for calls in range(1, 40):
        user = f"user-{calls:02d}"
        for event_type in ("daily_login", "signup"):
            game.event(user, event_type)
        older, newer = player_records(Told(game))
        deliver = fresh_stack.deliver
        overtaking = partial(deliver, PROJECT, [newer])

        with interrupted(fresh_stack, PROJECT, calls, overtaking, for_certain=False) as one:
            deliver(PROJECT, [older])

        row = shown(game, "week", userId=user)["participant"]
        assert (row["totalPoints"], row["rank"]) == (55, calls)
        if not one.happened:
            break

    assert not one.happened
    assert calls > 12
    fresh_stack.drain()
    entries = shown(game, "week", limit=100)["entries"]
    assert [each["totalPoints"] for each in entries] == [55] * (calls - 1) + [5]


def test_the_entry_of_a_period_gives_way_to_the_next_and_goes_away_by_itself(told: Told) -> None:
    told.game.stack.drain()

    found = [
        PlayerPeriod.from_item({name: whole(value) for name, value in item.items()})
        for item in table_of(told.game.stack).values()
        if item["type"] == PlayerPeriod.TYPE
    ]

    assert sorted((one.user_id, one.period, one.points) for one in found) == [
        ("ada", "day", 55),
        ("ada", "week", 55),
        ("bob", "day", 5),
        ("bob", "week", 60),
        ("eve", "day", 5),
        ("eve", "week", 60),
    ]
    for one in found:
        _, last = span_of(one.period, one.number, BERLIN)
        assert last // 1000 < one.expires_at < last // 1000 + 9 * DAY_MS // 1000
    assert [user for user, _ in ranking(told.game, "day")] == ["eve", "bob"]


def whole(value: Any) -> Any:
    return value if isinstance(value, str) else int(value)


def test_what_is_long_over_is_put_on_no_board_again(told: Told) -> None:
    records = player_records(told)
    stand(told.game.stack, told.game.stack.now_ms() + 30 * DAY_MS)

    told.deliver(records)

    types = {item["type"] for item in table_of(told.game.stack).values()}
    assert PlayerPeriod.TYPE not in types
