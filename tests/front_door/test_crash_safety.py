"""A function's process dies after each single AWS call, the caller sends the same again, and
everything ends as if nothing had happened."""

from __future__ import annotations

import itertools
import json
from dataclasses import dataclass
from typing import Any

import httpx
import pytest

from grapevine.engine.due import LEASE_MS
from local.stack import Stack
from tests import invariants
from tests.api import Api, Json
from tests.scenarios import DAY_MS, MINUTE_MS, erase, leap

REFERRER, FRIEND, OTHER = "referrer@example.com", "friend@example.com", "other@example.com"
NEW = "new@example.com"


@dataclass(frozen=True, slots=True)
class Sent:
    """A request to the participants of a campaign; `state` is what became of the friend's credit
    before it."""

    function_id: str
    method: str
    path: str
    body: Json | None = None
    state: str = "pending"


REQUESTS = {
    "add": Sent("AddParticipantFunction", "POST", "", {"email": NEW, "metadata": {"seats": 3}}),
    "add a friend": Sent(
        "AddParticipantFunction", "POST", "", {"email": NEW, "referredBy": REFERRER}
    ),
    "add a credited friend": Sent(
        "AddParticipantFunction",
        "POST",
        "",
        {"email": NEW, "referredBy": REFERRER, "referralStatus": "CREDIT_AWARDED"},
    ),
    "change the names": Sent(
        "UpdateParticipantFunction",
        "POST",
        f"/{OTHER}",
        {"email": "o2@example.com", "vanityKeys": ["o2"], "metadata": {"plan": "pro"}},
    ),
    "award": Sent(
        "UpdateParticipantFunction", "POST", f"/{FRIEND}", {"referralStatus": "CREDIT_AWARDED"}
    ),
    "assign and award": Sent(
        "UpdateParticipantFunction",
        "POST",
        f"/{OTHER}",
        {"referredBy": REFERRER, "referralStatus": "CREDIT_AWARDED"},
    ),
    "trigger": Sent("TriggerReferralFunction", "POST", f"/{FRIEND}/ref", {}),
    "trigger later": Sent("TriggerReferralFunction", "POST", f"/{FRIEND}/ref", {"delayInDays": 1}),
    "take back": Sent("CancelReferralTriggerFunction", "DELETE", f"/{FRIEND}/ref", state="delayed"),
    "delete the friend": Sent(
        "DeleteParticipantFunction", "DELETE", f"/{FRIEND}", state="credited"
    ),
    "delete the referrer": Sent(
        "DeleteParticipantFunction", "DELETE", f"/{REFERRER}", state="credited"
    ),
    "delete many": Sent(
        "BulkDeleteParticipantsFunction",
        "POST",
        "s/bulk-delete",
        {"participants": [FRIEND, REFERRER, OTHER, "nobody"]},
        state="credited",
    ),
}


class Campaign:
    """A campaign with a referrer, a friend of theirs, and somebody else; always the same people."""

    def __init__(self, api: Api, state: str = "pending") -> None:
        self._api = api
        self.id = api.campaign()
        api.add(self.id, REFERRER)
        api.add(self.id, FRIEND, referredBy=REFERRER)
        api.add(self.id, OTHER)
        if state != "pending":
            api.trigger(self.id, FRIEND, **({"delayInDays": 1} if state == "delayed" else {}))

    def send(self, sent: Sent) -> httpx.Response:
        path = f"/v2/campaign/{self.id}/participant{sent.path}"
        return self._api.call(sent.method, path, sent.body)

    def snapshot(self) -> str:
        """All that the API shows of the campaign, but for ids and times."""
        rows = self._api.all_pages(self.id, limit=100)
        text = json.dumps([self._api.read_campaign(self.id), *map(_timeless, rows)], indent=1)
        for one in [*rows, {"id": self.id, "email": "the campaign"}]:
            text = text.replace(one["id"], f"<{one['email']}>")
        return text


def _timeless(shown: Json) -> Json:
    kept: dict[str, Any] = {name: value for name, value in shown.items() if name != "createdAt"}
    if kept["referrer"]:
        kept["referrer"] = _timeless({**kept["referrer"], "referrer": None})
    return kept


@pytest.mark.parametrize("name", REQUESTS)
def test_a_request_that_dies_anywhere_and_is_sent_again_happens_once(
    fresh_stack: Stack, name: str
) -> None:
    sent = REQUESTS[name]
    with Api(fresh_stack.url, fresh_stack.api_key) as api:
        undisturbed = Campaign(api, sent.state)
        assert undisturbed.send(sent).status_code == 200
        campaigns: list[Campaign] = []

        for calls in itertools.count():
            campaign = Campaign(api, sent.state)
            with fresh_stack.kill_after(calls, sent.function_id) as order:
                answer = campaign.send(sent)
            if not order.happened:
                break
            assert answer.status_code == 502
            assert campaign.send(sent).status_code < 500
            campaigns.append(campaign)

        assert len(campaigns) > 3, "the request made hardly a call"
        fresh_stack.drain()
        erase(api)
        invariants.check(fresh_stack, dense=False)
        expected = undisturbed.snapshot()
        for campaign in campaigns:
            assert campaign.snapshot() == expected


@pytest.mark.parametrize("calls", range(7))
def test_ranks_and_totals_come_right_after_the_projection_died(
    fresh_stack: Stack, calls: int
) -> None:
    with Api(fresh_stack.url, fresh_stack.api_key) as api:
        campaign = Campaign(api, "credited")

        with fresh_stack.kill_after(calls, "ProjectStandingsFunction") as order:
            fresh_stack.drain()

        # It makes five calls: reads the head, then journal and block; puts journal, block and head.
        assert order.happened == (calls <= 5)
        shown = api.read_campaign(campaign.id)
        assert (shown["participantCount"], shown["referralCount"]) == (3, 1)
        invariants.check(fresh_stack)


@pytest.mark.parametrize("function_id", ["SweepDueFunction", "SettleDueFunction"])
def test_due_work_is_done_after_a_process_of_it_died(fresh_stack: Stack, function_id: str) -> None:
    """A delayed credit is given, and a deleted referrer is cleaned up after."""
    with Api(fresh_stack.url, fresh_stack.api_key) as api:
        campaigns: list[Campaign] = []
        for calls in itertools.count():
            campaign = Campaign(api, "delayed")
            orphan = api.add(campaign.id, referredBy=OTHER)["id"]
            api.delete(campaign.id, OTHER)
            leap(fresh_stack, fresh_stack.now_ms() + DAY_MS)

            with fresh_stack.kill_after(calls, function_id) as order:
                fresh_stack.drain()

            # Long enough for the claim of a dead sweep and for an unseen message to come back.
            leap(fresh_stack, fresh_stack.now_ms() + LEASE_MS + MINUTE_MS)
            fresh_stack.drain()
            shown = api.read(campaign.id, FRIEND)
            assert shown["referralStatus"] == "CREDIT_AWARDED"
            assert shown["referrer"]["referralCount"] == 1
            assert api.read(campaign.id, orphan)["referralSource"] == "DELETED_PARTICIPANT"
            if not order.happened:
                break
            campaigns.append(campaign)
        assert len(campaigns) > 3, "the function made hardly a call"
        assert fresh_stack.queue_messages("DueDeadLetterQueue") == []
        assert not invariants.waiting(fresh_stack)
        invariants.check(fresh_stack)
