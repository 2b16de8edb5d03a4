"""A small lively campaign to play with, made through the HTTP API like anybody's."""

from __future__ import annotations

import json
import urllib.request
from dataclasses import dataclass
from typing import Any

_FRIENDS = {
    "Ada": ("Grace", "Edsger", "Barbara", "Donald"),
    "Grace": ("Margaret", "Katherine"),
    "Alan": ("Joan",),
}
"""Who brought whom, in the order of joining."""

_PENDING = ("Donald", "Katherine")
"""Friends whose referrer has no credit for them yet."""


@dataclass(frozen=True, slots=True)
class Demo:
    campaign_id: str
    leader: str
    pending: str

    def commands(self, url: str, api_key: str) -> list[str]:
        """Three calls to try: the campaign, its leader, and a credit that is still due."""
        campaign = f"{url}/v2/campaign/{self.campaign_id}"
        curl = f"curl -s -H 'Authorization: Bearer {api_key}'"
        return [
            f"{curl} {campaign}",
            f"{curl} {campaign}/participant/{self.leader}",
            f"{curl} -X POST {campaign}/participant/{self.pending}/ref",
        ]


class _Client:
    def __init__(self, url: str, api_key: str) -> None:
        self._url = url
        self._headers = {
            "Authorization": f"Bearer {api_key}",
            "Content-Type": "application/json",
        }

    def call(self, method: str, path: str, body: Any = None) -> Any:
        data = None if body is None else json.dumps(body).encode()
        request = urllib.request.Request(  # noqa: S310 - the URL is the stack's own
            self._url + path, data, self._headers, method=method
        )
        with urllib.request.urlopen(request, timeout=30) as answer:  # noqa: S310
            return json.load(answer)


def demo(url: str, api_key: str) -> Demo:
    """Make the campaign, and wait until its totals and ranks are there."""
    client = _Client(url, api_key)
    campaign_id = client.call(
        "POST", "/v2/campaigns", {"type": "REFERRAL", "name": "Vineyard Club"}
    )["id"]
    campaign = f"/v2/campaign/{campaign_id}"
    client.call("PATCH", f"{campaign}/installation", {"shareUrl": "https://vineyard.example/join"})
    client.call("PATCH", campaign, {"status": "IN_PROGRESS"})
    joined: dict[str, str] = {}
    for referrer, friends in _FRIENDS.items():
        if referrer not in joined:
            joined[referrer] = _join(client, campaign, referrer)
        for friend in friends:
            joined[friend] = _join(client, campaign, friend, joined[referrer])
            if friend not in _PENDING:
                client.call("POST", f"{campaign}/participant/{joined[friend]}/ref", {})
    client.call("POST", "/_local/drain")
    return Demo(campaign_id, _email("Ada"), _email(_PENDING[0]))


def _join(client: _Client, campaign: str, name: str, referrer_id: str | None = None) -> str:
    body = {"email": _email(name), "firstName": name, "metadata": {"source": "demo"}}
    if referrer_id is not None:
        body["referredBy"] = referrer_id
    participant_id: str = client.call("POST", f"{campaign}/participant", body)["id"]
    return participant_id


def _email(name: str) -> str:
    return f"{name.lower()}@example.com"
