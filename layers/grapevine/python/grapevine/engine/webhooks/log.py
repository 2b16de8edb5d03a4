"""The delivery log of a webhook: what was sent, what came of it, and sending it again."""

from __future__ import annotations

from dataclasses import dataclass, replace

from grapevine import runtime
from grapevine.engine.attempts import attempts
from grapevine.engine.webhooks.configs import find
from grapevine.engine.webhooks.dispatch import FIRST_ATTEMPT_BY_MS, queue_keys
from grapevine.errors import InvalidRequest, NotFound, Problem
from grapevine.table import keys, store
from grapevine.table.campaigns import Campaign
from grapevine.table.due import shard_of
from grapevine.table.keys import Key
from grapevine.table.store import TransactionCanceled
from grapevine.table.webhooks import Delivery, deliveries_of, key_of_delivery
from grapevine.table.writes import Put, version

MOST_RECOVERED = 500
"""How many deliveries one call looks at; the answer says where to go on."""


@dataclass(frozen=True, slots=True)
class DeliveryPage:
    """`next_id` is the first delivery of the next page, None on the last one."""

    deliveries: list[Delivery]
    next_id: str | None


@dataclass(frozen=True, slots=True)
class Recovered:
    """`next_id` is the delivery to go on with; None when everything has been looked at."""

    count: int
    next_id: str | None


def page(campaign: Campaign, webhook_id: str, limit: int, next_id: str | None) -> DeliveryPage:
    """The webhook's deliveries, newest event first.

    Raises:
        NotFound: there is no such webhook.
    """
    find(campaign, webhook_id)
    first = None
    if next_id is not None:
        first = key_of_delivery(campaign.campaign_id, webhook_id, next_id)
        if first is None:
            return DeliveryPage([], None)
    found = deliveries_of(campaign.campaign_id, webhook_id, limit + 1, first=first)
    following = found[limit].delivery_id if len(found) > limit else None
    return DeliveryPage(found[:limit], following)


def resend(campaign: Campaign, webhook_id: str, delivery_id: str) -> None:
    """Sends an event once more, whatever became of it: the same bytes under the same id.

    Raises:
        NotFound: there is no such webhook or delivery, or the event is too old to be kept.
        Busy
    """
    state = find(campaign, webhook_id)
    delivery_key = key_of_delivery(campaign.campaign_id, webhook_id, delivery_id)
    for _ in attempts():
        item = store.get(delivery_key) if delivery_key else None
        if item is None:
            raise NotFound("There is no delivery with this id.")
        delivery = Delivery.from_item(item)
        if _reopened(delivery, state.webhook.created_at):
            queue_keys([delivery.key])
            return


def recover(campaign: Campaign, webhook_id: str, since: int, next_id: str | None) -> Recovered:
    """Sends again what has not been delivered of all events since then (ms), or from the delivery
    `next_id` on.

    Raises:
        NotFound: there is no such webhook.
        InvalidRequest: no delivery can have the id `next_id`.
    """
    state = find(campaign, webhook_id)
    campaign_id = campaign.campaign_id
    start: Key | None = keys.delivery(campaign_id, webhook_id, since, "0")
    if next_id is not None:
        start = key_of_delivery(campaign_id, webhook_id, next_id)
        if start is None:
            message = "Not the id of a delivery."
            problem = Problem("body", "nextId", "invalid_delivery_id", message, next_id)
            raise InvalidRequest(message, problem)
    found = deliveries_of(
        campaign_id, webhook_id, MOST_RECOVERED + 1, newest_first=False, first=start
    )
    reopened: list[Key] = [
        delivery.key
        for delivery in found[:MOST_RECOVERED]
        if delivery.status in {"FAILED", "REFUSED"}
        and _reopened(delivery, state.webhook.created_at)
    ]
    queue_keys(reopened)
    more = len(found) > MOST_RECOVERED
    return Recovered(len(reopened), found[MOST_RECOVERED].delivery_id if more else None)


def _reopened(delivery: Delivery, webhook_created_at: int) -> bool:
    """Pending anew, with all its attempts before it; False when somebody else changed it."""
    again = replace(
        delivery,
        version=delivery.version + 1,
        webhook_created_at=webhook_created_at,
        status="PENDING",
        attempts_in_round=0,
        next_attempt_at=runtime.now_ms(),
        due_shard=shard_of(delivery.event_id),
        due_at=runtime.now_ms() + FIRST_ATTEMPT_BY_MS,
    )
    try:
        store.transact([Put(again.to_item(), version(delivery.version))])
    except TransactionCanceled:
        return False
    return True
