"""Codes of a campaign, made and used through the GamifyHost API."""

from __future__ import annotations

import itertools
import re
from typing import Any

import httpx

from grapevine.engine.mechanics.code_secret import code_secret
from grapevine.engine.mechanics.win_codes import hash_of_code
from grapevine.table import mechanics_keys, player_keys, store
from grapevine.table.codes import Code
from grapevine.table.ledger import PlayerEvent
from tests.api import Json
from tests.conftest import inside
from tests.playing import Game

FORM = re.compile("SUMM-[A-HJ-KM-NP-Z2-9]{8}")


def generate(game: Game, size: int = 1, points: int = 500, **rest: Any) -> httpx.Response:
    headers = {"idempotency-key": rest.pop("key")} if "key" in rest else {}
    body = {"slug": game.slug, "batchSize": size, "pointsValue": points, **rest}
    return game.http.post("/v1/campaigns/codes/generate", json=body, headers=headers)


def new_codes(game: Game, size: int = 1, points: int = 500, **rest: Any) -> list[str]:
    response = generate(game, size, points, **rest)
    assert response.status_code == 200, response.text
    codes: list[str] = response.json()["data"]["codes"]
    return codes


def verify(game: Game, code: str) -> httpx.Response:
    return game.http.post("/v1/campaigns/codes/verify", json={"code": code})


def redeem(game: Game, user_id: str, code: str, key: str | None = None) -> httpx.Response:
    headers = {"idempotency-key": key} if key else {}
    return game.call("POST", "redeem", {"userId": user_id, "code": code}, headers=headers)


def reverse(game: Game, user_id: str, event_id: str) -> httpx.Response:
    return game.call("POST", f"events/{event_id}/reverse", {"userId": user_id})


def stats(game: Game) -> Json:
    response = game.http.get("/v1/campaigns/codes/stats", params={"slug": game.slug})
    assert response.status_code == 200, response.text
    found: Json = response.json()["data"]
    return found


def counts(game: Game) -> tuple[int, int, int, int, int, int]:
    """Of the stats: total, active, redeemed, expired, revoked, and how many batches."""
    found = stats(game)
    names = ("total", "active", "redeemed", "expired", "revoked")
    total, active, redeemed, expired, revoked = (found[f"{name}Codes"] for name in names)
    return total, active, redeemed, expired, revoked, found["totalBatches"]


def data_of(response: httpx.Response) -> Json:
    assert response.status_code == 200, response.text
    data: Json = response.json()["data"]
    return data


def refused(response: httpx.Response) -> tuple[int, str]:
    body = response.json()
    assert (body["code"], body["status"]) == (response.status_code, "error")
    return response.status_code, body["message"]


def code_item(game: Game, code: str) -> Code:
    account_id = game.stack.account_id
    assert account_id is not None
    with inside(game.stack):
        key = mechanics_keys.code(account_id, hash_of_code(code_secret(account_id), code))
        item = store.get(key)
    assert item is not None
    return Code.from_item(item)


def events_of(game: Game, user_id: str) -> list[PlayerEvent]:
    partition = player_keys.player(game.campaign_id, user_id).partition
    with inside(game.stack):
        items = store.query(None, partition, prefix=player_keys.EVENT_PREFIX)
    return [PlayerEvent.from_item(item) for item in items]


def sums_are_right(game: Game, *user_ids: str) -> None:
    """I1: a total is the sum of its ledger, and each line says the balance that it leads to."""
    for user_id in user_ids:
        player, lines = game.player(user_id), game.ledger(user_id)
        assert player is not None
        assert player.total_points == sum(line.points for line in lines) >= 0
        assert player.events_count == len(events_of(game, user_id))
        assert [line.balance_after for line in lines] == list(
            itertools.accumulate(line.points for line in lines)
        )
