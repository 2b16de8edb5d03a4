"""Share links and the reports of pages: what is counted, for whom, once, and what is not."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any

import httpx
import pytest

from grapevine.engine.tracking import rules
from grapevine.table import keys
from grapevine.table.standings import impression_places, unique_impression_places
from local.stack import Stack
from tests import accounts, invariants, visitors
from tests.api import Api, Json
from tests.conftest import inside
from tests.refusals import refusal, refused_fields
from tests.scenarios import DAY_MS, HOUR_MS, at_once, interrupted, leap

SHARE_URL = "https://example.com/join"
PAGE = {"shareUrl": SHARE_URL, "allowedUrls": ["https://app.example.com:8443/start"]}


@pytest.fixture
def campaign_id(api: Api) -> str:
    return api.campaign(installation=PAGE)


@pytest.fixture
def gavin(api: Api, campaign_id: str) -> str:
    """The id of a participant whose link nobody has followed yet."""
    participant_id: str = api.add(campaign_id, firstName="Gavin")["id"]
    return participant_id


def seen(api: Api, campaign_id: str, participant: str) -> tuple[int, int]:
    """Impressions, and the unique ones among them."""
    shown = api.read(campaign_id, participant)
    return shown["impressionCount"], shown["uniqueImpressionCount"]


def items_of(stack: Stack, campaign_id: str, kind: str) -> list[Json]:
    items = invariants.of_type(invariants.table_of(stack).values(), kind)
    return [item for item in items if item["campaignId"] == campaign_id]


# Following a link


def test_a_link_leads_to_the_share_url_with_its_key(api: Api, campaign_id: str, gavin: str) -> None:
    for key in (gavin, f"gavin-{gavin}", f"GAVIN-{gavin.upper()}"):
        followed = visitors.follow(api, campaign_id, key)

        assert followed.status_code == 302
        assert followed.headers["cache-control"] == "no-store"
        assert followed.headers["location"].startswith(f"{SHARE_URL}?grsf={key}&grsf_visit=")


@pytest.mark.parametrize(
    ("share_url", "location"),
    [
        ("https://example.com", "https://example.com?grsf=KEY&"),
        ("https://example.com/?a=b#top", "https://example.com/?a=b&grsf=KEY&"),
        (
            "https://müller.example/ü?ß=é",
            "https://xn--mller-kva.example/%C3%BC?%C3%9F=%C3%A9&grsf=",
        ),
        ("https://example.com/a%20b", "https://example.com/a%20b?grsf=KEY&"),
        ("https://example.com:99999", "https://example.com:99999?grsf=KEY&"),
        (f"https://{'ä' * 70}.example", "https://%C3%A4"),
    ],
)
def test_the_share_url_keeps_what_it_has(api: Api, share_url: str, location: str) -> None:
    campaign_id = api.campaign(installation={"shareUrl": share_url})
    key = api.add(campaign_id)["id"]

    followed = visitors.follow(api, campaign_id, key)

    assert followed.headers["location"].startswith(location.replace("KEY", key))
    assert followed.headers["location"].endswith("#top") == ("#" in share_url)


def test_a_visitor_is_unique_once_and_counted_each_time(
    api: Api, campaign_id: str, gavin: str
) -> None:
    first = visitors.follow(api, campaign_id, gavin)
    again = visitors.follow(api, campaign_id, gavin, cookie=visitors.cookie_of(first))

    assert seen(api, campaign_id, gavin) == (2, 1)
    assert visitors.cookie_of(again) == visitors.cookie_of(first)


def test_without_a_cookie_address_and_browser_are_the_visitor(
    api: Api, campaign_id: str, gavin: str
) -> None:
    first = visitors.follow(api, campaign_id, gavin)
    visitors.follow(api, campaign_id, gavin)
    visitors.follow(api, campaign_id, gavin, user_agent=f"{visitors.BROWSER} Edg/150")
    # The cookie makes the same visitor of another browser: it is what the first one was given.
    cookie = visitors.cookie_of(first)
    visitors.follow(api, campaign_id, gavin, cookie=cookie, user_agent="Mozilla/5.0 Firefox/140.0")

    assert seen(api, campaign_id, gavin) == (4, 2)


def test_a_visitor_is_unique_for_each_participant(api: Api, campaign_id: str, gavin: str) -> None:
    other = api.add(campaign_id)["id"]

    for key in (gavin, other, gavin):
        visitors.follow(api, campaign_id, key)

    assert seen(api, campaign_id, gavin) == (2, 1)
    assert seen(api, campaign_id, other) == (1, 1)


def test_a_visitor_is_unique_again_when_the_attribution_window_has_passed(
    fresh_stack: Stack,
) -> None:
    with Api(fresh_stack.url, fresh_stack.api_key) as api:
        campaign_id = api.campaign(installation=PAGE, options={"referralCookieWindowDays": 7})
        key, visitor = api.add(campaign_id)["id"], visitors.visitor()
        visitors.view(api, campaign_id, key, visitor)

        leap(fresh_stack, fresh_stack.now_ms() + 7 * DAY_MS - HOUR_MS)
        visitors.view(api, campaign_id, key, visitor)
        assert seen(api, campaign_id, key) == (2, 1)
        leap(fresh_stack, fresh_stack.now_ms() + HOUR_MS)
        visitors.view(api, campaign_id, key, visitor)

        assert seen(api, campaign_id, key) == (3, 2)
        # The guard goes away with the window.
        [guard] = items_of(fresh_stack, campaign_id, "Visitor")
        left_ms = int(guard["expiresAt"]) * 1000 - fresh_stack.now_ms()
        assert 7 * DAY_MS - HOUR_MS < left_ms <= 7 * DAY_MS + 1000


def test_the_cookie_is_for_this_campaigns_links_alone(
    api: Api, campaign_id: str, gavin: str
) -> None:
    plain = visitors.follow(api, campaign_id, gavin)
    secure = visitors.follow(api, campaign_id, gavin, x_forwarded_proto="https")

    [cookie] = plain.headers.get_list("set-cookie")
    name, *attributes = cookie.split("; ")
    assert name == f"grsf_visitor={visitors.parameters_of(plain)['grsf_visit']}"
    assert attributes == [
        f"Path=/r/{campaign_id}",
        f"Max-Age={365 * 86_400}",
        "HttpOnly",
        "SameSite=Lax",
    ]
    assert secure.headers["set-cookie"].split("; ")[-1] == "Secure"


def test_a_link_of_nobody_leads_to_the_share_url_and_counts_nothing(
    stack: Stack, api: Api, campaign_id: str
) -> None:
    gone = api.add(campaign_id)["id"]
    api.delete(campaign_id, gone)
    before = invariants.table_of(stack)

    for key in ("nobody", gone, "a" * 101, "%0d%0aset-cookie:x=y", "...", "a%20b", "%23", "é"):
        followed = visitors.follow(api, campaign_id, key)

        assert followed.status_code == 302
        assert followed.headers["location"] == SHARE_URL
        assert "set-cookie" not in followed.headers
    assert invariants.table_of(stack) == before


@pytest.mark.parametrize(
    "key",
    [
        "https:%5C%5Cevil.example",
        "x@evil.example",
        "nobody?grsf=evil&shareUrl=https://evil.example",
        "nobody?url=//evil.example",
        "%0d%0alocation:%20https:evil.example",
        "x" * 3000,
    ],
)
def test_a_link_leads_nowhere_else_whatever_is_in_it(api: Api, campaign_id: str, key: str) -> None:
    followed = visitors.follow(api, campaign_id, key, host="evil.example", x_forwarded_host="evil")

    assert followed.status_code == 302
    assert followed.headers["location"] == SHARE_URL


@pytest.mark.parametrize("key", ["https:%2F%2Fevil.example", "%2F%2Fevil.example", "a%2Fb"])
def test_a_link_with_more_segments_is_none(api: Api, campaign_id: str, key: str) -> None:
    """API Gateway decodes a path before it looks for a route."""
    followed = visitors.follow(api, campaign_id, key)

    assert followed.status_code == 404
    assert "location" not in followed.headers


def test_a_link_without_a_campaign_or_a_share_url_is_not_found(api: Api) -> None:
    unfinished = api.campaign()
    key = api.add(unfinished)["id"]

    refusal(visitors.follow(api, unfinished, key), 404)
    for campaign_id in ("zzzzzz", "a%23b", "%00", "a" * 101, "é"):
        refusal(visitors.follow(api, campaign_id, key), 404)


# Reports of pages


def test_a_page_reports_views_and_shares(api: Api, campaign_id: str, gavin: str) -> None:
    visitor = visitors.visitor()

    assert visitors.view(api, campaign_id, gavin, visitor)
    assert visitors.view(api, campaign_id, gavin, visitor)
    for channel in ("email", "whatsapp", "email"):
        assert visitors.share(api, campaign_id, gavin, visitor, channel)

    shown = api.read(campaign_id, gavin)
    assert (shown["impressionCount"], shown["uniqueImpressionCount"]) == (2, 1)
    assert shown["shareCount"] == {
        **dict.fromkeys(("facebook", "linkedin", "pinterest", "twitter"), 0),
        "email": 2,
        "whatsapp": 1,
    }


def test_a_share_does_not_make_its_visitor_seen(api: Api, campaign_id: str, gavin: str) -> None:
    visitor = visitors.visitor()
    visitors.share(api, campaign_id, gavin, visitor)
    visitors.view(api, campaign_id, gavin, visitor)

    assert seen(api, campaign_id, gavin) == (1, 1)


def test_the_visitor_of_a_link_and_of_its_page_is_one(
    api: Api, campaign_id: str, gavin: str
) -> None:
    followed = visitors.parameters_of(visitors.follow(api, campaign_id, gavin))

    visitors.view(api, campaign_id, followed["grsf"], followed["grsf_visit"])

    assert seen(api, campaign_id, gavin) == (2, 1)


def test_a_report_that_comes_again_is_counted_once(api: Api, campaign_id: str, gavin: str) -> None:
    visitor, request_id = visitors.visitor(), visitors.visitor()

    for _ in range(3):
        assert visitors.view(api, campaign_id, gavin, visitor, requestId=request_id)

    assert seen(api, campaign_id, gavin) == (1, 1)


def test_plain_text_will_do(api: Api, campaign_id: str, gavin: str) -> None:
    answer = httpx.post(
        f"{str(api.http.base_url).rstrip('/')}/track/impression",
        content=json.dumps({"campaignId": campaign_id, "key": gavin}),
        headers={
            "content-type": "text/plain;charset=UTF-8",
            "origin": visitors.ORIGIN,
            "user-agent": visitors.BROWSER,
        },
    )

    assert answer.json() == {"counted": True}


def test_a_visitor_learns_nothing_but_whether_it_was_counted(
    api: Api, campaign_id: str, gavin: str
) -> None:
    answers = [
        visitors.post(api, "impression", {"campaignId": campaign_id, "key": gavin}),
        visitors.post(api, "share", {"campaignId": campaign_id, "key": gavin, "channel": "email"}),
    ]

    assert [answer.json() for answer in answers] == [{"counted": True}] * 2
    assert visitors.script(api, campaign_id).text.endswith(
        f'({{"campaignId": "{campaign_id}", "attributionModel": "LAST_CLICK", '
        '"cookieWindowDays": 365});\n'
    )


def bodies(campaign_id: str, gavin: str) -> dict[str, Any]:
    good = {"campaignId": campaign_id, "key": gavin, "channel": "email"}
    return {
        "campaignId": good | {"campaignId": 1},
        "key": good | {"key": None},
        "visitor": good | {"visitor": "short"},
        "requestId": good | {"requestId": "a b c d e f g h i j"},
        "channel": good | {"channel": "carrier pigeon"},
        "more": good | {"more": "than is known"},
    }


@pytest.mark.parametrize("field", ["campaignId", "key", "visitor", "requestId", "channel", "more"])
def test_a_report_that_says_something_else_is_refused(
    stack: Stack, api: Api, campaign_id: str, gavin: str, field: str
) -> None:
    before = invariants.table_of(stack)

    answer = visitors.post(api, "share", bodies(campaign_id, gavin)[field])

    assert refused_fields(answer) == [field]
    assert invariants.table_of(stack) == before


@pytest.mark.parametrize(
    ("campaign", "status"), [("zzzzzz", 404), ("a#b", 404), ("", 404), ("\x00", 404)]
)
def test_a_report_to_no_campaign_is_not_found(
    api: Api, gavin: str, campaign: str, status: int
) -> None:
    refusal(visitors.post(api, "impression", {"campaignId": campaign, "key": gavin}), status)


def test_a_report_about_nobody_counts_nothing(stack: Stack, api: Api, campaign_id: str) -> None:
    before = invariants.table_of(stack)

    for key in ("nobody", "a#b", "", "é", "CAMPAIGN#x"):
        assert not visitors.view(api, campaign_id, key)

    assert invariants.table_of(stack) == before


# Origins


@pytest.mark.parametrize("origin", ["https://example.com", "https://app.example.com:8443"])
def test_the_campaigns_own_pages_may_report(
    api: Api, campaign_id: str, gavin: str, origin: str
) -> None:
    answer = visitors.post(
        api, "impression", {"campaignId": campaign_id, "key": gavin}, origin=origin
    )
    asked = visitors.preflight(api, campaign_id, origin)

    assert answer.json() == {"counted": True}
    assert asked.status_code == 204
    for each in (answer, asked):
        assert each.headers["access-control-allow-origin"] == origin
        assert each.headers["vary"] == "origin"
        assert "access-control-allow-credentials" not in each.headers
    assert asked.headers["access-control-allow-methods"] == "POST"
    assert asked.headers["access-control-allow-headers"] == "content-type"


@pytest.mark.parametrize(
    "origin",
    [
        "https://evil.example",
        "http://example.com",
        "https://example.com:8443",
        "https://app.example.com",
        "https://example.com.evil.example",
        "https://evil-example.com",
        "https://sub.example.com",
        "https://example.com/",
        "https://EXAMPLE.com",
        "null",
        "*",
        "",
    ],
)
def test_a_foreign_page_is_refused_and_counts_nothing(
    stack: Stack, api: Api, campaign_id: str, gavin: str, origin: str
) -> None:
    before = invariants.table_of(stack)

    answer = visitors.post(
        api, "impression", {"campaignId": campaign_id, "key": gavin}, origin=origin
    )
    asked = visitors.preflight(api, campaign_id, origin)

    for each in (answer, asked):
        refusal(each, 403)
        assert "access-control-allow-origin" not in each.headers
    assert invariants.table_of(stack) == before


def test_who_names_no_origin_or_no_campaign_gets_no_leave(api: Api, gavin: str) -> None:
    bare = api.campaign()
    unnamed = httpx.post(
        f"{str(api.http.base_url).rstrip('/')}/track/impression",
        json={"campaignId": api.campaign(installation=PAGE), "key": gavin},
        headers={"user-agent": visitors.BROWSER},
    )

    refusal(unnamed, 403)
    refusal(visitors.preflight(api, bare), 403)
    refusal(visitors.preflight(api, ""), 404)
    refusal(visitors.preflight(api, "zzzzzz"), 404)


# Machines


@pytest.mark.parametrize(
    "headers",
    [
        {"user_agent": "Mozilla/5.0 (compatible; Googlebot/2.1; +http://www.google.com/bot.html)"},
        {"user_agent": "facebookexternalhit/1.1"},
        {"user_agent": "WhatsApp/2.23.20.0"},
        {"user_agent": "Slackbot-LinkExpanding 1.0 (+https://api.slack.com/robots)"},
        {"user_agent": "curl/8.5.0"},
        {"user_agent": "GPTBot/1.2"},
        {"user_agent": ""},
        {"purpose": "prefetch"},
        {"sec_purpose": "prefetch;prerender"},
        {"x_moz": "prefetch"},
        {"x_purpose": "preview"},
    ],
    ids=lambda headers: next(iter(headers.values()))[:20] or "none",
)
def test_a_machine_is_sent_on_and_not_counted(
    stack: Stack, api: Api, campaign_id: str, gavin: str, headers: dict[str, str]
) -> None:
    before = invariants.table_of(stack)

    followed = visitors.follow(api, campaign_id, gavin, **headers)
    reported = visitors.post(
        api, "impression", {"campaignId": campaign_id, "key": gavin}, **headers
    )

    assert followed.headers["location"] == f"{SHARE_URL}?grsf={gavin}"
    assert "set-cookie" not in followed.headers
    assert reported.json() == {"counted": False}
    assert invariants.table_of(stack) == before


# Bounds


@pytest.mark.parametrize(
    ("call", "most"),
    [
        (visitors.view, rules.IMPRESSIONS_OF_A_VISITOR),
        (visitors.share, rules.SHARES_OF_A_VISITOR),
    ],
)
def test_a_visitor_is_counted_so_often_an_hour(
    fresh_stack: Stack, call: Callable[..., bool], most: int
) -> None:
    with Api(fresh_stack.url, fresh_stack.api_key) as api:
        campaign_id = api.campaign(installation=PAGE)
        key, visitor = api.add(campaign_id)["id"], visitors.visitor()
        leap(fresh_stack, (fresh_stack.now_ms() // HOUR_MS + 1) * HOUR_MS)

        counted = [call(api, campaign_id, key, visitor) for _ in range(most + 2)]

        assert counted == [True] * most + [False] * 2
        assert call(api, campaign_id, key, visitors.visitor())
        leap(fresh_stack, fresh_stack.now_ms() + HOUR_MS)
        assert call(api, campaign_id, key, visitor)
        invariants_hold(fresh_stack)


@pytest.mark.parametrize(
    ("options", "most"),
    [
        ({}, rules.COUNTS_OF_AN_ADDRESS),
        ({"enforceGdprCompliance": True}, rules.COUNTS_WITHOUT_ADDRESSES),
    ],
)
def test_a_source_is_counted_so_often_an_hour(fresh_stack: Stack, options: Json, most: int) -> None:
    with Api(fresh_stack.url, fresh_stack.api_key) as api:
        campaign_id = api.campaign(installation=PAGE, options=options or None)
        key = api.add(campaign_id)["id"]
        leap(fresh_stack, (fresh_stack.now_ms() // HOUR_MS + 1) * HOUR_MS)
        visitors.view(api, campaign_id, key)
        used_up_but_one(fresh_stack, campaign_id, most)

        assert visitors.view(api, campaign_id, key)
        assert not visitors.view(api, campaign_id, key)
        assert not visitors.share(api, campaign_id, key)
        followed = visitors.follow(api, campaign_id, key)

        assert visitors.parameters_of(followed)["grsf"] == key
        assert seen(api, campaign_id, key) == (2, 2)
        leap(fresh_stack, fresh_stack.now_ms() + HOUR_MS)
        assert visitors.view(api, campaign_id, key)


def used_up_but_one(stack: Stack, campaign_id: str, most: int) -> None:
    """As if the one source of the campaign had already been counted so often this hour."""
    [source] = items_of(stack, campaign_id, "SourceHour")
    stack.dynamodb.update_item(
        TableName=stack.table_name,
        Key={name: {"S": source[name]} for name in ("partition", "sort")},
        UpdateExpression="SET #count = :count",
        ExpressionAttributeNames={"#count": "count"},
        ExpressionAttributeValues={":count": {"N": str(most - 1)}},
    )


def invariants_hold(stack: Stack) -> None:
    stack.drain()
    invariants.check(stack)


# Privacy


@pytest.mark.parametrize("gdpr", [False, True])
def test_no_address_no_browser_and_no_visitor_is_stored(
    fresh_stack: Stack, monkeypatch: pytest.MonkeyPatch, gdpr: bool
) -> None:
    with Api(fresh_stack.url, fresh_stack.api_key) as api:
        campaign_id = api.campaign(installation=PAGE, options={"enforceGdprCompliance": gdpr})
        key = api.add(campaign_id)["id"]
        visitor = visitors.visitor()
        first = visitors.follow(api, campaign_id, key)
        visitors.view(api, campaign_id, key, visitor)

        stored = repr(invariants.table_of(fresh_stack))

    for secret in ("127.0.0.1", "Chrome/150", visitor, visitors.cookie_of(first).split("=")[1]):
        assert secret not in stored


def test_in_gdpr_mode_uniqueness_rests_on_the_cookie_alone(api: Api) -> None:
    campaign_id = api.campaign(installation=PAGE, options={"enforceGdprCompliance": True})
    key = api.add(campaign_id)["id"]

    first = visitors.follow(api, campaign_id, key)
    visitors.follow(api, campaign_id, key, cookie=visitors.cookie_of(first))
    visitors.follow(api, campaign_id, key)

    assert seen(api, campaign_id, key) == (3, 2)


def test_in_gdpr_mode_nothing_is_stored_that_depends_on_the_address(fresh_stack: Stack) -> None:
    with Api(fresh_stack.url, fresh_stack.api_key) as api:
        campaign_id = api.campaign(installation=PAGE, options={"enforceGdprCompliance": True})
        key = api.add(campaign_id)["id"]
        event = link_event(campaign_id, key)

        for address in ("203.0.113.1", "203.0.113.2"):
            event["requestContext"]["http"]["sourceIp"] = address
            assert fresh_stack.invoke("FollowShareLinkFunction", event)["statusCode"] == 302

        assert [each["count"] for each in items_of(fresh_stack, campaign_id, "SourceHour")] == [2]


def test_an_address_is_a_source_of_its_own_and_a_household_is_one(fresh_stack: Stack) -> None:
    with Api(fresh_stack.url, fresh_stack.api_key) as api:
        campaign_id = api.campaign(installation=PAGE)
        event = link_event(campaign_id, api.add(campaign_id)["id"])

        for address in ("203.0.113.1", "203.0.113.2", "2001:db8::1", "2001:db8::2", "2001:db9::1"):
            event["requestContext"]["http"]["sourceIp"] = address
            fresh_stack.invoke("FollowShareLinkFunction", event)

        counts = [int(one["count"]) for one in items_of(fresh_stack, campaign_id, "SourceHour")]
        assert sorted(counts) == [1, 1, 1, 2]


def link_event(campaign_id: str, key: str) -> Json:
    return {
        "headers": {"user-agent": visitors.BROWSER},
        "pathParameters": {"campaignId": campaign_id, "key": key},
        "requestContext": {"http": {"sourceIp": "203.0.113.1"}},
    }


def test_the_same_visitor_has_another_hash_in_each_campaign(stack: Stack, api: Api) -> None:
    one, other = (api.campaign(installation=PAGE) for _ in range(2))
    visitor = visitors.visitor()
    for campaign_id in (one, other):
        visitors.view(api, campaign_id, api.add(campaign_id)["id"], visitor)

    hashes = {
        each["visitorHash"]
        for each in (*items_of(stack, one, "Visitor"), *items_of(stack, other, "Visitor"))
    }

    assert len(hashes) == 2


# The script


def test_the_script_is_kept_and_asked_for_again_by_its_tag(api: Api, campaign_id: str) -> None:
    fresh = visitors.script(api, campaign_id)
    unchanged = visitors.script(api, campaign_id, if_none_match=f'"x", W/{fresh.headers["etag"]}')
    api.ok("PATCH", f"/v2/campaign/{campaign_id}/options", {"attributionModel": "FIRST_CLICK"})
    changed = visitors.script(api, campaign_id, if_none_match=fresh.headers["etag"])

    assert fresh.status_code == changed.status_code == 200
    assert fresh.headers["content-type"] == "text/javascript; charset=utf-8"
    assert fresh.headers["cache-control"] == "public, max-age=3600"
    assert (unchanged.status_code, unchanged.content) == (304, b"")
    assert '"FIRST_CLICK"' in changed.text
    assert len(fresh.content) < 5_000


@pytest.mark.parametrize("campaign", ["", "zzzzzz", "a%23b", "%22%7D);alert(1)//", "%00"])
def test_the_script_of_no_campaign_holds_nothing_that_was_sent(api: Api, campaign: str) -> None:
    answer = visitors.script(api, campaign)

    assert answer.status_code == 200
    assert answer.text.endswith("(null);\n")


# All at once, in between, and after the end


@pytest.mark.both_engines
def test_64_visitors_at_once_are_all_counted(fresh_stack: Stack) -> None:
    with Api(fresh_stack.url, fresh_stack.api_key) as api:
        campaign_id = api.campaign(installation=PAGE)
        people = [api.add(campaign_id)["id"] for _ in range(4)]
        who = [visitors.visitor() for _ in range(32)]
        calls = [
            lambda api, key=people[number % 4], by=by: visitors.view(api, campaign_id, key, by)
            for number, by in enumerate(who)
        ]

        counted = at_once(fresh_stack, [*calls, *calls], threads=64)

        assert counted == [True] * 64
        assert [seen(api, campaign_id, one) for one in people] == [(16, 8)] * 4
        # All from one address; the hour may have turned meanwhile.
        assert sum(each["count"] for each in items_of(fresh_stack, campaign_id, "SourceHour")) == 64
        invariants_hold(fresh_stack)
        assert api.read_campaign(campaign_id)["impressionCount"] == 64


@pytest.mark.parametrize("after_calls", [1, 2])
def test_two_first_visitors_at_the_same_time_share_the_salt_and_the_count(
    stack: Stack, api: Api, campaign_id: str, gavin: str, after_calls: int
) -> None:
    visitor = visitors.visitor()

    with interrupted(
        stack,
        "TrackImpressionFunction",
        after_calls,
        lambda: visitors.view(api, campaign_id, gavin, visitor),
    ):
        visitors.view(api, campaign_id, gavin, visitor)

    assert seen(api, campaign_id, gavin) == (2, 1)
    assert len(items_of(stack, campaign_id, "Salt")) == 1


def test_what_was_seen_of_a_participant_goes_with_it(fresh_stack: Stack) -> None:
    with Api(fresh_stack.url, fresh_stack.api_key) as api:
        campaign_id = api.campaign(installation=PAGE)
        gone, stays = (api.add(campaign_id)["id"] for _ in range(2))
        for one in (gone, gone, stays):
            visitors.view(api, campaign_id, one)
        fresh_stack.drain()
        assert api.read_campaign(campaign_id)["impressionCount"] == 3

        api.delete(campaign_id, gone)

        assert not visitors.view(api, campaign_id, gone)
        invariants_hold(fresh_stack)
        assert api.read_campaign(campaign_id)["impressionCount"] == 1


@pytest.mark.parametrize("after_calls", [1, 2, 3])
@pytest.mark.parametrize("seen_before", [False, True])
def test_a_view_that_meets_a_deletion_is_counted_nowhere(
    fresh_stack: Stack, after_calls: int, seen_before: bool
) -> None:
    with Api(fresh_stack.url, fresh_stack.api_key) as api:
        campaign_id = api.campaign(installation=PAGE)
        key = api.add(campaign_id)["id"]
        visitors.view(api, campaign_id, key if seen_before else api.add(campaign_id)["id"])

        with interrupted(
            fresh_stack,
            "TrackImpressionFunction",
            after_calls,
            lambda: api.delete(campaign_id, key),
        ):
            visitors.view(api, campaign_id, key)

        invariants_hold(fresh_stack)
        assert api.read_campaign(campaign_id)["impressionCount"] == (not seen_before)


@pytest.mark.parametrize("after_calls", [1, 2, 3])
def test_a_deletion_that_meets_a_first_view_takes_it_along(
    fresh_stack: Stack, after_calls: int
) -> None:
    with Api(fresh_stack.url, fresh_stack.api_key) as api:
        campaign_id = api.campaign(installation=PAGE)
        key = api.add(campaign_id)["id"]

        with interrupted(
            fresh_stack,
            "DeleteParticipantFunction",
            after_calls,
            lambda: visitors.view(api, campaign_id, key),
        ):
            api.delete(campaign_id, key)

        invariants_hold(fresh_stack)
        assert api.read_campaign(campaign_id)["impressionCount"] == 0


@pytest.mark.parametrize("function_id", ["TrackImpressionFunction", "TrackShareFunction"])
def test_a_report_that_dies_anywhere_and_is_sent_again_is_counted_once(
    fresh_stack: Stack, function_id: str
) -> None:
    action = "impression" if function_id == "TrackImpressionFunction" else "share"
    with Api(fresh_stack.url, fresh_stack.api_key) as api:
        for calls in range(5):
            campaign_id = api.campaign(installation=PAGE)
            body = {
                "campaignId": campaign_id,
                "key": api.add(campaign_id)["id"],
                "visitor": visitors.visitor(),
                "requestId": visitors.visitor(),
                **({"channel": "sms"} if action == "share" else {}),
            }
            with fresh_stack.kill_after(calls, function_id) as order:
                died = visitors.post(api, action, body)
            assert order.happened
            assert died.status_code == 502

            assert visitors.post(api, action, body).json() == {"counted": True}

            shown = api.read(campaign_id, body["key"])
            assert shown["impressionCount"] == (action == "impression")
            assert shown["shareCount"].get("sms", 0) == (action == "share")
        invariants_hold(fresh_stack)


@pytest.mark.parametrize("calls", range(4))
def test_a_link_that_dies_leaves_a_count_that_holds(fresh_stack: Stack, calls: int) -> None:
    with Api(fresh_stack.url, fresh_stack.api_key) as api:
        campaign_id = api.campaign(installation=PAGE)
        key = api.add(campaign_id)["id"]
        with fresh_stack.kill_after(calls, "FollowShareLinkFunction") as order:
            visitors.follow(api, campaign_id, key)
        assert order.happened

        visitors.follow(api, campaign_id, key)

        # The visitor comes again by itself: a new visit, but the same visitor.
        assert seen(api, campaign_id, key) == (1, 1)
        invariants_hold(fresh_stack)


def test_a_link_sends_on_who_could_not_be_counted_in_time(
    stack: Stack, api: Api, campaign_id: str, gavin: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    visitors.view(api, campaign_id, api.add(campaign_id)["id"])  # makes the campaign's salt
    monkeypatch.setattr("grapevine.engine.tracking.links._REDIRECT_WITHIN_SECONDS", 0)

    followed = visitors.follow(api, campaign_id, gavin)

    # Without the mark of a counted view, so the page will report it.
    assert visitors.parameters_of(followed) == {"grsf": gavin}
    assert seen(api, campaign_id, gavin) == (0, 0)


def test_a_count_costs_what_the_documents_say(api: Api, campaign_id: str, gavin: str) -> None:
    visitors.view(api, campaign_id, api.add(campaign_id)["id"])  # makes the campaign's salt
    report = {"campaignId": campaign_id, "key": gavin, "visitor": visitors.visitor()}

    answers = {
        "first": visitors.post(api, "impression", report),
        "again": visitors.post(api, "impression", report),
        "unique": visitors.post(api, "impression", report | {"visitor": visitors.visitor()}),
        "share": visitors.post(api, "share", report | {"channel": "email"}),
    }

    writes = {name: float(one.headers["x-local-write-units"]) for name, one in answers.items()}
    assert writes == {"first": 11, "again": 8, "unique": 10, "share": 6}
    assert {answer.headers["x-local-calls"] for answer in answers.values()} == {"3"}
    assert {answer.headers["x-local-read-units"] for answer in answers.values()} == {"7"}


# Who may not


@pytest.mark.parametrize("action", ["impression", "share"])
def test_the_pages_of_another_tenant_count_nothing_here(
    stack: Stack, api: Api, campaign_id: str, gavin: str, action: str
) -> None:
    with accounts.another_account(stack) as stranger:
        theirs = stranger.campaign(installation={"shareUrl": "https://stranger.example"})
        before = invariants.table_of(stack)
        share = {"channel": "email"} if action == "share" else {}

        foreign = visitors.post(
            api,
            action,
            {"campaignId": campaign_id, "key": gavin, **share},
            origin="https://stranger.example",
        )
        lost = visitors.post(
            api,
            action,
            {"campaignId": theirs, "key": gavin, **share},
            origin="https://stranger.example",
        )

        refusal(foreign, 403)
        assert lost.json() == {"counted": False}
        assert visitors.follow(api, theirs, gavin).headers["location"] == "https://stranger.example"
        assert invariants.table_of(stack) == before


# The orders by impressions


def test_the_boards_hold_who_was_seen_most_first(stack: Stack, api: Api, campaign_id: str) -> None:
    one, two, three, unseen = (api.add(campaign_id)["id"] for _ in range(4))
    same = visitors.visitor()
    for key, by in ((two, same), (two, same), (two, same), (one, None), (one, None), (three, None)):
        visitors.view(api, campaign_id, key, by)
    visitors.share(api, campaign_id, unseen)

    with inside(stack):
        total = impression_places(campaign_id, 10)
        unique = unique_impression_places(campaign_id, 10)
        first = unique_impression_places(campaign_id, 1)
        cursor = place_of(stack, campaign_id, two)
        rest = unique_impression_places(campaign_id, 10, cursor)

    assert [(each.participant_id, each.count) for each in total] == [(two, 3), (one, 2), (three, 1)]
    assert [(each.participant_id, each.count) for each in unique] == [
        (one, 2),
        (two, 1),
        (three, 1),
    ]
    assert [each.participant_id for each in first] == [one]
    assert [each.participant_id for each in rest] == [two, three]


def place_of(stack: Stack, campaign_id: str, participant_id: str) -> int:
    item = invariants.table_of(stack)[keys.impressions(campaign_id, participant_id)]
    return int(item["evenMonthPosition"])
