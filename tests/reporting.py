"""Events through the Referd API, players who are participants, and a campaign for both."""

from __future__ import annotations

from typing import Any

import httpx

from local.stack import Stack
from tests.api import TLS, Json
from tests.playing import Game, mechanics

ROUTES = ("/integrations/event", "/api/v2.0/integrations/event", "/api/v3.0/integrations/event")
PLAYER = "player123"
QUALIFYING = {
    "eventType": "purchase",
    "when": [{"field": "amount", "op": "gte", "value": 10}],
}
POINTS_FOR_CREDITS = {
    "id": "credit",
    "eventType": "internal:referral_credited",
    "award": {"type": "fixed", "points": 30},
}


def referring(**changes: Any) -> Json:
    """Mechanics whose purchases of 10 or more earn a referral credit, and whose credits 30 points;
    without an instant win, unless it is named."""
    made = mechanics(**{"instantWin": None, "referral": {"qualifyingEvent": QUALIFYING}, **changes})
    made["points"]["rules"].append(POINTS_FOR_CREDITS)
    return made


def post(
    stack: Stack,
    events: Any,
    *,
    player: str = PLAYER,
    key: str | None = None,
    api_key: str | None = None,
    secret: str | None = None,
    route: str = ROUTES[0],
    **more: Any,
) -> httpx.Response:
    """`key` names the request, `api_key` is the stack's own unless another one is given."""
    headers = {"APIKey": api_key or str(stack.api_key)}
    headers |= {"SecretKey": secret} if secret else {}
    headers |= {"Idempotency-Key": key} if key else {}
    body = {"playerUniqueId": player, "events": events, **more}
    return httpx.post(f"{stack.url}{route}", json=body, headers=headers, timeout=60, verify=TLS)


def report(stack: Stack, events: Any, **options: Any) -> None:
    """Events that are taken."""
    response = post(stack, events, **options)
    assert (response.status_code, response.text) == (200, "{}")


def try_to_link(game: Game, user_id: str, participant: str) -> httpx.Response:
    named = "email" if "@" in participant else "participantId"
    return game.call("PUT", f"participants/{user_id}/link", {named: participant})


def link(game: Game, user_id: str, participant: str) -> None:
    response = try_to_link(game, user_id, participant)
    assert response.status_code == 200, response.text


def unlink(game: Game, user_id: str) -> httpx.Response:
    return game.call("DELETE", f"participants/{user_id}/link")
