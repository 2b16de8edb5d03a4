"""Webhooks and their deliveries, as the GrowSurf API shows and takes them, and what is ours."""

from __future__ import annotations

from typing import Annotated, Any, Literal

from pydantic import Field

from grapevine.engine.webhooks.configs import WebhookChanges
from grapevine.engine.webhooks.log import DeliveryPage, Recovered
from grapevine.engine.webhooks.probe import Probed
from grapevine.http.models.fields import Input, Limit, Output, Query, when_sent
from grapevine.table.webhooks import Delivery, WebhookState

EventName = Literal[
    "NEW_PARTICIPANT_ADDED",
    "PARTICIPANT_REACHED_A_GOAL",
    "CAMPAIGN_ENDED",
    "PARTICIPANT_FRAUD_STATUS_UPDATED",
    "points.awarded",
    "milestone.reached",
    "instantwin.won",
    "code.redeemed",
    "prize.soldout",
]
Url = Annotated[str, Field(min_length=1, max_length=2048)]
Events = Annotated[tuple[EventName, ...], Field(max_length=20)]
Secret = Annotated[str, Field(min_length=1, max_length=255)]


class UpdateWebhook(Input):
    """Only what is sent changes; `events` replaces the list, a null `secret` removes it. The old
    secret keeps signing beside the new one for a day. Enabling clears the failures."""

    payload_url: Url = when_sent()
    events: Events = when_sent()
    secret: Annotated[Secret | None, Field(repr=False)] = when_sent()
    is_enabled: bool = when_sent()

    def to_engine(self) -> WebhookChanges:
        sent: Any = self.model_dump(exclude_unset=True)
        if "events" in sent:
            sent["events"] = tuple(dict.fromkeys(sent["events"]))
        changes: WebhookChanges = sent
        return changes


class CreateWebhook(UpdateWebhook):
    """A webhook starts with no events unless some are named."""

    payload_url: Url


class Webhook(Output):
    """`failureCount` counts the failed attempts since the last success."""

    id: str
    payload_url: str
    events: list[EventName]
    is_enabled: bool
    auto_disabled_due_to_failures: bool
    failure_count: int
    last_failure_at: int | None

    @classmethod
    def of(cls, state: WebhookState) -> Webhook:
        webhook, health = state.webhook, state.health
        events: Any = list(webhook.events)
        return cls.model_construct(
            id=webhook.webhook_id,
            payload_url=webhook.payload_url,
            events=events,
            is_enabled=state.is_active,
            auto_disabled_due_to_failures=health.auto_disabled,
            failure_count=health.failure_count,
            last_failure_at=health.last_failure_at,
        )


class WebhookList(Output):
    webhooks: list[Webhook]


class DeletedWebhook(Output):
    id: str
    success: bool


class ProbeWebhook(Input):
    """Without `event`, the first one that the webhook is subscribed to is simulated."""

    event: EventName | None = None


class ProbeAnswer(Output):
    msg: str
    status_code: int | None


class ProbedWebhook(Output):
    """What was sent, and what the endpoint answered."""

    success: bool
    payload: dict[str, Any]
    response: ProbeAnswer

    @classmethod
    def of(cls, probed: Probed) -> ProbedWebhook:
        outcome = probed.outcome
        return cls(
            success=outcome.kind == "delivered",
            payload=probed.payload,
            response=ProbeAnswer(msg=outcome.message, status_code=outcome.status),
        )


class ListDeliveries(Query):
    """`nextId` is the first delivery of the page wanted."""

    limit: Limit = 10
    next_id: str | None = None


class Attempt(Output):
    at: int
    outcome: str
    status: int | None
    message: str
    response: str
    duration_ms: int


class WebhookDelivery(Output):
    """One event for one webhook, with every attempt so far, oldest first."""

    id: str
    event_id: str
    event: EventName
    created_at: int
    status: Literal["PENDING", "DELIVERED", "FAILED", "REFUSED"]
    attempts: list[Attempt]

    @classmethod
    def of(cls, delivery: Delivery) -> WebhookDelivery:
        name: Any = delivery.event_name
        return cls.model_construct(
            id=delivery.delivery_id,
            event_id=delivery.event_id,
            event=name,
            created_at=delivery.created_at,
            status=delivery.status,
            attempts=[Attempt.model_validate(entry) for entry in delivery.log],
        )


class DeliveryList(Output):
    deliveries: list[WebhookDelivery]
    limit: int
    next_id: str | None

    @classmethod
    def of(cls, page: DeliveryPage, limit: int) -> DeliveryList:
        shown = [WebhookDelivery.of(delivery) for delivery in page.deliveries]
        return cls.model_construct(deliveries=shown, limit=limit, next_id=page.next_id)


class Resent(Output):
    success: bool


class RecoverDeliveries(Input):
    """`since` in Unix milliseconds: the time of the earliest event to send again. `nextId` is the
    one that an earlier answer ended with."""

    since: Annotated[int, Field(ge=0, le=253_402_300_799_000)]
    next_id: str | None = None


class RecoveredDeliveries(Output):
    """With a `nextId`, call again from there."""

    recovered: int
    next_id: str | None

    @classmethod
    def of(cls, recovered: Recovered) -> RecoveredDeliveries:
        return cls(recovered=recovered.count, next_id=recovered.next_id)
