"""Webhooks of a campaign, their health, the events they are sent, and the deliveries.

An event's payload is stored once, with the event; every attempt of every delivery sends those
bytes. Deliveries of a webhook lie in one partition, in the order of their events.
"""

from __future__ import annotations

import base64
import re
import zlib
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, ClassVar, Literal

from grapevine.table import keys, store
from grapevine.table.attributes import Item
from grapevine.table.entity import Entity, as_json
from grapevine.table.keys import Key

DeliveryStatus = Literal["PENDING", "DELIVERED", "FAILED", "REFUSED"]

_PART_SIZE = 300_000
"""Of 400 KB that an item may have."""

_DELIVERY_ID = re.compile(r"dlv_([0-9]{13,15})_(evt_[0-9a-f]{24})")


@dataclass(frozen=True, slots=True, kw_only=True)
class Webhook(Entity):
    """`secret` and `previous_secret` are encrypted; the previous one still signs beside the new
    one until `previous_secret_until` (ms)."""

    TYPE: ClassVar[str] = "Webhook"

    campaign_id: str
    webhook_id: str
    version: int = 0
    created_at: int
    payload_url: str
    events: tuple[str, ...] = ()
    is_enabled: bool = True
    secret: str | None = None
    previous_secret: str | None = None
    previous_secret_until: int | None = None

    @property
    def key(self) -> Key:
        return keys.webhook(self.campaign_id, self.webhook_id)

    @property
    def health_key(self) -> Key:
        return keys.webhook_health(self.campaign_id, self.webhook_id)


@dataclass(frozen=True, slots=True, kw_only=True)
class WebhookHealth(Entity):
    """What `grapevine.engine.webhooks.health` keeps, beside the webhook that people edit: there as
    long as the webhook is. `failure_count` counts the failed attempts since the last success,
    `failing_since` (ms) is the time of the first of them."""

    TYPE: ClassVar[str] = "WebhookHealth"

    campaign_id: str
    webhook_id: str
    webhook_created_at: int
    version: int = 0
    failure_count: int = 0
    failing_since: int | None = None
    last_failure_at: int | None = None
    auto_disabled: bool = False

    @property
    def key(self) -> Key:
        return keys.webhook_health(self.campaign_id, self.webhook_id)


@dataclass(frozen=True, slots=True)
class WebhookState:
    webhook: Webhook
    health: WebhookHealth

    @property
    def is_active(self) -> bool:
        return self.webhook.is_enabled and not self.health.auto_disabled


def webhooks_of(campaign_id: str) -> list[WebhookState]:
    """The campaign's webhooks, oldest first: at most five."""
    items = store.query(None, keys.campaign(campaign_id).partition, prefix=keys.WEBHOOK_PREFIX)
    health = {
        item["webhookId"]: WebhookHealth.from_item(item)
        for item in items
        if item["type"] == WebhookHealth.TYPE
    }
    found = [Webhook.from_item(item) for item in items if item["type"] == Webhook.TYPE]
    return [
        WebhookState(webhook, health[webhook.webhook_id])
        for webhook in sorted(found, key=lambda one: (one.created_at, one.webhook_id))
        if webhook.webhook_id in health
    ]


def webhook_in(found: Mapping[Key, Item], campaign_id: str, webhook_id: str) -> WebhookState | None:
    """The webhook among items already read, by the keys of `webhook_keys`."""
    webhook_key, health_key = webhook_keys(campaign_id, webhook_id)
    if webhook_key not in found or health_key not in found:
        # The two come and go together, but a read may meet them in between.
        return None
    webhook, health = Webhook.from_item(found[webhook_key]), found[health_key]
    return WebhookState(webhook, WebhookHealth.from_item(health))


def webhook_keys(campaign_id: str, webhook_id: str) -> list[Key]:
    return [keys.webhook(campaign_id, webhook_id), keys.webhook_health(campaign_id, webhook_id)]


def find_webhook(campaign_id: str, webhook_id: str) -> WebhookState | None:
    found = store.get_many(webhook_keys(campaign_id, webhook_id))
    return webhook_in(found, campaign_id, webhook_id)


def health_of(webhook: Webhook) -> WebhookHealth:
    """The health of a webhook that has never failed."""
    return WebhookHealth(
        campaign_id=webhook.campaign_id,
        webhook_id=webhook.webhook_id,
        webhook_created_at=webhook.created_at,
    )


@dataclass(frozen=True, slots=True, kw_only=True)
class WebhookEvent(Entity):
    """`payload` is the beginning of the compressed payload and `parts` says how many parts there
    are: the winners of a campaign may not fit into one item. It goes away by its `expires_at`
    (seconds)."""

    TYPE: ClassVar[str] = "WebhookEvent"

    campaign_id: str
    event_id: str
    name: str
    created_at: int
    payload: str
    parts: int
    expires_at: int

    @property
    def key(self) -> Key:
        return keys.webhook_event(self.campaign_id, self.event_id)


@dataclass(frozen=True, slots=True, kw_only=True)
class WebhookPayloadPart(Entity):
    """What of an event's payload does not fit into the event's item, from part 1 on."""

    TYPE: ClassVar[str] = "WebhookPayloadPart"

    campaign_id: str
    event_id: str
    number: int
    payload: str
    expires_at: int

    @property
    def key(self) -> Key:
        return keys.webhook_payload_part(self.campaign_id, self.event_id, self.number)


def packed(
    campaign_id: str, event_id: str, *, name: str, created_at: int, body: bytes, expires_at: int
) -> tuple[WebhookEvent, list[WebhookPayloadPart]]:
    """The event and the further parts of its payload, the bytes that are sent."""
    text = base64.b64encode(zlib.compress(body)).decode()
    first, *others = [text[at : at + _PART_SIZE] for at in range(0, len(text), _PART_SIZE)]
    event = WebhookEvent(
        campaign_id=campaign_id,
        event_id=event_id,
        name=name,
        created_at=created_at,
        payload=first,
        parts=1 + len(others),
        expires_at=expires_at,
    )
    further = [
        WebhookPayloadPart(
            campaign_id=campaign_id,
            event_id=event_id,
            number=number,
            payload=part,
            expires_at=expires_at,
        )
        for number, part in enumerate(others, start=1)
    ]
    return event, further


def body_of(event: WebhookEvent) -> bytes:
    """The bytes that every attempt sends. Reads the further parts, where there are any."""
    part_keys = [
        keys.webhook_payload_part(event.campaign_id, event.event_id, number)
        for number in range(1, event.parts)
    ]
    found = store.get_many(part_keys)
    parts = [WebhookPayloadPart.from_item(found[key]).payload for key in part_keys]
    return zlib.decompress(base64.b64decode("".join([event.payload, *parts])))


@dataclass(frozen=True, slots=True, kw_only=True)
class Delivery(Entity):
    """One event for one webhook. `attempts` has what came of each attempt so far, as the delivery
    log shows it; `webhook_created_at` tells it from one for an earlier webhook with the same id.
    No attempt begins before `next_attempt_at` (ms): while one is under way, that is the end of its
    claim. At `due_at` the sweep sees to it, in case the message for the attempt was lost."""

    TYPE: ClassVar[str] = "Delivery"

    campaign_id: str
    webhook_id: str
    webhook_created_at: int
    event_id: str
    event_name: str
    created_at: int
    version: int = 0
    status: DeliveryStatus = "PENDING"
    attempts: dict[str, list[dict[str, Any]]] = as_json()
    attempts_in_round: int = 0
    next_attempt_at: int
    expires_at: int
    due_shard: str | None = None
    due_at: int | None = None

    @property
    def key(self) -> Key:
        return keys.delivery(self.campaign_id, self.webhook_id, self.created_at, self.event_id)

    @property
    def delivery_id(self) -> str:
        return f"dlv_{self.created_at}_{self.event_id}"

    @property
    def log(self) -> list[dict[str, Any]]:
        return self.attempts.get("log", [])


def key_of_delivery(campaign_id: str, webhook_id: str, delivery_id: str) -> Key | None:
    """Where the delivery with this id lives; None when nothing can have this id."""
    named = _DELIVERY_ID.fullmatch(delivery_id)
    if named is None or not keys.is_id(webhook_id):
        return None
    return keys.delivery(campaign_id, webhook_id, int(named[1]), named[2])


def deliveries_of(
    campaign_id: str,
    webhook_id: str,
    limit: int,
    *,
    newest_first: bool = True,
    first: Key | None = None,
) -> list[Delivery]:
    """Up to `limit` deliveries of a webhook, from `first` on in the direction asked for."""
    everything = keys.delivery(campaign_id, webhook_id, 0, "x")
    start, end = keys.DELIVERY_PREFIX, f"{keys.DELIVERY_PREFIX}~"
    if first is not None:
        start, end = (start, first.sort) if newest_first else (first.sort, end)
    items = store.query(
        None,
        everything.partition,
        limit=limit,
        descending=newest_first,
        between=(start, end),
    )
    return [Delivery.from_item(item) for item in items]
