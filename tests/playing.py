"""A campaign with mechanics, played through the GamifyHost API."""

from __future__ import annotations

import itertools
import uuid
from collections import Counter, defaultdict
from collections.abc import Callable, Iterator
from copy import deepcopy
from dataclasses import dataclass
from decimal import Decimal
from typing import Any, TypeVar

import httpx

from grapevine.engine.mechanics.draws import draw_value
from grapevine.engine.mechanics.fields import instant_text
from grapevine.engine.mechanics.receipts import Identity
from grapevine.engine.mechanics.win_codes import hash_of_code
from grapevine.table import mechanics_keys, player_keys, store
from grapevine.table.attributes import Item
from grapevine.table.codes import Code, CodeSecret
from grapevine.table.entity import Entity
from grapevine.table.ledger import LedgerLine, MilestoneAward, PlayerEvent, Win
from grapevine.table.mechanics import Mechanics, Stock
from grapevine.table.moments import HiddenPrize
from grapevine.table.players import Player
from local.stack import Stack
from tests.api import TLS, Api, Json
from tests.conftest import inside
from tests.invariants import table_of

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

_numbers = itertools.count(1)


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
            assert game.save(configuration).status_code == 200
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


E = TypeVar("E", bound=Entity)


@dataclass(frozen=True)
class Written:
    """All that the table holds of the plays of one campaign."""

    players: list[Player]
    events: list[PlayerEvent]
    lines: list[LedgerLine]
    awards: list[MilestoneAward]
    wins: list[Win]
    stocks: list[Stock]
    codes: list[Code]
    hidden: list[HiddenPrize]
    code_secret: str | None

    @classmethod
    def of(cls, game: Game) -> Written:
        items = list(table_of(game.stack).values())
        own = [item for item in items if item.get("campaignId") == game.campaign_id]
        secrets = _all(CodeSecret, items)
        return cls(
            players=_all(Player, own),
            events=_all(PlayerEvent, own),
            lines=_all(LedgerLine, own),
            awards=_all(MilestoneAward, own),
            wins=_all(Win, own),
            stocks=_all(Stock, own),
            codes=[code for code in _all(Code, own) if code.batch_id is None],
            hidden=_all(HiddenPrize, own),
            code_secret=secrets[0].secret if secrets else None,
        )


def _all(kind: type[E], items: list[Item]) -> list[E]:
    return [kind.from_item(_whole(item)) for item in items if item["type"] == kind.TYPE]


def _whole(item: Item) -> Item:
    """All numbers of these items are whole ones."""
    return {
        name: int(value) if isinstance(value, Decimal) else value for name, value in item.items()
    }


def check(game: Game) -> Written:
    """The invariants that hold in every campaign at every moment, from the table: I1 (a total is
    the sum of its ledger, line by line), I2 (no more prizes given than there are, and each one
    counted), I5 (each win has a code of its own). Gives what it has looked at."""
    written = Written.of(game)
    sums: dict[str, int] = defaultdict(int)
    for line in sorted(written.lines, key=lambda line: line.key.sort):
        sums[line.user_id] += line.points
        assert line.balance_after == sums[line.user_id]
    assert {each.user_id: each.total_points for each in written.players} == {
        each.user_id: sums[each.user_id] for each in written.players
    }
    assert sums.keys() <= {each.user_id for each in written.players}
    events = Counter(each.user_id for each in written.events)
    assert events == {each.user_id: each.events_count for each in written.players}
    earned: dict[str, int] = defaultdict(int)
    for line in written.lines:
        earned[line.event_id] += line.points
    paid = {win.event_id: win.points for win in written.wins if win.credit == "immediate"}
    for event in written.events:
        assert earned[event.event_id] == event.points_earned + event.win_points
        assert event.win_points == paid.get(event.event_id, 0)

    given = Counter(win.tier_id for win in written.wins)
    assert given == Counter(event.tier_won for event in written.events if event.tier_won)
    for stock in written.stocks:
        assert stock.awarded == given[stock.tier_id] <= stock.inventory

    assert len({win.code for win in written.wins}) == len(written.wins) == len(written.codes)
    if written.wins:
        assert written.code_secret is not None
    hashes = {hash_of_code(str(written.code_secret), win.code) for win in written.wins}
    assert {code.code_hash for code in written.codes} == hashes
    return written
