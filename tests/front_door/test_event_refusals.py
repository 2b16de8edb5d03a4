"""What refuses an event, a code or a reversal, of either API, and leaves no trace."""

from __future__ import annotations

import json
from typing import Any

import httpx
import pytest

from grapevine.engine.mechanics.guessing import MOST_BY_USER
from grapevine.table import store
from grapevine.table.store import TransactionCanceled
from local.stack import Stack
from tests.accounts import new_key, new_public_key, revoke
from tests.api import TLS, Json
from tests.coding import events_of, new_codes, redeem, reverse
from tests.invariants import table_of
from tests.playing import GOLD, Game, mechanics
from tests.reporting import ROUTES, post, report

USER = "user_12345"
PURCHASE = {"amount": 20}


@pytest.mark.parametrize("number", ["1750000000000000000", "1e400", "-1e999999999999999999999"])
def test_numbers_of_fields_that_are_ignored_refuse_nothing(fresh_stack: Stack, number: str) -> None:
    game = Game.started(fresh_stack, mechanics(sources=["gamifyhost", "referd"]))
    ignored = {"sentAtNs": "N", "custom": {"a": ["N"]}}
    key, url = str(fresh_stack.api_key), f"{fresh_stack.url}{ROUTES[0]}"

    def text(body: Json) -> bytes:
        return json.dumps(body).replace('"N"', number).encode()

    def gamifyhost(user_id: str, n: Any, **more: Any) -> httpx.Response:
        body = {"userId": user_id, "eventType": "signup", "metadata": {"n": n}, **more}
        return game.call("POST", "events", content=text(body))

    def referd(user_id: str, n: Any, **more: Any) -> httpx.Response:
        body = {"playerUniqueId": user_id, "events": {"signup": {"n": n}}, **more}
        return httpx.post(url, content=text(body), headers={"APIKey": key}, verify=TLS)

    taken = [
        gamifyhost("a", 1, **ignored),
        referd("b", 1, playerAttributes=ignored, **ignored),
    ]
    refused = [gamifyhost("c", "N"), gamifyhost("N", 1), referd("d", "N"), referd("N", 1)]
    fresh_stack.drain()

    assert [one.status_code for one in taken] == [200, 200]
    assert [one.status_code for one in refused] == [400] * 4
    assert [game.player(user_id) is not None for user_id in "abcd"] == [True, True, False, False]


def always_conflicting(*_: Any, **__: Any) -> None:
    raise TransactionCanceled(frozenset())


def test_i9_whatever_status_refuses_it_the_table_stays_as_it_was(
    fresh_stack: Stack, monkeypatch: pytest.MonkeyPatch
) -> None:
    stack, account_id = fresh_stack, str(fresh_stack.account_id)
    game = Game.started(stack, mechanics(sources=["gamifyhost", "referd"]))
    won = game.event(USER, "purchase", PURCHASE, key=next(game.keys_that_draw(GOLD)))
    event_id = events_of(game, USER)[0].event_id
    code, unused = new_codes(game, 2)
    redeem(game, USER, code, key="redeemed")
    game.event(USER, "review", key="known")
    report(stack, {"review": {}}, key="reported")
    stack.drain()
    for _ in range(MOST_BY_USER):
        redeem(game, "guesser", "SUMM-22222222")
    keyless, public = httpx.Client(timeout=60, verify=TLS), new_public_key(stack, account_id)
    revoked = new_key(stack, account_id)
    revoke(stack, account_id, revoked)
    weak = new_key(stack, account_id, ["gamification:read"])
    sent = {"userId": "new", "eventType": "signup"}
    before = table_of(stack)

    def by(secret: str | None) -> httpx.Response:
        headers = {"x-api-secret": secret} if secret else {}
        url = f"{stack.url}/v1/campaigns/{game.slug}/events"
        return keyless.post(url, json=sent, headers=headers)

    answers = {
        "no key": (by(None), 401),
        "a wrong key": (by("sk_live_wrong"), 401),
        "a public key": (by(public.secret), 403),
        "a revoked key": (by(revoked.secret), 403),
        "no scope": (by(weak.secret), 403),
        "an event's key with another event": (game.send(USER, "signup", key="known"), 422),
        "a code's key with another code": (redeem(game, USER, unused, key="redeemed"), 422),
        "another one's prize": (redeem(game, "guesser", str(won["instantWin"]["winCode"])), 429),
        "too many guesses": (redeem(game, "guesser", unused), 429),
        "a redeemed code": (redeem(game, "new", code), 409),
        "an unknown event": (reverse(game, USER, "evt_unknown"), 404),
        "no body": (game.call("POST", "redeem", {}), 400),
        "no Referd key": (httpx.post(f"{stack.url}{ROUTES[0]}", json={}, verify=TLS), 403),
        "a wrong Referd key": (post(stack, {"review": {}}, api_key="pk_live_wrong"), 401),
        "a SecretKey that is none": (
            post(stack, {"review": {}}, api_key=public.secret, secret=public.secret),
            403,
        ),
        "a Referd key with another request": (post(stack, {"signup": {}}, key="reported"), 422),
    }
    for place in ("mechanics.recording", "mechanics.redeeming", "mechanics.reversing"):
        monkeypatch.setattr(f"grapevine.engine.{place}.WITHIN_SECONDS", 0.05)
    monkeypatch.setattr("grapevine.engine.attempts.DEADLINE_SECONDS", 0.05)
    monkeypatch.setattr(store, "transact", always_conflicting)
    answers |= {
        "busy: an event": (game.send("new", "signup", key="busy"), 503),
        "busy: a code": (redeem(game, "new", unused, key="busy"), 503),
        "busy: a reversal": (reverse(game, USER, event_id), 503),
        "busy: a report": (post(stack, {"review": {}}, key="busy"), 503),
    }

    assert {name: one.status_code for name, (one, _) in answers.items()} == {
        name: status for name, (_, status) in answers.items()
    }
    assert {
        one.headers["retry-after"] for name, (one, _) in answers.items() if name[:4] == "busy"
    } == {"1"}
    assert table_of(stack) == before
