"""Two accounts with their keys and a campaign, in a table that only reads; calls of endpoints."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

from grapevine import ids, runtime
from grapevine.runtime import Runtime, Settings
from grapevine.table.accounts import ApiKey
from grapevine.table.attributes import marshal
from grapevine.table.campaigns import Campaign, CampaignSlug
from grapevine.table.entity import Entity

NOW = 1_800_000_000_000
OURS, THEIRS = "acct_ours", "acct_theirs"
SCOPE = "event:write"

SECRET, PUBLIC, OTHER_PUBLIC = "sk-of-ours", "pk-of-ours", "pk-of-theirs"
THEIR_SECRET, REVOKED, NARROW = "sk-of-theirs", "sk-revoked", "sk-that-only-reads"

Handler = Callable[[Mapping[str, Any], object], dict[str, Any]]


@dataclass(frozen=True)
class Answer:
    status: int
    text: str
    headers: Mapping[str, str]

    @property
    def body(self) -> Any:
        return json.loads(self.text)


@dataclass
class World:
    """`reads` counts the calls of the table; `now` is the clock."""

    now: int = NOW
    reads: int = 0
    items: dict[tuple[str, str], Any] = field(default_factory=dict)

    def __post_init__(self) -> None:
        self._runtime = Runtime(Settings({"TABLE_NAME": "t"}), lambda: self.now, lambda _: self)
        self.put(
            _key(SECRET, OURS),
            _key(PUBLIC, OURS, is_public=True),
            _key(THEIR_SECRET, THEIRS),
            _key(OTHER_PUBLIC, THEIRS, is_public=True),
            _key(REVOKED, OURS, valid_until=NOW - 1),
            _key(NARROW, OURS, scopes=("program:read",)),
            *campaign("summer1", OURS, "summer"),
            *campaign("winter1", THEIRS, "winter"),
            *campaign("deleted", OURS, "gone", status="DELETED"),
        )

    def put(self, *entities: Entity) -> None:
        for entity in entities:
            self.items[entity.key.partition, entity.key.sort] = marshal(entity.to_item())

    def get_item(self, **request: Any) -> Any:
        self.reads += 1
        item = self.items.get(_place(request["Key"]))
        return {"Item": item} if item else {}

    def batch_get_item(self, **request: Any) -> Any:
        self.reads += 1
        [(table, asked)] = request["RequestItems"].items()
        places = [_place(key) for key in asked["Keys"]]
        return {"Responses": {table: [self.items[one] for one in places if one in self.items]}}

    def call(
        self,
        handler: Handler,
        headers: Mapping[str, str],
        body: Any = None,
        *,
        path: Mapping[str, str] | None = None,
        query: Mapping[str, str] | None = None,
    ) -> Answer:
        """A text is sent as it is, anything else as its JSON."""
        sent = body if body is None or isinstance(body, str) else json.dumps(body)
        event = {
            "headers": {"content-type": "application/json", **headers},
            "pathParameters": path or {},
            "queryStringParameters": query or {},
            "body": sent,
        }
        with runtime.using(self._runtime):
            answer = handler(event, None)
        return Answer(answer["statusCode"], answer["body"], answer["headers"])


def campaign(campaign_id: str, account_id: str, slug: str, **fields: Any) -> list[Entity]:
    return [
        Campaign(
            campaign_id=campaign_id,
            account_id=account_id,
            name="Campaign",
            slug=slug,
            currency_iso="USD",
            created_at=NOW,
            **fields,
        ),
        CampaignSlug(account_id=account_id, slug=slug, campaign_id=campaign_id),
    ]


def _key(secret: str, account_id: str, **fields: Any) -> ApiKey:
    given = {"scopes": (SCOPE,), "name": "Key", "created_at": NOW, **fields}
    key_hash = ids.hash_of_key(secret)
    return ApiKey(key_hash=key_hash, key_id=f"key_{key_hash[:8]}", account_id=account_id, **given)


def _place(key: Any) -> tuple[str, str]:
    return key["partition"]["S"], key["sort"]["S"]
