"""By what participants are recognised: addresses that stand for one, and who was seen with it."""

from __future__ import annotations

import pytest

from grapevine.engine.fraud.emails import one_apart
from grapevine.engine.fraud.patterns import (
    identity_of,
)
from grapevine.table.fraud import MOST_SIGHTINGS, Sighting, Trait


@pytest.mark.parametrize(
    ("address", "identity_"),
    [
        ("203.0.113.7", "203.0.113.7"),
        ("::ffff:203.0.113.7", "203.0.113.7"),
        ("2001:db8::5", "2001:db8::/64"),
        ("192.168.1.1", None),
        ("::1", None),
        (" ", None),
        (" Proxy-1 ", "proxy-1"),
    ],
)
def test_an_address_stands_for_a_household(address: str, identity_: str | None) -> None:
    assert identity_of(address) == identity_


@pytest.mark.parametrize(
    ("first", "second", "apart"),
    [
        ("abc", "abc", False),
        ("abc", "abd", True),
        ("abc", "ab", True),
        ("abc", "xabc", True),
        ("abcd", "acbd", True),
        ("abcd", "badc", False),
        ("abc", "abcde", False),
        ("", "a", True),
    ],
)
def test_one_mistake_apart(first: str, second: str, *, apart: bool) -> None:
    assert one_apart(first, second) == one_apart(second, first) == apart


def test_a_trait_keeps_the_newest_and_nobody_twice() -> None:
    trait = Trait(campaign_id="c", trait_hash="h")

    for number in range(MOST_SIGHTINGS + 2):
        trait = trait.including(Sighting(number, f"p{number}", None))
    trait = trait.including(Sighting(999, "p50", "ref"))

    assert len(trait.sightings) == MOST_SIGHTINGS
    assert trait.sightings[0].participant_id == "p2"
    assert [each for each in trait.sightings if each.participant_id == "p50"] == [
        Sighting(999, "p50", "ref")
    ]


def test_whoever_leaves_is_taken_out_of_a_trait() -> None:
    trait = Trait(campaign_id="c", trait_hash="h").including(Sighting(1, "p1", None))

    assert trait.without("p1").seen == ()
