"""The webhooks of games: what players get is told, each thing once."""

from __future__ import annotations

import json
import os
import random
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from local.stack import Stack
from tests import coding
from tests.api import Api, Json
from tests.playing import Game, mechanics
from tests.reward_stories import Program, event_ids, received, stack_with_receivers

GOLDEN = Path(__file__).parent.parent / "golden" / "webhooks"
RELAY = "RelayChangesFunction"
EVENTS = [
    "points.awarded",
    "milestone.reached",
    "instantwin.won",
    "code.redeemed",
    "prize.soldout",
]


def configuration() -> Json:
    """Every purchase wins, as long as there is a prize."""
    made = mechanics()
    made["milestones"][0] |= {"threshold": 600, "reward": {"points": 20, "badge": "bronze"}}
    made["instantWin"]["tiers"] = [
        {"id": "gold", "name": "Gold", "oddsPpm": 1_000_000, "inventory": 1, "points": 500}
    ]
    return made


@pytest.fixture(scope="module")
def hooked(engine: str) -> Iterator[Stack]:
    with stack_with_receivers(engine) as stack:
        yield stack


@pytest.fixture
def program(hooked: Stack) -> Iterator[Program]:
    game = Game.started(hooked, configuration())
    with Api(hooked.url, hooked.api_key) as api:
        yield Program(hooked, api, game.campaign_id)


def game_of(program: Program) -> Game:
    slug = program.api.read_campaign(program.id)["slug"]
    http = Game.started(program.stack).http
    return Game(program.stack, http, program.id, slug)


def play(program: Program) -> Game:
    """A purchase wins the only prize, another one nothing; a code is redeemed."""
    game = game_of(program)
    game.event("ada", "purchase", {"amount": 20}, key="first")
    game.event("bob", "purchase", {"amount": 20}, key="second")
    (code,) = coding.new_codes(game, 1, key="cards")
    assert coding.redeem(game, "bob", code, key="redeem").status_code == 200
    return game


def told(program: Program) -> list[Json]:
    return received(program.stack, program.id)


@pytest.fixture(scope="module")
def played(hooked: Stack) -> Iterator[tuple[Program, Game]]:
    """A program that was told of all of `play`, which no test changes."""
    started = Game.started(hooked, configuration())
    with Api(hooked.url, hooked.api_key) as api:
        program = Program(hooked, api, started.campaign_id)
        program.listen(program.id, EVENTS)
        game = play(program)
        hooked.drain()
        yield program, game


def test_all_that_players_get_is_told_once(played: tuple[Program, Game]) -> None:
    program, game = played

    events = told(program)

    names = sorted(event["event"] for event in events)
    assert names == [
        "code.redeemed",
        "instantwin.won",
        *["milestone.reached"] * 2,
        *["points.awarded"] * 6,
        "prize.soldout",
    ]
    for user_id in ("ada", "bob"):
        awarded = [
            event["data"]["pointsAwarded"]
            for event in events
            if event["event"] == "points.awarded" and event["data"]["userId"] == user_id
        ]
        assert sum(awarded) == game.player(user_id).total_points  # type: ignore[union-attr]


def test_no_event_tells_a_code(played: tuple[Program, Game]) -> None:
    program, game = played
    (win,) = game.call("GET", "participants/ada/wins").json()["data"]["wins"]

    events = told(program)

    text = json.dumps(events)
    assert len(events) == 11
    assert win["winCode"] not in text
    assert win["winCode"].split("-")[1] not in text
    assert "codeHash" not in text


@pytest.mark.both_engines
def test_i15_records_that_come_again_or_in_another_order_tell_nothing_new(
    program: Program,
) -> None:
    program.listen(program.id, EVENTS)
    play(program)
    records = program.stack.take_records(RELAY)
    for seed in (1, 2):
        shuffled = list(records)
        random.Random(seed).shuffle(shuffled)  # noqa: S311 - an order, no secret
        assert program.stack.deliver(RELAY, shuffled) == {"batchItemFailures": []}
        program.stack.drain()
        program.stack.advance(1000)

    ids = event_ids(program.stack, program.id)

    assert len(ids) == len(set(ids)) == 11


def test_a_prize_sells_out_again_only_after_there_was_more_of_it(program: Program) -> None:
    program.listen(program.id, ["prize.soldout"])
    game = play(program)
    more = configuration()
    more["instantWin"]["tiers"][0]["inventory"] = 2
    assert game.save(more, seen=1).status_code == 200
    program.stack.advance(10_000)

    for number in range(3):
        game.event(f"player-{number}", "purchase", {"amount": 20}, key=f"more-{number}")
    program.stack.drain()

    sold_out = [(one["data"]["awarded"], one["data"]["inventory"]) for one in told(program)]
    assert sorted(sold_out) == [(1, 1), (2, 2)]


def test_a_prize_that_is_made_smaller_or_taken_out_has_not_sold_out(program: Program) -> None:
    program.listen(program.id, ["prize.soldout"])
    made, smaller, without = configuration(), configuration(), configuration()
    made["instantWin"]["tiers"][0]["inventory"] = 3
    smaller["instantWin"]["tiers"][0]["inventory"] = 1
    without["instantWin"]["tiers"] = []
    game = game_of(program)
    assert game.save(made, seen=1).status_code == 200
    game.event("ada", "purchase", {"amount": 20}, key="first")

    for version, changed in enumerate((smaller, made, without), start=2):
        assert game.save(changed, seen=version).status_code == 200
    program.stack.drain()

    assert told(program) == []


@pytest.fixture(scope="module")
def events_by_name(played: tuple[Program, Game]) -> dict[str, Json]:
    program, game = played
    name = program.api.read_campaign(program.id)["name"]
    names = {program.id: "<the campaign>", game.slug: "<the slug>", name: "<the name>"}
    events = [_normal(event, names) for event in told(program)]
    return {event["event"]: event for event in sorted(events, key=json.dumps)}


def _normal(value: Any, names: dict[str, str], key: str = "") -> Any:
    match value:
        case dict():
            return {name: _normal(each, names, name) for name, each in value.items()}
        case int() if key.endswith("At"):
            return "<time>"
        case str() if key in {"eventId", "ledgerId"} or value.startswith("win_"):
            return f"<{key}>"
        case str() if value.startswith("bat_") or key == "ruleId":
            return f"<{key}>"
    return names.get(value, value) if isinstance(value, str) else value


@pytest.mark.parametrize("name", EVENTS)
def test_an_event_is_the_golden_one(events_by_name: dict[str, Json], name: str) -> None:
    """`GRAPEVINE_WRITE_GOLDEN=1` writes the files anew: look at the difference before a commit."""
    text = json.dumps(events_by_name[name], indent=2, ensure_ascii=False)
    path = GOLDEN / f"{name}.json"

    if os.environ.get("GRAPEVINE_WRITE_GOLDEN"):
        path.write_text(f"{text}\n", encoding="utf-8")

    assert f"{text}\n" == path.read_text(encoding="utf-8")


def test_a_simulated_event_has_the_fields_of_a_real_one(program: Program) -> None:
    program.listen(f"{program.id}-test", [])

    for name in EVENTS:
        path = f"{program.path}/webhooks/primary/test"
        simulated = program.api.ok("POST", path, {"event": name})["payload"]

        real = json.loads((GOLDEN / f"{name}.json").read_text(encoding="utf-8"))
        assert set(simulated) == set(real)
        assert set(simulated["data"]) == set(real["data"])
