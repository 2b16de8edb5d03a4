from __future__ import annotations

import re
from urllib.parse import parse_qsl, urlsplit

import pytest
from hypothesis import given
from hypothesis import strategies as st

from grapevine.engine.participants.share import LONGEST_VANITY_KEY, share_url, vanity_key_for
from grapevine.table.campaigns import Campaign
from grapevine.table.participants import Profile

ALLOWED = re.compile(r"[a-z0-9_-]{1,20}")


def campaign(url: str | None) -> Campaign:
    installation = {"shareUrl": url} if url is not None else {}
    return Campaign(
        campaign_id="camp01",
        account_id="acct_1",
        name="Any",
        currency_iso="USD",
        created_at=0,
        installation=installation,
    )


def profile(*vanity_keys: str) -> Profile:
    return Profile(
        campaign_id="camp01",
        participant_id="f8g9nl",
        email="gavin@example.com",
        created_at=0,
        vanity_keys=vanity_keys,
    )


@pytest.mark.parametrize(
    ("first_name", "key"),
    [
        ("Gavin", "gavin-f8g9nl"),
        ("GAVIN", "gavin-f8g9nl"),
        ("Mary Ann", "maryann-f8g9nl"),
        ("José", "jose-f8g9nl"),
        ("D'Arcy", "darcy-f8g9nl"),
        ("-Dash-", "dash-f8g9nl"),
        ("Bartholomeus-Christopher", "bartholomeus-f8g9nl"),
        ("Wolfeschlegelsteinhausen", "wolfeschlegel-f8g9nl"),
        ("R2", "r2-f8g9nl"),
    ],
)
def test_a_first_name_gives_a_vanity_key(first_name: str, key: str) -> None:
    assert vanity_key_for(first_name, "f8g9nl") == key


@pytest.mark.parametrize("first_name", [None, "", "   ", "田中", "---", "😀"])
def test_a_name_without_a_usable_letter_gives_none(first_name: str | None) -> None:
    assert vanity_key_for(first_name, "f8g9nl") is None


@given(st.text())
def test_a_generated_key_is_one_that_the_api_would_accept(first_name: str) -> None:
    key = vanity_key_for(first_name, "f8g9nl")

    assert key is None or ALLOWED.fullmatch(key)
    assert key is None or len(key) <= LONGEST_VANITY_KEY


@pytest.mark.parametrize(
    ("base", "link"),
    [
        ("https://example.com", "https://example.com?grsf=f8g9nl"),
        ("https://example.com/", "https://example.com/?grsf=f8g9nl"),
        ("https://example.com/join?ref=1", "https://example.com/join?ref=1&grsf=f8g9nl"),
        ("https://example.com/a#top", "https://example.com/a?grsf=f8g9nl#top"),
        ("https://example.com/a?b=c#top", "https://example.com/a?b=c&grsf=f8g9nl#top"),
        (None, "?grsf=f8g9nl"),
    ],
)
def test_the_share_link_adds_the_key_to_the_campaigns_page(base: str | None, link: str) -> None:
    assert share_url(campaign(base), profile()) == link


def test_the_first_vanity_key_stands_in_the_share_link() -> None:
    link = share_url(campaign("https://example.com"), profile("first-key", "second-key"))

    assert dict(parse_qsl(urlsplit(link).query)) == {"grsf": "first-key"}
