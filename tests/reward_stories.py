"""Campaigns that offer rewards and tell receivers of what happens, for tests of both."""

from __future__ import annotations

import json
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from local.stack import Stack
from tests.api import Api, Json
from tests.conftest import TEMPLATE
from tests.scenarios import friends_of

ALL_EVENTS = [
    "NEW_PARTICIPANT_ADDED",
    "PARTICIPANT_REACHED_A_GOAL",
    "CAMPAIGN_ENDED",
    "PARTICIPANT_FRAUD_STATUS_UPDATED",
]
MANUAL = {"requireManualRewardApproval": True}
FULFILLING = {"autoFulfillRewards": True}


def time_of(text: str) -> int:
    """Unix milliseconds of a time like `2031-05-10`, in UTC."""
    return int(datetime.fromisoformat(text).replace(tzinfo=UTC).timestamp() * 1000)


@contextmanager
def stack_with_receivers(engine: str) -> Iterator[Stack]:
    """A stack whose webhooks may go to its own inboxes."""
    parameters = {"WebhookLocalHosts": "127.0.0.1"}
    with Stack(TEMPLATE, engine=engine, background=False, parameters=parameters) as started:
        yield started


@dataclass(frozen=True, slots=True)
class Program:
    """A campaign in progress, and short names for what is done to it."""

    stack: Stack
    api: Api
    id: str

    @classmethod
    def begin(
        cls, stack: Stack, api: Api, options: Json | None = None, installation: Json | None = None
    ) -> Program:
        return cls(stack, api, api.campaign(options=options, installation=installation))

    @property
    def path(self) -> str:
        return f"/v2/campaign/{self.id}"

    def offer(self, reward_type: str = "SINGLE_SIDED", **fields: Any) -> str:
        """The id of a new reward."""
        body = {"type": reward_type, **fields}
        created: str = self.api.ok("POST", f"{self.path}/reward-configs", body)["id"]
        return created

    def change_offer(self, reward_id: str, **fields: Any) -> Json:
        return self.api.ok("PATCH", f"{self.path}/reward-configs/{reward_id}", fields)

    def join(self, **fields: Any) -> str:
        """The id of a new participant."""
        added: str = self.api.add(self.id, **fields)["id"]
        return added

    def credit(self, referrer: str, number: int = 1) -> list[str]:
        """The ids of new friends whose credits the referrer has got, in their order."""
        friends = friends_of(self.stack, self.id, referrer, number)
        for friend in friends:
            assert self.api.trigger(self.id, friend)["success"]
        return friends

    def earned(self, participant: str) -> list[Json]:
        """The participant's rewards, the oldest first."""
        path = f"{self.path}/participant/{participant}/rewards"
        page = self.api.ok("GET", path, params={"limit": 100})
        assert page["nextId"] is None
        return list(reversed(page["rewards"]))

    def change(self, verb: str, reward: str, **body: Any) -> Json:
        """What `approve` or `fulfill` of an earned reward answers."""
        return self.api.ok("POST", f"{self.path}/reward/{reward}/{verb}", body)

    def listen(self, name: str, events: list[str] | None = None, **fields: Any) -> Json:
        """A webhook to the inbox of this name."""
        body = {
            "payloadUrl": f"{self.stack.url}/_local/inbox/{name}",
            "events": ALL_EVENTS if events is None else events,
            **fields,
        }
        return self.api.ok("POST", f"{self.path}/webhooks", body)


def received(stack: Stack, name: str) -> list[Json]:
    """The bodies that came to an inbox, in their order."""
    return [json.loads(each["body"]) for each in stack.inboxes.received(name)]


def event_ids(stack: Stack, name: str) -> list[str]:
    """The ids of the events that came to an inbox."""
    return [each["headers"]["webhook-id"] for each in stack.inboxes.received(name)]
