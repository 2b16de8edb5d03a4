"""The webhooks of a campaign: made, listed, changed, deleted.

A campaign has five places for webhooks, and a webhook's id is its place: so there can never be a
sixth, however many are made at the same time.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import Any, TypedDict

from grapevine import runtime
from grapevine.engine.attempts import attempts
from grapevine.engine.webhooks import destinations, secrets
from grapevine.engine.webhooks.destinations import RefusedDestination
from grapevine.errors import InvalidRequest, NotFound, Problem
from grapevine.months import DAY_MS
from grapevine.table import keys, store
from grapevine.table.campaigns import Campaign
from grapevine.table.store import TransactionCanceled
from grapevine.table.webhooks import (
    Webhook,
    WebhookState,
    find_webhook,
    health_of,
    webhooks_of,
)
from grapevine.table.writes import ABSENT, PRESENT, Delete, Put, Write, version

PLACES = ("primary", "second", "third", "fourth", "fifth")

SECRET_OVERLAP_MS = DAY_MS
"""How long the old secret signs beside the new one after a change."""


class WebhookChanges(TypedDict, total=False):
    """The fields that were sent; a `secret` of None removes it."""

    payload_url: str
    events: tuple[str, ...]
    is_enabled: bool
    secret: str | None


def listed(campaign: Campaign) -> list[WebhookState]:
    return webhooks_of(campaign.campaign_id)


def find(campaign: Campaign, webhook_id: str) -> WebhookState:
    """Raises NotFound."""
    state = find_webhook(campaign.campaign_id, webhook_id) if keys.is_id(webhook_id) else None
    if state is None:
        raise NotFound("There is no webhook with this id.")
    return state


def create(campaign: Campaign, changes: WebhookChanges) -> WebhookState:
    """A new webhook in the first free place.

    Raises:
        InvalidRequest: the URL is not one that webhooks may go to, or all places are taken.
    """
    _check_url(changes["payload_url"])
    for _ in attempts():
        taken = {state.webhook.webhook_id for state in webhooks_of(campaign.campaign_id)}
        free = [place for place in PLACES if place not in taken]
        if not free:
            message = f"A campaign can have {len(PLACES)} webhooks."
            raise InvalidRequest(message, Problem("body", "", "too_many_webhooks", message))
        webhook = Webhook(
            campaign_id=campaign.campaign_id,
            webhook_id=free[0],
            created_at=runtime.now_ms(),
            payload_url=changes["payload_url"],
            events=changes.get("events", ()),
            is_enabled=changes.get("is_enabled", True),
            secret=_encrypted(campaign, free[0], changes.get("secret")),
        )
        health = health_of(webhook)
        try:
            store.transact([Put(webhook.to_item(), ABSENT), Put(health.to_item(), ABSENT)])
        except TransactionCanceled:
            continue
        return WebhookState(webhook, health)
    raise AssertionError("attempts() ends by raising Busy")


def update(campaign: Campaign, webhook_id: str, changes: WebhookChanges) -> WebhookState:
    """The webhook after the changes. Enabling it clears what its failures have left behind. A new
    secret signs at once, the old one beside it for another day.

    Raises:
        NotFound
        InvalidRequest
        Busy
    """
    if "payload_url" in changes:
        _check_url(changes["payload_url"])
    for _ in attempts():
        before = find(campaign, webhook_id)
        changed = replace(
            _with_changes(campaign, before.webhook, changes),
            version=before.webhook.version + 1,
        )
        writes: list[Write] = [Put(changed.to_item(), version(before.webhook.version))]
        health = before.health
        if changes.get("is_enabled"):
            health = replace(
                health_of(changed),
                version=health.version + 1,
                last_failure_at=health.last_failure_at,
            )
            writes.append(Put(health.to_item(), version(before.health.version)))
        try:
            store.transact(writes)
        except TransactionCanceled:
            continue
        return WebhookState(changed, health)
    raise AssertionError("attempts() ends by raising Busy")


def _with_changes(campaign: Campaign, before: Webhook, changes: WebhookChanges) -> Webhook:
    plain: Mapping[str, Any] = {name: value for name, value in changes.items() if name != "secret"}
    after = replace(before, **plain)
    if "secret" not in changes:
        return after
    return replace(
        after,
        secret=_encrypted(campaign, before.webhook_id, changes["secret"]),
        previous_secret=before.secret,
        previous_secret_until=runtime.now_ms() + SECRET_OVERLAP_MS if before.secret else None,
    )


def delete(campaign: Campaign, webhook_id: str) -> None:
    """Removes the webhook; what was on its way to it is not sent any more.

    Raises:
        NotFound
        Busy
    """
    for _ in attempts():
        state = find(campaign, webhook_id)
        writes = [
            Delete(state.webhook.key, version(state.webhook.version)),
            Delete(state.health.key, PRESENT),
        ]
        try:
            store.transact(writes)
        except TransactionCanceled:
            continue
        return


def _check_url(url: str) -> None:
    try:
        destinations.parse(url, runtime.settings().webhook_local_hosts)
    except RefusedDestination as refusal:
        message = str(refusal)
        raise InvalidRequest(
            message, Problem("body", "payloadUrl", "refused_destination", message, url)
        ) from None


def _encrypted(campaign: Campaign, webhook_id: str, secret: str | None) -> str | None:
    return None if not secret else secrets.encrypt(campaign.campaign_id, webhook_id, secret)
