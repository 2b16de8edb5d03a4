"""A plain client of the API for tests: short to write, and it checks the status of every call."""

from __future__ import annotations

import itertools
import ssl
import uuid
from types import TracebackType
from typing import Any, Self

import httpx

Json = dict[str, Any]

TLS = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
"""For every client: the stack speaks plain HTTP, and a client of its own accord loads the machine's
certificates, which takes longer than a request."""

_numbers = itertools.count(1)


def unique_email(name: str = "someone") -> str:
    return f"{name}-{next(_numbers)}-{uuid.uuid4().hex[:6]}@example.com"


class Api:
    """Every method gives the body of a 200; `call` gives the response whatever it is."""

    def __init__(self, url: str, key: str | None) -> None:
        headers = {"authorization": f"Bearer {key}"} if key is not None else {}
        self.http = httpx.Client(base_url=url, headers=headers, timeout=60, verify=TLS)

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.http.close()

    def call(self, method: str, path: str, body: Any = None, **options: Any) -> httpx.Response:
        if body is not None:
            options["json"] = body
        return self.http.request(method, path, **options)

    def ok(self, method: str, path: str, body: Any = None, **options: Any) -> Json:
        response = self.call(method, path, body, **options)
        assert response.status_code == 200, response.text
        answer: Json = response.json()
        return answer

    def campaign(
        self, *, live: bool = True, installation: Json | None = None, options: Json | None = None
    ) -> str:
        """The id of a new campaign, in progress unless `live` is False."""
        campaign_id: str = self.ok("POST", "/v2/campaigns", {"type": "REFERRAL"})["id"]
        if installation:
            self.ok("PATCH", f"/v2/campaign/{campaign_id}/installation", installation)
        if options:
            self.ok("PATCH", f"/v2/campaign/{campaign_id}/options", options)
        if live:
            self.set_status(campaign_id, "IN_PROGRESS")
        return campaign_id

    def set_status(self, campaign_id: str, status: str) -> Json:
        return self.ok("PATCH", f"/v2/campaign/{campaign_id}", {"status": status})

    def read_campaign(self, campaign_id: str) -> Json:
        return self.ok("GET", f"/v2/campaign/{campaign_id}")

    def add(self, campaign_id: str, email: str | None = None, **fields: Any) -> Json:
        body = {"email": email or unique_email(), **fields}
        return self.ok("POST", f"/v2/campaign/{campaign_id}/participant", body)

    def read(self, campaign_id: str, participant: str) -> Json:
        return self.ok("GET", f"/v2/campaign/{campaign_id}/participant/{participant}")

    def update(self, campaign_id: str, participant: str, **changes: Any) -> Json:
        return self.ok("POST", f"/v2/campaign/{campaign_id}/participant/{participant}", changes)

    def delete(self, campaign_id: str, participant: str) -> Json:
        return self.ok("DELETE", f"/v2/campaign/{campaign_id}/participant/{participant}")

    def trigger(self, campaign_id: str, participant: str, **body: Any) -> Json:
        path = f"/v2/campaign/{campaign_id}/participant/{participant}/ref"
        return self.ok("POST", path, body)

    def cancel_trigger(self, campaign_id: str, participant: str) -> Json:
        return self.ok("DELETE", f"/v2/campaign/{campaign_id}/participant/{participant}/ref")

    def page(self, campaign_id: str, **query: Any) -> Json:
        return self.ok("GET", f"/v2/campaign/{campaign_id}/participants", params=query)

    def all_pages(self, campaign_id: str, limit: int) -> list[Json]:
        """Every participant, by following `nextId`."""
        rows: list[Json] = []
        query: Json = {"limit": limit}
        while True:
            page = self.page(campaign_id, **query)
            rows += page["participants"]
            if page["nextId"] is None:
                return rows
            query["nextId"] = page["nextId"]
