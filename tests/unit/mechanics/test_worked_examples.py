"""The worked examples of the specification, and the seed's answer."""

from __future__ import annotations

from copy import deepcopy
from decimal import Decimal

import pytest

from grapevine.engine.mechanics.configuration import parse
from grapevine.errors import PlayLimitReached
from tests.unit.mechanics.samples import (
    DAY,
    LOSES,
    Playing,
    event_count,
    milestone,
    milestones,
    points,
    rule,
    summer_promo,
)

GOLD = 5_000
SILVER = 10_000
AMOUNT = {"amount": Decimal("49.99"), "product": "premium_plan"}


@pytest.fixture
def playing() -> Playing:
    return Playing(parse(summer_promo()))


def test_1_a_sign_up_earns_and_does_not_play(playing: Playing) -> None:
    outcome = playing.send("signup")

    assert (outcome.points_earned, outcome.total_points) == (50, 50)
    assert outcome.has_instant_win
    assert not outcome.played
    assert outcome.win is None
    assert outcome.message == "This event does not include a play"


def test_2_a_purchase_earns_plays_and_loses(playing: Playing) -> None:
    playing.send("signup")

    outcome = playing.send("purchase", {"amount": Decimal("20.00")}, draw=LOSES)

    assert (outcome.points_earned, outcome.total_points) == (100, 150)
    assert outcome.played
    assert outcome.win is None
    assert outcome.message == "Better luck next time!"


def test_3_the_seeds_answer_where_wins_are_paid_at_once(playing: Playing) -> None:
    playing.send("signup")
    playing.send("purchase", {"amount": Decimal("20.00")})

    outcome = playing.send("purchase", AMOUNT, draw=GOLD)

    assert outcome.win is not None
    assert (outcome.points_earned, outcome.total_points) == (100, 750)
    assert (outcome.win.tier_name, outcome.win.points) == ("Gold", 500)
    assert outcome.message == "Congratulations! You won the Gold prize!"
    assert outcome.win.code_points == 0
    assert outcome.milestones == ()
    assert playing.ledger == [
        ("rule:signup", 50),
        ("rule:purchase-flat", 100),
        ("rule:purchase-flat", 100),
        ("instant_win:gold", 500),
    ]


def test_3_the_seeds_answer_where_wins_are_paid_by_their_code() -> None:
    body = summer_promo()
    body["instantWin"]["tiers"][0]["credit"] = "on_redeem"
    body["milestones"] = []
    body["points"]["rules"].append(rule("start", "start", 650))
    playing = Playing(parse(body))
    playing.send("start")

    outcome = playing.send("purchase", AMOUNT, draw=GOLD)

    assert outcome.win is not None
    assert (outcome.points_earned, outcome.total_points) == (100, 750)
    assert (outcome.win.tier_name, outcome.win.points) == ("Gold", 500)
    assert outcome.win.code_points == 500
    assert playing.ledger[-1] == ("rule:purchase-flat", 100)


def test_4_the_same_event_judged_again_comes_to_the_same(playing: Playing) -> None:
    before = playing.player
    first = playing.send("purchase", AMOUNT, draw=GOLD)

    again = Playing(playing.configuration)
    again.player = before
    second = again.send("purchase", AMOUNT, draw=GOLD)

    assert second == first


def test_5_a_purchase_below_the_rules_amount_earns_nothing_and_plays(playing: Playing) -> None:
    outcome = playing.send("purchase", {"amount": Decimal("5.00")}, draw=SILVER)

    assert outcome.points_earned == 0
    assert outcome.played
    assert outcome.win is not None
    assert outcome.total_points == 50


def test_6_the_eleventh_event_that_plays_is_rejected(playing: Playing) -> None:
    for _ in range(10):
        playing.send("purchase", AMOUNT)
        playing.now += DAY
    before = deepcopy(playing.player)

    with pytest.raises(PlayLimitReached, match="User has exceeded maximum plays"):
        playing.send("purchase", AMOUNT)

    assert playing.player == before


@pytest.mark.parametrize(("rounding", "expected"), [("floor", 99), ("nearest", 100), ("ceil", 100)])
def test_7_points_per_unit_are_rounded_once(rounding: str, expected: int) -> None:
    award = {"type": "per_unit", "field": "amount", "unit": 1, "points": 2, "max": 1000}
    playing = Playing(points(rule("spend", "purchase", award), rounding=rounding))

    assert playing.earns("purchase", AMOUNT) == expected


def test_8_a_milestones_points_can_reach_the_next_one() -> None:
    total = {"type": "points_total"}
    playing = Playing(
        milestones(
            milestone("hundred", total, 100, points=50),
            milestone("more", total, 150, points=25),
            rules=(rule("buy", "purchase", 100),),
        )
    )

    outcome = playing.send("purchase")

    assert (outcome.points_earned, outcome.total_points) == (175, 175)
    assert [each.id for each in outcome.milestones] == ["hundred", "more"]
    assert [line.balance_after for line in outcome.lines] == [100, 150, 175]


def test_8_holds_whatever_the_order_of_the_list() -> None:
    total = {"type": "points_total"}
    playing = Playing(
        milestones(
            milestone("more", total, 150, points=25),
            milestone("hundred", total, 100, points=50),
            milestone("buys", event_count("purchase"), 1, points=0, badge="first"),
            rules=(rule("buy", "purchase", 100),),
        )
    )

    outcome = playing.send("purchase")

    assert outcome.total_points == 175
    assert [(each.id, each.badge) for each in outcome.milestones] == [
        ("more", None),
        ("hundred", None),
        ("buys", "first"),
    ]


def test_the_launch_week_doubles_purchases_only() -> None:
    playing = Playing(parse(summer_promo()))
    playing.now -= 40 * DAY

    assert playing.earns("purchase", AMOUNT) == 200
    assert playing.earns("daily_login") == 5
