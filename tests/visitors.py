"""Visitors of share links, as tests need them: browsers with or without a cookie."""

from __future__ import annotations

import secrets
from typing import Any
from urllib.parse import parse_qs, urlsplit

import httpx

from tests.api import TLS, Api

ORIGIN = "https://example.com"
"""Of the pages of a campaign whose share URL is there."""

BROWSER = (
    "Mozilla/5.0 (X11; Linux x86_64) AppleWebKit/537.36 (KHTML, like Gecko) "
    "Chrome/150.0.0.0 Safari/537.36"
)


def follow(
    api: Api, campaign_id: str, key: str, *, cookie: str | None = None, **headers: str
) -> httpx.Response:
    """The answer to a visitor who follows a short link. `cookie` is what an earlier answer set."""
    sent = {"user-agent": BROWSER, **({"cookie": cookie} if cookie else {}), **_named(headers)}
    return httpx.get(f"{_url(api)}/r/{campaign_id}/{key}", headers=sent, timeout=60, verify=TLS)


def cookie_of(followed: httpx.Response) -> str:
    return followed.headers["set-cookie"].split(";")[0]


def parameters_of(followed: httpx.Response) -> dict[str, str]:
    query = urlsplit(followed.headers["location"]).query
    return {name: values[0] for name, values in parse_qs(query).items()}


def visitor() -> str:
    """What a page keeps for a new visitor."""
    return secrets.token_hex(16)


def post(api: Api, action: str, body: Any, **headers: str) -> httpx.Response:
    sent = {"user-agent": BROWSER, "origin": ORIGIN, **_named(headers)}
    return httpx.post(
        f"{_url(api)}/track/{action}", json=body, headers=sent, timeout=60, verify=TLS
    )


def _url(api: Api) -> str:
    return str(api.http.base_url).rstrip("/")


def _named(headers: dict[str, str]) -> dict[str, str]:
    return {name.replace("_", "-"): value for name, value in headers.items()}


def view(api: Api, campaign_id: str, key: str, by: str | None = None, **fields: Any) -> bool:
    """Whether a page's report of a view is counted."""
    body = {"campaignId": campaign_id, "key": key, "visitor": by or visitor(), **fields}
    return _counted(post(api, "impression", body))


def share(
    api: Api, campaign_id: str, key: str, by: str | None = None, channel: str = "email"
) -> bool:
    body = {
        "campaignId": campaign_id,
        "key": key,
        "visitor": by or visitor(),
        "channel": channel,
    }
    return _counted(post(api, "share", body))


def _counted(answer: httpx.Response) -> bool:
    assert answer.status_code == 200, answer.text
    counted: bool = answer.json()["counted"]
    return counted


def preflight(api: Api, campaign_id: str, origin: str = ORIGIN) -> httpx.Response:
    url = f"{_url(api)}/track/impression?campaignId={campaign_id}"
    asked = {"access-control-request-method": "POST"}
    return httpx.options(url, headers={"origin": origin, **asked}, verify=TLS)


def script(api: Api, campaign_id: str, **headers: str) -> httpx.Response:
    url = f"{_url(api)}/grapevine.js?campaign={campaign_id}"
    return httpx.get(url, headers=_named(headers), verify=TLS)
