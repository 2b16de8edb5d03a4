"""Events of the Referd API: taken at once, recorded in every campaign that listens, once."""

from __future__ import annotations

import itertools
import random
from collections.abc import Iterable, Iterator
from typing import Any

import pytest

from grapevine.engine.mechanics import recording
from grapevine.engine.mechanics.campaign import LATE_MS
from grapevine.engine.mechanics.draw_secrets import SHOWN_AFTER_MS
from grapevine.engine.mechanics.listening import listening as campaigns_that_listen
from grapevine.table import mechanics_keys, store
from grapevine.table.attributes import Item
from grapevine.table.keys import Key
from local.stack import Stack
from tests import accounts
from tests.api import Json
from tests.conftest import inside
from tests.invariants import table_of
from tests.playing import Game, mechanics
from tests.reporting import PLAYER, ROUTES, post, report
from tests.scenarios import DAY_MS, at_once, leap

INBOX = ("InboxEvent", "InboxReceipt")
EVALUATE, RELAY = "EvaluateEventFunction", "RelayChangesFunction"


def listening(**changes: Any) -> Json:
    return mechanics(sources=["gamifyhost", "referd"], **changes)


def without_prizes(**changes: Any) -> Json:
    return listening(instantWin=None, **changes)


@pytest.fixture(scope="module")
def game(stack: Stack) -> Game:
    """The only campaign of the module's stack, so that its events are looked for in no other."""
    return Game.started(stack, without_prizes())


@pytest.fixture(scope="module")
def public(stack: Stack) -> str:
    """A key that anybody can read in the app."""
    return accounts.new_public_key(stack, str(stack.account_id)).secret


_numbers = itertools.count(1)


@pytest.fixture
def player(game: Game) -> Iterator[str]:
    """A user of whom nothing is known; what a test leaves under way has arrived after it."""
    yield f"player-{next(_numbers)}"
    game.stack.drain()


def points_of(game: Game, player: str = PLAYER) -> int:
    found = game.player(player)
    total = sum(line.points for line in game.ledger(player))
    assert (found.total_points if found else 0) == total
    return total


def test_a_report_is_answered_with_nothing_and_then_earns(game: Game, player: str) -> None:
    stack, events = game.stack, {"purchase": {"amount": "9.99"}, "signup": None}

    for route in ROUTES:
        report(stack, events, player=player + route, route=route)
        assert game.player(player + route) is None
    stack.drain()

    for route in ROUTES:
        assert points_of(game, player + route) == 50
        assert game.player(player + route).events_count == 2  # type: ignore[union-attr]


def test_every_campaign_that_listens_records_the_event_and_no_other(fresh_stack: Stack) -> None:
    first, second = (Game.started(fresh_stack, without_prizes()) for _ in range(2))
    deaf = Game.started(fresh_stack, mechanics())
    ended = Game.started(fresh_stack, without_prizes())
    ended.set_status("COMPLETE")
    bare = Game.started(fresh_stack)

    report(fresh_stack, {"signup": {}})
    fresh_stack.drain()

    games = (first, second, deaf, ended, bare)
    assert [points_of(game) for game in games] == [50, 50, 0, 0, 0]
    assert [game.player(PLAYER) is None for game in games] == [False, False, True, True, True]


@pytest.mark.parametrize(("waited", "earned"), [(0, [50]), (LATE_MS - 5000, [50]), (LATE_MS, [])])
def test_what_was_accepted_before_a_campaign_ended_counts_for_some_seconds(
    fresh_stack: Stack, waited: int, earned: list[int]
) -> None:
    assert LATE_MS + recording.WITHIN_SECONDS * 1000 < SHOWN_AFTER_MS
    game = Game.started(fresh_stack, without_prizes())
    report(fresh_stack, {"signup": {}}, player="early")
    leap(fresh_stack, fresh_stack.now_ms() + 5)
    game.set_status("COMPLETE")
    report(fresh_stack, {"signup": {}}, player="late")
    leap(fresh_stack, fresh_stack.now_ms() + waited)
    fresh_stack.drain()

    assert [line.points for line in game.ledger("early")] == earned
    assert game.player("late") is None
    assert game.send("another", "signup").status_code == 404


def test_the_mechanics_of_campaigns_that_take_no_events_are_not_read(
    fresh_stack: Stack, monkeypatch: pytest.MonkeyPatch
) -> None:
    game, ended = (Game.started(fresh_stack, without_prizes()) for _ in range(2))
    ended.set_status("COMPLETE")
    leap(fresh_stack, fresh_stack.now_ms() + LATE_MS)
    read: list[Key] = []
    get_many = store.get_many

    def recorded(wanted: Iterable[Key]) -> dict[Key, Item]:
        read.extend(wanted := list(wanted))
        return get_many(wanted)

    monkeypatch.setattr(store, "get_many", recorded)
    with inside(fresh_stack):
        found = campaigns_that_listen(str(fresh_stack.account_id), "referd", fresh_stack.now_ms())

    assert [one.campaign.campaign_id for one in found] == [game.campaign_id]
    assert mechanics_keys.mechanics(game.campaign_id) in read
    assert mechanics_keys.mechanics(ended.campaign_id) not in read


def test_a_campaign_that_has_just_begun_to_listen_misses_nothing(fresh_stack: Stack) -> None:
    first = Game.started(fresh_stack, without_prizes())
    report(fresh_stack, {"signup": {}}, player="early")
    fresh_stack.drain()
    second = Game.started(fresh_stack, without_prizes())
    fresh_stack.advance(1500)

    report(fresh_stack, {"signup": {}}, player="late")
    fresh_stack.drain()

    assert [points_of(game, "early") for game in (first, second)] == [50, 0]
    assert [points_of(game, "late") for game in (first, second)] == [50, 50]


def test_i17_nobody_listens_to_a_foreign_account(game: Game, player: str) -> None:
    stack = game.stack
    stranger = accounts.new_key(stack, accounts.new_account(stack))
    test_world = accounts.new_key(stack, accounts.new_account(stack, "test"))

    for key in (stranger, test_world):
        report(stack, {"signup": {}}, player=player, api_key=key.secret)
    stack.drain()

    assert game.player(player) is None


def test_a_repeated_request_is_answered_alike_and_another_one_with_its_key_refused(
    game: Game, player: str
) -> None:
    events = {"purchase": {"amount": 20}, "review": {}}
    named = {"displayName": "Ada"}
    report(game.stack, events, player=player, key="request-1", playerAttributes=named)
    game.stack.drain()
    before = table_of(game.stack)

    again = dict(reversed(events.items()))
    report(game.stack, again, player=player, key="request-1", playerAttributes=named)
    refused = [
        post(game.stack, sent, player=user, key="request-1", playerAttributes={"displayName": name})
        for sent, user, name in (
            ({"purchase": {"amount": 21}, "review": {}}, player, "Ada"),
            (events, "another", "Ada"),
            (events, player, "Bob"),
        )
    ]

    assert [(one.status_code, one.json()["code"]) for one in refused] == [(422, 7)] * 3
    assert "already used with a different request" in refused[0].json()["message"]
    game.stack.drain()
    assert table_of(game.stack) == before


@pytest.mark.parametrize("is_gone", [False, True], ids=["expired", "gone"])
def test_a_key_names_another_request_after_thirty_days(
    game: Game, player: str, is_gone: bool
) -> None:
    stack, key = game.stack, f"key-of-{player}"
    report(stack, {"purchase": {"amount": 20}}, player=player, key=key)
    stack.drain()
    leap(stack, stack.now_ms() + 30 * DAY_MS)
    if is_gone:
        old = [place for place, item in table_of(stack).items() if item["type"] in INBOX]
        with inside(stack):
            store.remove(old)

    for _ in range(2):
        report(stack, {"purchase": {"amount": 50}}, player=player, key=key)
    refused = post(stack, {"purchase": {"amount": 20}}, player=player, key=key)
    stack.drain()

    assert refused.status_code == 422
    assert [line.points for line in game.ledger(player)] == [100, 100]


@pytest.mark.both_engines
def test_i6_of_requests_with_a_new_or_an_expired_key_at_once_one_is_taken(
    game: Game, player: str
) -> None:
    stack = game.stack
    for _ in range(2):
        sent = [
            lambda _: post(stack, {"purchase": {"amount": 20}}, player=player, key=player)
            for _ in range(4)
        ]
        answers = at_once(stack, sent, threads=4)
        stack.drain()
        assert [answer.status_code for answer in answers] == [200] * 4
        leap(stack, stack.now_ms() + 30 * DAY_MS)

    assert [line.points for line in game.ledger(player)] == [100, 100]


def test_without_a_key_every_request_is_a_new_one(game: Game, player: str) -> None:
    for _ in range(2):
        report(game.stack, {"purchase": {"amount": 20}}, player=player)
    game.stack.drain()

    assert [line.points for line in game.ledger(player)] == [100, 100]


def test_what_an_app_says_of_an_order_hides_nothing_that_a_server_says_of_it(
    game: Game, player: str, public: str
) -> None:
    order = {"orderId": f"order-of-{player}"}
    forged = {"purchase": {**order, "amount": 0}}
    for _ in range(2):
        report(game.stack, forged, player=player, api_key=public)
        game.stack.drain()

    by_gamifyhost = game.send(player, "purchase", {**order, "amount": 500}, key=player)
    for vouched in (game.stack.api_key, None):
        report(
            game.stack,
            {"purchase": {**order, "amount": 700}},
            player=player,
            api_key=public,
            secret=vouched,
        )
        game.stack.drain()

    assert "idempotent-replayed" not in by_gamifyhost.headers
    assert by_gamifyhost.json()["data"]["pointsEarned"] == 100
    assert [line.points for line in game.ledger(player)] == [100]
    assert game.player(player).events_count == 2  # type: ignore[union-attr]


def test_what_a_server_has_said_of_an_order_an_app_says_in_vain(
    game: Game, player: str, public: str
) -> None:
    order = {"amount": 20, "orderId": f"order-of-{player}"}
    game.event(player, "purchase", order)

    report(game.stack, {"purchase": order}, player=player, api_key=public)
    game.stack.drain()

    assert [line.points for line in game.ledger(player)] == [100]


def test_a_key_that_an_app_has_used_is_a_new_one_for_a_server(
    game: Game, player: str, public: str
) -> None:
    guessed, purchase = f"key-of-{player}", {"purchase": {"amount": 500}}
    report(game.stack, {"signup": {}}, player="somebody", api_key=public, key=guessed)
    game.stack.drain()

    for _ in range(2):
        report(game.stack, purchase, player=player, key=guessed)
    refused = post(game.stack, {"review": {}}, player=player, key=guessed)
    game.stack.drain()

    assert refused.status_code == 422
    assert [line.points for line in game.ledger(player)] == [100]


def test_what_only_an_app_vouches_for_wins_no_prize(fresh_stack: Stack) -> None:
    made = listening()
    made["instantWin"]["tiers"][0] |= {"oddsPpm": 900_000}
    game = Game.started(fresh_stack, made)
    public = accounts.new_public_key(fresh_stack, str(fresh_stack.account_id)).secret

    for number in range(3):
        report(fresh_stack, {"purchase": {"amount": 20}}, player=f"app-{number}", api_key=public)
        report(
            fresh_stack,
            {"purchase": {"amount": 20}},
            player=f"server-{number}",
            api_key=public,
            secret=fresh_stack.api_key,
        )
    fresh_stack.drain()

    played = {
        item["userId"]: (item["trust"], item["played"])
        for item in table_of(fresh_stack).values()
        if item["type"] == "PlayerEvent"
    }
    assert played == {
        **{f"app-{number}": ("client", False) for number in range(3)},
        **{f"server-{number}": ("server", True) for number in range(3)},
    }
    assert points_of(game, "app-0") == 100


def test_what_one_campaign_refuses_another_one_still_records(fresh_stack: Stack) -> None:
    limited = listening(unknownEventTypes="reject")
    limited["instantWin"]["limits"] = {"playsPerUser": {"total": 1}}
    strict, open_one = (
        Game.started(fresh_stack, limited),
        Game.started(fresh_stack, without_prizes()),
    )

    for _ in range(2):
        report(fresh_stack, {"purchase": {"amount": 20}, "no_such_event": {}})
        fresh_stack.drain()

    assert [strict.player(PLAYER).events_count, open_one.player(PLAYER).events_count] == [1, 4]  # type: ignore[union-attr]
    assert fresh_stack.queue_messages("EventQueue") == []
    assert fresh_stack.queue_messages("EventDeadLetterQueue") == []


def test_the_name_of_a_player_is_the_last_one_that_was_sent(game: Game, player: str) -> None:
    for name in ("Ada", "Ada L."):
        named = {"displayName": name}
        report(game.stack, {"signup": {}}, player=player, playerAttributes=named)
        game.stack.drain()
    report(game.stack, {"signup": {}}, player=player)
    game.stack.drain()
    game.event(player, "signup")

    assert game.player(player).display_name == "Ada L."  # type: ignore[union-attr]


def test_an_app_names_no_player(game: Game, player: str, public: str) -> None:
    named = {"displayName": "Ada"}
    report(game.stack, {"signup": {}}, player=player, playerAttributes=named)
    game.stack.drain()

    forged = {"displayName": "Somebody else"}
    report(
        game.stack,
        {"signup": {}},
        player=player,
        api_key=public,
        key=player,
        playerAttributes=forged,
    )
    game.stack.drain()

    found = game.player(player)
    assert found is not None
    assert (found.events_count, found.display_name) == (2, "Ada")


def test_i9_what_is_refused_leaves_the_table_as_it_was(game: Game) -> None:
    before = table_of(game.stack)
    wrong: list[tuple[Any, int]] = [
        ({}, 4),
        (None, 5),
        ([], 5),
        ({"internal:referral_credited": {}}, 7),
        ({"a" * 101: {}}, 7),
    ]

    refused = [post(game.stack, events, key="refused") for events, _ in wrong]

    assert [(one.status_code, one.json()["code"]) for one in refused] == [
        (400, code) for _, code in wrong
    ]
    assert table_of(game.stack) == before


@pytest.mark.both_engines
def test_i15_what_the_stream_and_the_queue_say_again_changes_nothing(
    game: Game, player: str
) -> None:
    stack = game.stack
    for number in range(3):
        events = {"purchase": {"amount": 20}, "daily_login": {}}
        report(stack, events, player=player, key=f"r-{number}")
    records = stack.take_records(RELAY)
    random.Random(7).shuffle(records)  # noqa: S311 - an order, no secret
    for _ in range(2):
        assert stack.deliver(RELAY, records) == {"batchItemFailures": []}
    messages = stack.queue_messages("EventQueue")
    stack.drain()
    before = table_of(stack)

    stack.redeliver(RELAY)
    stack.drain()

    assert len(messages) == 12
    assert table_of(stack) == before
    assert sorted(line.points for line in game.ledger(player)) == [5, 100, 100, 100]


@pytest.mark.parametrize(("function_id", "calls"), [(RELAY, 1), (EVALUATE, 3), (EVALUATE, 5)])
def test_whoever_dies_on_the_way_is_followed_by_another_one(
    game: Game, player: str, function_id: str, calls: int
) -> None:
    stack = game.stack
    report(stack, {"signup": {}, "purchase": {"amount": 20}}, player=player)

    with stack.kill_after(calls, function_id):
        stack.drain()
        stack.advance(400_000)
        stack.drain()

    assert points_of(game, player) == 150


def test_a_message_that_makes_no_sense_ends_in_the_queue_for_those(game: Game, player: str) -> None:
    stack = game.stack
    stack.queues.send("EventQueue", "no message")
    report(stack, {"signup": {}}, player=player)

    for _ in range(6):
        stack.drain()
        stack.advance(400_000)

    assert points_of(game, player) == 50
    assert len(stack.queue_messages("EventDeadLetterQueue")) == 1
