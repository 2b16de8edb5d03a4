from __future__ import annotations

from collections import Counter
from copy import deepcopy
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from grapevine.engine.mechanics.moments import Moment, Save
from grapevine.errors import PlayLimitReached
from tests.unit.mechanics.samples import (
    DAY,
    NOON,
    Playing,
    event_count,
    instant_win,
    milestone,
    milestones,
    points,
    rule,
    tier,
)

GOLD, SILVER, BRONZE = (
    tier("gold", 10_000, points=500),
    tier("silver", 50_000, points=50),
    tier("bronze", 100_000, points=5),
)


def won(playing: Playing) -> list[str | None]:
    return [outcome.event.tier_won for outcome in playing.outcomes]


def limits(plays: dict[str, int] | None = None, wins: int | None = None) -> dict[str, Any]:
    return {"playsPerUser": plays or {}, "winsPerUser": {"total": wins}}


# Which tier


@pytest.mark.parametrize(
    ("draw", "expected"),
    [
        (0, "gold"),
        (9_999, "gold"),
        (10_000, "silver"),
        (59_999, "silver"),
        (60_000, "bronze"),
        (159_999, "bronze"),
        (160_000, None),
        (999_999, None),
    ],
)
def test_tiers_have_their_shares_of_the_million_in_the_order_of_the_list(
    draw: int, expected: str | None
) -> None:
    playing = Playing(instant_win(GOLD, SILVER, BRONZE))

    outcome = playing.send("play", draw=draw)

    assert (outcome.win.tier_id if outcome.win else None) == expected
    assert (outcome.event.draw_value, outcome.event.tier_hit) == (draw, expected)
    assert outcome.event.tier_won == expected
    assert outcome.event.downgrade is None


def test_a_tier_without_odds_is_never_hit() -> None:
    playing = Playing(instant_win(tier("never", 0), tier("ever", 1_000_000)))

    assert [playing.send("play", draw=draw).event.tier_won for draw in (0, 999_999)] == [
        "ever",
        "ever",
    ]


def test_a_win_says_what_to_take_and_what_its_code_is_worth() -> None:
    playing = Playing(
        instant_win(
            tier("t", 1_000_000, points=500, credit="on_redeem", inventory=3, perDay=2),
            winCode={"expiresInDays": 10},
        )
    )

    outcome = playing.send("play", draw=0)

    assert outcome.win is not None
    assert (outcome.win.per_day, outcome.win.day) == (2, 20250715)
    assert (outcome.win.points, outcome.win.code_points) == (500, 500)
    assert outcome.win.expires_at == NOON + 10 * DAY
    assert outcome.total_points == 0
    assert outcome.lines == ()
    assert outcome.message == "Congratulations! You won the T prize!"


def test_a_prize_without_stock_or_day_takes_from_no_counter() -> None:
    outcome = Playing(instant_win(tier("t", 1_000_000))).send("play", draw=0)

    assert outcome.win is not None
    assert outcome.win.per_day is None


# Whether an event plays


@pytest.mark.parametrize(
    ("event_type", "trust", "enabled", "plays"),
    [
        ("play", "server", True, True),
        ("play", "client", True, False),
        ("buy", "server", True, False),
        ("play", "server", False, False),
    ],
)
def test_only_a_trusted_event_of_a_named_type_plays(
    event_type: str, trust: Any, enabled: bool, plays: bool
) -> None:
    playing = Playing(instant_win(tier("t", 1_000_000), enabled=enabled))

    outcome = playing.send(event_type, draw=0, trust=trust)

    assert outcome.played is plays
    assert (outcome.win is not None) is plays
    assert outcome.has_instant_win is enabled
    assert outcome.event.played is plays
    assert ("plays" in playing.player.counters) is plays


def test_a_client_may_play_where_the_campaign_says_so() -> None:
    playing = Playing(instant_win(tier("t", 1_000_000), requireTrust="client"))

    assert playing.send("play", draw=0, trust="client").win is not None


def test_without_an_instant_win_the_answer_has_nothing_of_it() -> None:
    outcome = Playing(points()).send("play", draw=0)

    assert not outcome.has_instant_win
    assert outcome.message is None


def test_a_preview_draws_nothing_and_counts_no_play() -> None:
    playing = Playing(instant_win(tier("t", 1_000_000), limits=limits({"total": 1})))

    outcome = playing.send("play", draw=None)

    assert not outcome.played
    assert outcome.win is None
    assert playing.player.counters == {}


# Play limits


def test_i3_a_player_draws_as_often_as_the_limit_says_and_is_then_rejected() -> None:
    playing = Playing(instant_win(GOLD, limits=limits({"total": 2})))
    playing.send("play")
    playing.send("play")
    before = deepcopy(playing.player)

    with pytest.raises(PlayLimitReached):
        playing.send("play")

    assert playing.player == before


def test_i3_where_the_limit_skips_the_event_earns_and_does_not_draw() -> None:
    configuration = instant_win(
        tier("t", 1_000_000, points=500), limits=limits({"total": 1}), onPlayLimit="skip"
    ).model_copy(update={"points": points(rule("r", "play", 10)).points})
    playing = Playing(configuration)
    playing.send("play", draw=0)

    outcome = playing.send("play", draw=0)

    assert outcome.points_earned == 10
    assert not outcome.played
    assert outcome.event.draw_value is None
    assert outcome.message == "This event does not include a play"


def test_i3_a_days_limit_ends_with_the_day_and_the_total_does_not() -> None:
    playing = Playing(instant_win(GOLD, limits=limits({"day": 2, "total": 5}), onPlayLimit="skip"))
    played = []
    for _ in range(4):
        played.append(sum(playing.send("play").played for _ in range(3)))
        playing.now += DAY

    assert played == [2, 2, 1, 0]


def test_an_event_that_does_not_play_is_not_rejected_for_the_limit() -> None:
    playing = Playing(instant_win(GOLD, limits=limits({"total": 1})))
    playing.send("play")

    assert not playing.send("buy").played
    assert not playing.send("play", trust="client").played


def with_extra_plays(plays: dict[str, int]) -> Playing:
    """Each `buy` brings one more play."""
    gift = milestone("gift", event_count("buy"), 1, repeat=True, extraPlays=1)
    configuration = instant_win(GOLD, limits=limits(plays), onPlayLimit="skip")
    return Playing(configuration.model_copy(update={"milestones": milestones(gift).milestones}))


def test_i3_extra_plays_come_on_top_of_the_limit() -> None:
    playing = with_extra_plays({"total": 2})
    played = [playing.send("play").played for _ in range(3)]
    playing.send("buy")
    playing.send("buy")

    played += [playing.send("play").played for _ in range(3)]

    assert played == [True, True, False, True, True, False]


def test_i3_extra_plays_are_kept_as_long_as_the_limit_allows_a_play() -> None:
    playing = with_extra_plays({"day": 1})
    playing.send("buy")
    played = [playing.send("play").played]
    playing.now += DAY
    played += [playing.send("play").played for _ in range(3)]
    playing.now += DAY
    played += [playing.send("play").played for _ in range(2)]

    assert played == [True, True, True, False, True, False]


def test_extra_plays_of_an_event_are_for_the_events_after_it() -> None:
    gift = milestone("gift", event_count("play"), 2, extraPlays=1)
    configuration = instant_win(GOLD, limits=limits({"total": 1}), onPlayLimit="skip")
    playing = Playing(configuration.model_copy(update={"milestones": milestones(gift).milestones}))

    assert [playing.send("play").played for _ in range(4)] == [True, False, True, False]


@given(
    total=st.integers(1, 8),
    day=st.integers(1, 4),
    steps=st.lists(st.sampled_from(["play", "buy", "night"]), max_size=40),
)
def test_i3_no_player_draws_more_than_the_limits_and_the_plays_that_were_given(
    total: int, day: int, steps: list[str]
) -> None:
    playing = with_extra_plays({"total": total, "day": day})
    draws: Counter[int] = Counter()
    given_plays = 0
    for step in steps:
        if step == "night":
            playing.now += DAY
            continue
        given_plays += step == "buy"
        draws[(playing.now - NOON) // DAY] += playing.send(step).played

    assert draws.total() <= total + given_plays
    assert all(drawn <= day + given_plays for drawn in draws.values())
    assert playing.player.counters.get("plays", {}).get("extra", 0) >= 0


# Limits on wins


def test_i4_a_player_wins_a_tier_as_often_as_it_says() -> None:
    playing = Playing(instant_win(tier("t", 1_000_000, perUser=2, points=1)))

    outcomes = [playing.send("play", draw=7) for _ in range(3)]

    assert won(playing) == ["t", "t", None]
    assert outcomes[2].event.tier_hit == "t"
    assert outcomes[2].event.downgrade == "per_user"
    assert outcomes[2].played
    assert outcomes[2].message == "Better luck next time!"


def test_i4_a_player_wins_in_all_as_often_as_the_campaign_says() -> None:
    playing = Playing(instant_win(GOLD, SILVER, BRONZE, limits=limits(wins=2)))

    outcomes = [playing.send("play", draw=draw) for draw in (0, 10_000, 60_000)]

    assert won(playing) == ["gold", "silver", None]
    assert outcomes[2].event.downgrade == "wins_per_user"


def test_i4_a_tier_whose_day_is_spent_is_a_loss_whatever_happens_to_sold_out_ones() -> None:
    playing = Playing(instant_win(GOLD, SILVER, onSoldOut="next_tier"))

    outcome = playing.send("play", draw=0, spent_today=("gold",))

    assert outcome.win is None
    assert outcome.event.downgrade == "per_day"


@given(
    draws=st.lists(st.integers(0, 200_000), max_size=30),
    per_user=st.integers(1, 3),
    wins=st.integers(1, 4),
    sold_out=st.sets(st.sampled_from(["gold", "silver", "bronze"])),
    policy=st.sampled_from(["lose", "next_tier", "redistribute"]),
)
def test_i4_no_player_wins_more_than_the_limits_whatever_is_sold_out(
    draws: list[int], per_user: int, wins: int, sold_out: set[str], policy: str
) -> None:
    tiers = [{**one, "perUser": per_user} for one in (GOLD, SILVER, BRONZE)]
    playing = Playing(instant_win(*tiers, limits=limits(wins=wins), onSoldOut=policy))
    for draw in draws:
        playing.send("play", draw=draw, sold_out=tuple(sold_out))

    by_tier = Counter(tier_id for tier_id in won(playing) if tier_id)
    assert by_tier.total() <= wins
    assert all(count <= per_user for count in by_tier.values())
    assert not sold_out & by_tier.keys()


# Sold out


@pytest.mark.parametrize(
    ("policy", "sold_out", "draw", "expected"),
    [
        ("lose", ("gold",), 0, None),
        ("lose", ("gold",), 10_000, "silver"),
        ("next_tier", ("gold",), 0, "silver"),
        ("next_tier", ("gold", "silver"), 0, "bronze"),
        ("next_tier", ("gold", "silver"), 10_000, "bronze"),
        ("next_tier", ("bronze",), 60_000, None),
        ("next_tier", ("gold", "silver", "bronze"), 0, None),
        ("next_tier", ("gold",), 160_000, None),
        ("redistribute", ("silver",), 10_000, "gold"),
        ("redistribute", ("silver",), 59_999, "bronze"),
        ("redistribute", ("bronze",), 60_000, "gold"),
        ("redistribute", ("gold", "bronze"), 9_999, "silver"),
        ("redistribute", ("gold", "silver", "bronze"), 0, None),
        ("redistribute", ("silver",), 160_000, None),
        ("redistribute", ("silver",), 0, "gold"),
    ],
)
def test_a_hit_of_a_sold_out_tier_becomes_what_is_configured(
    policy: str, sold_out: tuple[str, ...], draw: int, expected: str | None
) -> None:
    playing = Playing(instant_win(GOLD, SILVER, BRONZE, onSoldOut=policy))

    outcome = playing.send("play", draw=draw, sold_out=sold_out)

    assert outcome.event.tier_won == expected
    hit_sold_out = outcome.event.tier_hit in sold_out
    assert (outcome.event.downgrade == "sold_out") is hit_sold_out


def test_a_redistributed_share_goes_to_the_others_in_proportion_to_their_odds() -> None:
    playing = Playing(instant_win(GOLD, SILVER, BRONZE, onSoldOut="redistribute"))
    counted: Counter[str | None] = Counter(
        playing.send("play", draw=draw, sold_out=("silver",)).event.tier_won
        for draw in range(10_000, 60_000, 50)
    )

    # A thousand draws of silver's share: gold and bronze have 1 to 10.
    assert counted["gold"] == pytest.approx(1000 / 11, abs=1)
    assert counted["bronze"] == pytest.approx(10_000 / 11, abs=1)


def test_what_a_sold_out_tier_becomes_keeps_to_the_players_limits() -> None:
    playing = Playing(instant_win(GOLD, {**SILVER, "perUser": 1}, onSoldOut="next_tier"))
    playing.send("play", draw=10_000)

    outcome = playing.send("play", draw=0, sold_out=("gold",))

    assert outcome.win is None
    assert outcome.event.downgrade == "per_user"


# Moments


def by_moments(*tiers: dict[str, Any], **more: Any) -> Playing:
    configuration = instant_win(*tiers, mode="moments", **more)
    return Playing(configuration)


def moment(tier_id: str, number: int = 0) -> Moment:
    save = Save(save_id="save_1", version=3, secret_number=2)
    return Moment(save=save, tier_id=tier_id, number=number, at=NOON - 1000 + number)


def test_the_oldest_moment_is_won() -> None:
    playing = by_moments(tier("a", inventory=2, points=5), tier("b", inventory=2))

    outcome = playing.send("play", draw=None, moments=[moment("a", 1), moment("b", 0)])

    assert outcome.win is not None
    assert outcome.win.moment == moment("a", 1)
    assert outcome.win.per_day is None
    assert (outcome.event.tier_hit, outcome.event.tier_won) == ("a", "a")
    assert outcome.event.draw_value is None
    event = outcome.event
    assert (event.moment_at, event.moment_number) == (NOON - 999, 1)
    assert (event.moment_version, event.secret_number) == (3, 2)
    assert outcome.total_points == 5


def test_without_a_moment_a_play_loses() -> None:
    playing = by_moments(tier("a", inventory=2))

    outcome = playing.send("play", draw=5, moments=[])

    assert outcome.played
    assert outcome.win is None
    assert outcome.event.draw_value is None


def test_a_preview_of_moments_draws_nothing() -> None:
    playing = by_moments(tier("a", inventory=2))

    assert not playing.send("play", draw=5, moments=None).played


def test_i4_a_moment_that_a_player_may_not_win_is_left_to_others() -> None:
    playing = by_moments(tier("a", inventory=3, perUser=1), tier("b", inventory=1))
    open_ones = [moment("a", 1), moment("b", 0), moment("a", 2)]
    playing.send("play", moments=[moment("a", 0), *open_ones])

    second = playing.send("play", moments=open_ones)
    third = playing.send("play", moments=[moment("a", 1), moment("a", 2)])

    assert second.win is not None
    assert second.win.moment == moment("b", 0)
    assert third.win is None
    assert third.event.played
    assert (third.event.tier_hit, third.event.downgrade) == (None, None)


def test_a_moment_of_a_tier_that_is_gone_is_passed_over() -> None:
    playing = by_moments(tier("a", inventory=1))

    outcome = playing.send("play", moments=[moment("gone"), moment("a")])

    assert outcome.win is not None
    assert outcome.win.tier_id == "a"
