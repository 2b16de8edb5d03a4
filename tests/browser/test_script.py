"""The script in a real browser: visitors follow links, come back, share, and have a referrer."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from playwright.sync_api import Browser, Page

from tests import visitors
from tests.browser.conftest import Customer, somebody

Made = Callable[..., Customer]


def report(page: Page, action: str, happening: Callable[[], Any]) -> bool:
    """Whether what the page reports when something happens is counted."""
    with page.expect_response(lambda answer: f"/track/{action}" in answer.url) as reported:
        happening()
    counted: bool = reported.value.json()["counted"]
    return counted


def referrer_in(page: Page) -> Any:
    return page.evaluate("grapevine.getReferrerId()")


def test_the_counters_move_once_per_visitor_and_a_second_visit_moves_only_the_total(
    browser: Browser, customer: Made
) -> None:
    shop = customer()
    key = shop.participant()

    with somebody(browser) as page:
        page.goto(shop.short_link(key))
        page.wait_for_load_state("networkidle")
        assert shop.seen(key) == (1, 1)
        assert referrer_in(page) == key
        assert page.url == f"{shop.home}?grsf={key}"

        assert report(page, "impression", lambda: page.goto(shop.home))
        assert shop.seen(key) == (2, 1)
        assert referrer_in(page) == key

        page.goto(shop.short_link(key))
        page.wait_for_load_state("networkidle")
        assert shop.seen(key) == (3, 1)
    with somebody(browser, f"{visitors.BROWSER} Edg/150.0") as page:
        page.goto(shop.short_link(key))
        page.wait_for_load_state("networkidle")
        assert shop.seen(key) == (4, 2)


def test_a_share_url_counts_as_a_short_link_does(browser: Browser, customer: Made) -> None:
    shop = customer()
    key = shop.participant()
    url = f"{shop.home}?grsf={key}"

    for visit in range(2):
        with somebody(browser) as page:
            assert report(page, "impression", lambda page=page: page.goto(url))  # type: ignore[misc]
            assert report(page, "impression", page.reload)
            assert referrer_in(page) == key
            assert shop.seen(key) == (2 * visit + 2, visit + 1)


def test_a_visitor_whom_nobody_referred_is_not_counted_and_gets_no_cookie(
    browser: Browser, customer: Made
) -> None:
    shop = customer()

    with somebody(browser) as page:
        asked: list[str] = []
        page.on("request", lambda request: asked.append(request.url))
        page.goto(shop.home)
        page.wait_for_load_state("networkidle")

        assert referrer_in(page) is None
        assert page.context.cookies() == []
        assert not [url for url in asked if "/track/" in url]
        assert page.evaluate("grapevine.share('email')") is False


def test_a_share_moves_the_share_counter_of_the_participant_of_the_page(
    browser: Browser, customer: Made
) -> None:
    shop = customer()
    referrer, sharer = shop.participant(), shop.participant()

    with somebody(browser) as page:
        page.goto(f"{shop.home}/{sharer}?grsf={referrer}")
        assert page.evaluate("grapevine.share('email')") is True
        assert page.evaluate("grapevine.share('whatsapp')") is True
        assert page.evaluate("grapevine.share('email', '" + referrer + "')") is True
        assert page.evaluate("grapevine.share('pigeon')") is False

    shares = shop.api.read(shop.campaign_id, sharer)["shareCount"]
    assert (shares["email"], shares["whatsapp"]) == (1, 1)
    assert shop.api.read(shop.campaign_id, referrer)["shareCount"]["email"] == 1


@pytest.mark.parametrize(("model", "wins"), [("LAST_CLICK", "last"), ("FIRST_CLICK", "first")])
def test_the_first_or_the_last_click_counts_as_configured(
    browser: Browser, customer: Made, model: str, wins: str
) -> None:
    shop = customer(attributionModel=model)
    clicked = {"first": shop.participant(), "last": shop.participant()}

    with somebody(browser) as page:
        for key in clicked.values():
            page.goto(shop.short_link(key))
            page.wait_for_load_state("networkidle")

        assert referrer_in(page) == clicked[wins]
        assert report(page, "impression", lambda: page.goto(shop.home))
        assert referrer_in(page) == clicked[wins]
    assert shop.seen(clicked[wins]) == (2, 1)


def test_the_cookies_live_as_long_as_the_attribution_window(
    browser: Browser, customer: Made
) -> None:
    shop = customer(referralCookieWindowDays=30)

    with somebody(browser) as page:
        page.goto(f"{shop.home}?grsf={shop.participant()}")
        now = page.evaluate("Date.now()") / 1000
        kept = {each["name"]: each for each in page.context.cookies()}

    assert kept.keys() == {f"grsf_{shop.campaign_id}", f"grsf_visitor_{shop.campaign_id}"}
    for cookie in kept.values():
        assert abs(cookie["expires"] - now - 30 * 86_400) < 3_600
        assert cookie["sameSite"] == "Lax"
        assert not cookie["secure"]


def test_a_page_may_send_json_where_its_origin_is_allowed_and_nowhere_else(
    browser: Browser, customer: Made
) -> None:
    shop, stranger = customer(), customer()
    key = shop.participant()
    shop.api.ok(
        "PATCH",
        f"/v2/campaign/{stranger.campaign_id}/installation",
        {"shareUrl": "https://elsewhere.example"},
    )
    send = """([api, campaignId, key]) => fetch(
        `${api}/track/impression?campaignId=${campaignId}`,
        {method: "POST", headers: {"content-type": "application/json"},
         body: JSON.stringify({campaignId, key})},
    ).then((answer) => answer.json(), () => "refused")"""
    api_url = str(shop.api.http.base_url).rstrip("/")

    with somebody(browser) as page:
        page.goto(shop.home)
        sent = page.evaluate(send, [api_url, shop.campaign_id, key])
        refused = page.evaluate(send, [api_url, stranger.campaign_id, stranger.participant()])

    assert sent == {"counted": True}
    assert refused == "refused"
    assert shop.api.read_campaign(stranger.campaign_id)["impressionCount"] == 0


def test_a_script_without_its_campaign_does_no_harm(browser: Browser, customer: Made) -> None:
    shop = customer()

    with somebody(browser) as page:
        said: list[str] = []
        page.on("console", lambda message: said.append(message.text))
        page.goto(f"{shop.url}/nobody?grsf=gavin")

        assert referrer_in(page) is None
        assert page.evaluate("grapevine.share('email')") is False
        assert said == ["grapevine.js: there is no campaign with this id"]
        assert page.context.cookies() == []
