"""A campaign with mechanics, played through the GamifyHost API."""

from __future__ import annotations

import itertools
import subprocess
import sys
import uuid
from collections.abc import Callable, Iterator
from copy import deepcopy
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import httpx

from grapevine.engine.mechanics.draws import draw_value
from grapevine.engine.mechanics.fields import instant_text
from grapevine.engine.mechanics.receipts import Identity
from grapevine.table import mechanics_keys, player_keys, store
from grapevine.table.ledger import LedgerLine
from grapevine.table.mechanics import Mechanics
from grapevine.table.players import Player
from local.stack import Stack
from tests.api import TLS, Api, Json
from tests.conftest import inside

MECHANICS: Json = {
    "timezone": "Europe/Berlin",
    "dedupe": [
        {"eventType": "purchase", "by": "metadata.orderId"},
        {"eventType": "daily_login", "by": "calendarDay"},
    ],
    "points": {
        "rules": [
            {
                "id": "signup",
                "eventType": "signup",
                "award": {"type": "fixed", "points": 50},
                "limits": {"perUser": {"total": 1}},
            },
            {
                "id": "purchase-flat",
                "eventType": "purchase",
                "when": [{"field": "amount", "op": "gte", "value": 10}],
                "award": {"type": "fixed", "points": 100},
            },
            {
                "id": "login",
                "eventType": "daily_login",
                "award": {"type": "fixed", "points": 5},
                "limits": {"perUser": {"day": 1}},
            },
        ]
    },
    "milestones": [
        {
            "id": "club-1000",
            "name": "1000 club",
            "metric": {"type": "points_total"},
            "threshold": 1000,
            "reward": {"points": 0, "badge": "bronze"},
        }
    ],
    "instantWin": {
        "eventTypes": ["purchase"],
        "limits": {"playsPerUser": {"total": 10}, "winsPerUser": {"total": 2}},
        "tiers": [
            {
                "id": "gold",
                "name": "Gold",
                "oddsPpm": 10_000,
                "inventory": 10,
                "perUser": 1,
                "points": 500,
            },
            {
                "id": "silver",
                "name": "Silver",
                "oddsPpm": 50_000,
                "inventory": 200,
                "perUser": 1,
                "points": 50,
            },
        ],
    },
}
"""The worked configuration of the specification."""

GOLD, SILVER, BLANK = range(10_000), range(10_000, 60_000), range(60_000, 1_000_000)
"""What the draws of `MECHANICS` mean."""

SCRIPT = Path(__file__).parents[1] / "docs/verify_draw.py"

_numbers = itertools.count(1)


def verified(*arguments: str) -> str:
    """What the script prints that anybody can run."""
    command = [sys.executable, str(SCRIPT), *arguments]
    return subprocess.run(command, capture_output=True, text=True, check=True).stdout


def mechanics(**changes: Any) -> Json:
    """`MECHANICS` with some members replaced; None leaves one out."""
    made = {**deepcopy(MECHANICS), **changes}
    return {name: value for name, value in made.items() if value is not None}


def by_moments(starts_at: int, ends_at: int, **inventories: int) -> Json:
    """`MECHANICS` with so many prizes of each of these tiers hidden from the one time (ms) to the
    other one."""
    tiers = [
        {"id": name, "name": name.title(), "inventory": number, "points": 500}
        for name, number in inventories.items()
    ]
    instant_win = {"eventTypes": ["purchase"], "mode": "moments", "tiers": tiers}
    return mechanics(
        startsAt=instant_text(starts_at),
        endsAt=instant_text(ends_at),
        milestones=None,
        instantWin=instant_win,
    )


@dataclass(frozen=True)
class Game:
    """One campaign of the stack's own account."""

    stack: Stack
    http: httpx.Client
    campaign_id: str
    slug: str

    @classmethod
    def started(cls, stack: Stack, configuration: Json | None = None) -> Game:
        """A campaign in progress, with these mechanics if there are any."""
        http = httpx.Client(
            base_url=stack.url,
            headers={
                "x-api-secret": str(stack.api_key),
                "authorization": f"Bearer {stack.api_key}",
            },
            timeout=60,
            verify=TLS,
        )
        slug = f"summer-{next(_numbers)}-{uuid.uuid4().hex[:6]}"
        made = http.post("/v2/campaigns", json={"type": "REFERRAL", "slug": slug})
        game = cls(stack, http, made.json()["id"], slug)
        game.set_status("IN_PROGRESS")
        if configuration is not None:
            saved = game.save(configuration)
            assert saved.status_code == 200, saved.text
        return game

    def set_status(self, status: str) -> None:
        changed = self.http.patch(f"/v2/campaign/{self.campaign_id}", json={"status": status})
        assert changed.status_code == 200, changed.text

    def save(self, configuration: Json, seen: int = 0) -> httpx.Response:
        return self.call("PUT", "mechanics", configuration, headers={"if-match": str(seen)})

    def call(self, method: str, path: str, body: Any = None, **options: Any) -> httpx.Response:
        """Of a path below the campaign."""
        if body is not None:
            options["json"] = body
        return self.http.request(method, f"/v1/campaigns/{self.slug}/{path}", **options)

    def send(
        self,
        user_id: str,
        event_type: str,
        metadata: Json | None = None,
        *,
        key: str | None = None,
    ) -> httpx.Response:
        body: Json = {"userId": user_id, "eventType": event_type}
        if metadata is not None:
            body["metadata"] = metadata
        headers = {"idempotency-key": key} if key else {}
        return self.call("POST", "events", body, headers=headers)

    def event(self, user_id: str, event_type: str, metadata: Json | None = None, **kw: Any) -> Json:
        """The data of an event that is taken."""
        response = self.send(user_id, event_type, metadata, **kw)
        assert response.status_code == 200, response.text
        data: Json = response.json()["data"]
        return data

    def sending(
        self, user_id: str, event_type: str, metadata: Json | None = None, *, key: str | None = None
    ) -> Callable[[Api], httpx.Response]:
        """`send`, for `scenarios.at_once`."""
        headers = {"x-api-secret": str(self.stack.api_key)}
        if key is not None:
            headers["idempotency-key"] = key
        body = {"userId": user_id, "eventType": event_type, "metadata": metadata}
        path = f"/v1/campaigns/{self.slug}/events"
        return lambda api: api.http.post(path, json=body, headers=headers)

    def secret(self) -> str:
        """By which the draws are decided now."""
        with inside(self.stack):
            item = store.get(mechanics_keys.mechanics(self.campaign_id))
        assert item is not None
        return Mechanics.from_item(item).draw_secret

    def keys_that_draw(self, values: range, secret: str | None = None) -> Iterator[str]:
        """Idempotency keys with which an event draws one of these numbers."""
        secret = secret or self.secret()
        for number in itertools.count():
            key = f"draw-{number}"
            identity = Identity.of(self.campaign_id, explicit=key, natural=None, fingerprint="")
            if draw_value(secret, self.campaign_id, identity.event_id) in values:
                yield key

    def player(self, user_id: str) -> Player | None:
        with inside(self.stack):
            item = store.get(player_keys.player(self.campaign_id, user_id))
        return Player.from_item(item) if item else None

    def ledger(self, user_id: str) -> list[LedgerLine]:
        partition = player_keys.player(self.campaign_id, user_id).partition
        with inside(self.stack):
            items = store.query(None, partition, prefix=player_keys.LEDGER_PREFIX)
        return [LedgerLine.from_item(item) for item in items]
