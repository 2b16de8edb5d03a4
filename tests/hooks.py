"""A stack whose webhooks may call this machine, and what tests of deliveries do with it."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

from grapevine import runtime
from grapevine.engine.webhooks.sender import Sender
from grapevine.table import store
from grapevine.table.webhooks import Delivery, key_of_delivery
from local.stack import Stack
from tests.api import Api, Json

LOCAL_HOST = "127.0.0.1"
PARAMETERS = {"WebhookLocalHosts": LOCAL_HOST}
DELIVER = "DeliverWebhookFunction"
RELAY = "RelayChangesFunction"
SWEEP = "SweepDueFunction"
ADDED = "NEW_PARTICIPANT_ADDED"
SWEEP_EVERY_MS = 60_000


class Hooks:
    """One campaign of a stack, its webhooks, and the inboxes or servers that they call."""

    def __init__(self, stack: Stack, api: Api) -> None:
        self.stack = stack
        self.api = api
        self.campaign_id = api.campaign()
        self._path = f"/v2/campaign/{self.campaign_id}/webhooks"

    def inbox(self, name: str) -> str:
        """The URL of an inbox that only this campaign uses."""
        return f"{self.stack.url}/_local/inbox/{self.campaign_id}-{name}"

    def respond(self, name: str, **script: Any) -> None:
        self.stack.inboxes.respond(f"{self.campaign_id}-{name}", script)

    def received(self, name: str) -> list[Json]:
        return self.stack.inboxes.received(f"{self.campaign_id}-{name}")

    def create(self, url: str, **fields: Any) -> str:
        """The id of a new webhook for new participants."""
        body = {"payloadUrl": url, "events": [ADDED], **fields}
        webhook_id: str = self.api.ok("POST", self._path, body)["id"]
        return webhook_id

    def change(self, webhook_id: str, **fields: Any) -> Json:
        return self.api.ok("PATCH", f"{self._path}/{webhook_id}", fields)

    def shown(self, webhook_id: str) -> Json:
        webhooks = self.api.ok("GET", self._path)["webhooks"]
        found: Json = next(each for each in webhooks if each["id"] == webhook_id)
        return found

    def happen(self, **fields: Any) -> Json:
        """Somebody joins, and everything that is due is done."""
        added = self.api.add(self.campaign_id, **fields)
        self.stack.drain()
        return added

    def deliveries(self, webhook_id: str) -> list[Json]:
        """The delivery log, newest event first."""
        query = {"limit": 100}
        answer = self.api.ok("GET", f"{self._path}/{webhook_id}/deliveries", params=query)
        found: list[Json] = answer["deliveries"]
        return found

    def delivery(self, webhook_id: str) -> Json:
        """The only one."""
        (delivery,) = self.deliveries(webhook_id)
        return delivery

    def attempts(self, webhook_id: str) -> list[Json]:
        attempts: list[Json] = self.delivery(webhook_id)["attempts"]
        return attempts

    def resend(self, webhook_id: str, delivery_id: str) -> Json:
        return self.api.ok("POST", f"{self._path}/{webhook_id}/deliveries/{delivery_id}/resend")

    def recover(self, webhook_id: str, since: int) -> Json:
        return self.api.ok("POST", f"{self._path}/{webhook_id}/recover", {"since": since})

    def item(self, webhook_id: str, delivery_id: str | None = None) -> Delivery:
        """The stored delivery, which says when the next attempt is due."""
        delivery_id = delivery_id or self.delivery(webhook_id)["id"]
        key = key_of_delivery(self.campaign_id, webhook_id, delivery_id)
        assert key is not None
        with runtime.using(self.stack.runtime()):
            item = store.get(key)
        assert item is not None
        return Delivery.from_item(item)

    def pass_over(self, webhook_id: str) -> None:
        """The clock goes on until the next attempt of the only delivery has been made."""
        due = self.item(webhook_id).next_attempt_at
        self.stack.set_clock(max(due + SWEEP_EVERY_MS + 2000, self.stack.now_ms()))


def use_sender(stack: Stack, **changes: Any) -> None:
    """The container that delivers uses another resolver, deadline or trust from now on."""
    cache = stack.functions._runtimes[DELIVER].cache
    sender = cache.get("sender") or Sender(local_hosts=frozenset({LOCAL_HOST}))
    cache["sender"] = replace(sender, **changes)
