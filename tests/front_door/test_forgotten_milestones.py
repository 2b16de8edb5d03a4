"""Milestones that have been gone for so long that their players have forgotten them."""

from __future__ import annotations

import pytest

from grapevine.engine.access import CAMPAIGN_CACHE_MS
from grapevine.engine.mechanics import counters
from local.stack import Stack
from tests.api import Json
from tests.play_invariants import check
from tests.playing import Game, mechanics
from tests.scenarios import leap


def with_milestone(name: str) -> Json:
    reached_at_once = {
        "id": name,
        "name": name,
        "metric": {"type": "points_total"},
        "threshold": 1,
        "reward": {"points": 7},
    }
    return mechanics(milestones=[reached_at_once], instantWin=None)


def redeemed(game: Game) -> Json:
    batch = {"slug": game.slug, "batchSize": 1, "pointsValue": 50}
    [code] = game.http.post("/v1/campaigns/codes/generate", json=batch).json()["data"]["codes"]
    answer = game.call("POST", "redeem", {"userId": "user", "code": code})
    assert answer.status_code == 200, answer.text
    data: Json = answer.json()["data"]
    return data


@pytest.mark.parametrize("by_code", [False, True])
def test_i13_a_milestone_that_was_forgotten_is_not_reached_again_and_blocks_nothing(
    fresh_stack: Stack, monkeypatch: pytest.MonkeyPatch, by_code: bool
) -> None:
    monkeypatch.setattr(counters, "MOST_RETIRED", 1)
    game = Game.started(fresh_stack)
    for version, name in enumerate(["first", "second", "third", "first"]):
        assert game.save(with_milestone(name), seen=version).status_code == 200
        leap(fresh_stack, fresh_stack.now_ms() + CAMPAIGN_CACHE_MS + 1000)
        if version < 3:
            game.event("user", "purchase", {"amount": 20})
    player = game.player("user")
    assert player is not None
    assert set(player.counters["milestones"]) == {"second", "third"}

    told = redeemed(game) if by_code else game.event("user", "purchase", {"amount": 20})

    assert "milestones" not in told
    assert sorted(award.milestone_id for award in check(game).awards) == [
        "first",
        "second",
        "third",
    ]
    game.event("user", "purchase", {"amount": 20})
    assert len(check(game).awards) == 3
    asked = game.call("GET", "participants/user", params={"expand": "progress"})
    [shown] = asked.json()["data"]["progress"]
    assert (shown["id"], shown["reachedCount"], shown["percent"]) == ("first", 1, 100)


def test_i13_what_a_forgotten_milestone_gave_in_one_entry_is_not_given_again(
    fresh_stack: Stack, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(counters, "MOST_RETIRED", 1)
    spent = mechanics(
        milestones=[
            {
                "id": "spent",
                "name": "Spent",
                "metric": {"type": "metadata_sum", "eventType": "buy", "field": "amount"},
                "threshold": 10,
                "repeat": True,
                "reward": {"points": 7},
            }
        ],
        instantWin=None,
    )
    game = Game.started(fresh_stack)
    given = []
    for version, made in enumerate([spent, with_milestone("a"), with_milestone("b"), spent]):
        assert game.save(made, seen=version).status_code == 200
        leap(fresh_stack, fresh_stack.now_ms() + CAMPAIGN_CACHE_MS + 1000)
        amount = 30 if version == 0 else 10
        given.append(game.event("user", "buy", {"amount": amount})["pointsEarned"])

    afterwards = [game.event("user", "buy", {"amount": 10})["pointsEarned"] for _ in range(3)]

    assert given == [21, 7, 7, 0]
    assert afterwards == [0, 0, 7]
    awards = [award for award in check(game).awards if award.milestone_id == "spent"]
    assert sorted((award.number, award.times) for award in awards) == [(3, 3), (4, 1)]
