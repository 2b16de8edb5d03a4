"""Who is counted as what: machines, visitors, addresses, origins, and the rules of counting."""

from __future__ import annotations

import time

import pytest
from hypothesis import given
from hypothesis import strategies as st

from grapevine.engine.tracking import rules
from grapevine.engine.tracking.links import origin_of
from grapevine.engine.tracking.rules import HOUR_MS, Action, Counters
from grapevine.engine.tracking.visits import Visit, identify
from grapevine.months import DAY_MS
from grapevine.table.impressions import Impressions, SourceHour, Visitor
from tests.visitors import BROWSER

SAFARI = (
    "Mozilla/5.0 (iPhone; CPU iPhone OS 18_0 like Mac OS X) AppleWebKit/605.1.15 "
    "(KHTML, like Gecko) Version/18.0 Mobile/15E148 Safari/604.1"
)
FIREFOX = "Mozilla/5.0 (Windows NT 10.0; Win64; x64; rv:140.0) Gecko/20100101 Firefox/140.0"
VIEW, SHARE = Action(), Action("email")


def counters() -> Counters:
    return Counters(
        Impressions(campaign_id="c", participant_id="p", join_sequence=1),
        Visitor(campaign_id="c", visitor_hash="v", participant_id="p"),
        SourceHour(campaign_id="c", source_hash="s", hour=0),
    )


@pytest.mark.parametrize("user_agent", [BROWSER, SAFARI, FIREFOX])
def test_a_browser_is_a_person(user_agent: str) -> None:
    assert Visit("203.0.113.1", user_agent).is_by_a_person
    assert Visit("203.0.113.1", user_agent, purpose="navigate").is_by_a_person


@pytest.mark.parametrize(
    "user_agent", ["x" * 10_000, "Mozilla/5.0 " * 500, "a-" * 5_000, "bot" * 3_000, "1.1." * 2_000]
)
def test_a_long_user_agent_is_judged_quickly(user_agent: str) -> None:
    Visit("203.0.113.1", "warm up").is_by_a_person  # noqa: B018 - compiles the patterns
    started = time.process_time()

    Visit("203.0.113.1", user_agent).is_by_a_person  # noqa: B018 - its time is what counts

    # A pattern that backtracks would take minutes; this says no more than that none does.
    assert time.process_time() - started < 10


def identity(visit: Visit, *, salt: str = "salt", stores_addresses: bool = True) -> tuple[str, str]:
    found = identify(visit, salt, "p", stores_addresses=stores_addresses)
    return found.visitor_hash, found.source_hash


def test_a_visitor_is_the_same_with_the_cookie_that_it_was_given() -> None:
    first = identify(Visit("203.0.113.1", SAFARI), "salt", "p", stores_addresses=True)

    again = identify(
        Visit("203.0.113.2", FIREFOX, visitor_id=first.visitor_id),
        "salt",
        "p",
        stores_addresses=True,
    )

    assert again.visitor_hash == first.visitor_hash
    assert again.source_hash != first.source_hash


def test_hashes_depend_on_the_secret_and_on_what_is_hashed() -> None:
    one = Visit("203.0.113.1", SAFARI)

    different = [
        identity(one),
        identity(one, salt="other"),
        identity(Visit("203.0.113.2", SAFARI)),
    ]

    assert len({visitor for visitor, _ in different}) == 3
    assert len({source for _, source in different}) == 3
    assert identity(one) == identity(Visit("203.0.113.1", SAFARI))


@pytest.mark.parametrize(
    ("one", "other", "same"),
    [
        ("2001:db8::1", "2001:db8::ffff:1", True),
        ("2001:db8::1", "2001:db8:0:1::1", False),
        ("203.0.113.1", "203.0.113.2", False),
        ("not an address", "not an address", True),
    ],
)
def test_a_source_is_an_address_or_a_household(one: str, other: str, same: bool) -> None:
    sources = [identity(Visit(each, SAFARI))[1] for each in (one, other)]

    assert (sources[0] == sources[1]) == same


def test_without_addresses_nothing_depends_on_them() -> None:
    one, other = (Visit(address, SAFARI) for address in ("203.0.113.1", "203.0.113.2"))

    assert identity(one, stores_addresses=False)[1] == identity(other, stores_addresses=False)[1]
    # A visitor without a cookie is a new one each time.
    assert identity(one, stores_addresses=False)[0] != identity(one, stores_addresses=False)[0]


@pytest.mark.parametrize(
    ("url", "origin"),
    [
        ("https://example.com/join?x=1", "https://example.com"),
        ("https://EXAMPLE.com:443", "https://example.com"),
        ("http://example.com:80/", "http://example.com"),
        ("http://example.com:8080", "http://example.com:8080"),
        ("https://user:secret@example.com/", "https://example.com"),
        ("https://müller.example/", "https://xn--mller-kva.example"),
        ("http://[2001:db8::1]:8080/", "http://[2001:db8::1]:8080"),
        (f"https://{'ä' * 70}.example/", None),
        ("https://example.com:99999/", None),
        ("https://example.com:port/", None),
    ],
)
def test_an_origin_is_written_as_browsers_write_it(url: str, origin: str | None) -> None:
    assert origin_of(url) == origin


@given(st.lists(st.tuples(st.booleans(), st.integers(0, 40 * DAY_MS)), max_size=60))
def test_the_counters_add_up_whatever_happens(story: list[tuple[bool, int]]) -> None:
    now, state, views = 1_800_000_000_000, counters(), 0
    for is_view, pause in story:
        now += pause
        seen = (state.visitor.seen_until or 0) > now
        after = rules.counted(state, VIEW if is_view else SHARE, now, 30 * DAY_MS)
        views += is_view
        assert after.impressions.unique - state.impressions.unique == int(is_view and not seen)
        assert after.visitor.expires_at * 1000 > now
        state = after

    assert state.impressions.total == views
    assert state.impressions.share_total == len(story) - views
    assert state.source.count == state.impressions.version == len(story)


def test_an_hour_has_room_for_so_many_views_and_so_many_shares() -> None:
    now, state = 500 * HOUR_MS, counters()

    for action, most in (
        (VIEW, rules.IMPRESSIONS_OF_A_VISITOR),
        (SHARE, rules.SHARES_OF_A_VISITOR),
    ):
        for _ in range(most):
            assert rules.has_room(state, action, now + HOUR_MS - 1, 600)
            state = rules.counted(state, action, now, DAY_MS)
        assert not rules.has_room(state, action, now + HOUR_MS - 1, 600)
        assert rules.has_room(state, action, now + HOUR_MS, 600)


def test_a_source_has_room_up_to_its_limit() -> None:
    state = rules.counted(counters(), VIEW, 0, DAY_MS)

    assert rules.has_room(state, VIEW, 0, 2)
    assert not rules.has_room(state, VIEW, 0, 1)


def test_only_the_last_few_requests_are_remembered() -> None:
    state = counters()
    for number in range(50):
        state = rules.counted(state, Action(request_id=f"request-{number}"), 0, DAY_MS)

    assert rules.is_repeated(state.visitor, Action(request_id="request-49"))
    assert not rules.is_repeated(state.visitor, Action(request_id="request-1"))
    assert not rules.is_repeated(state.visitor, Action())
    assert len(state.visitor.recent_requests) == 5
