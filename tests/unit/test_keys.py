from __future__ import annotations

from collections.abc import Callable
from itertools import combinations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from grapevine.table import (
    email_keys,
    event_keys,
    fraud_keys,
    keys,
    mechanics_keys,
    places,
    player_keys,
    rank_keys,
)
from grapevine.table.keys import Key

Builder = Callable[..., Key | str]

# Every builder that puts ids into a key, and how many it takes.
BUILDERS: dict[str, tuple[Builder, int]] = {
    "account": (keys.account, 1),
    "account_campaign": (keys.account_campaign, 2),
    "account_api_key": (keys.account_api_key, 2),
    "campaign_slug": (keys.campaign_slug, 2),
    "api_key": (keys.api_key, 1),
    "campaign": (keys.campaign, 1),
    "totals": (keys.totals, 1),
    "join_sequence": (keys.join_sequence, 1),
    "profile": (keys.profile, 2),
    "standing": (keys.standing, 2),
    "counted": (lambda campaign, one="id1": keys.counted(campaign, one, "Standing"), 2),
    "earnings": (keys.earnings, 2),
    "impressions": (keys.impressions, 2),
    "visitor": (keys.visitor, 3),
    "source_hour": (lambda campaign, one="id1": keys.source_hour(campaign, one, 7), 2),
    "salt": (keys.salt, 1),
    "impression_board": (keys.impression_board, 1),
    "unique_impression_board": (keys.unique_impression_board, 1),
    "earned_reward": (
        lambda campaign, one="id1": keys.earned_reward(campaign, one, 7),
        2,
    ),
    "reward_config": (keys.reward_config, 2),
    "calendar": (keys.calendar, 1),
    "month_closing": (lambda campaign: keys.month_closing(campaign, 24_322), 1),
    "month_snapshot": (lambda campaign: keys.month_snapshot(campaign, 24_322), 1),
    "webhook": (keys.webhook, 2),
    "webhook_health": (keys.webhook_health, 2),
    "webhook_event": (keys.webhook_event, 2),
    "webhook_payload_part": (
        lambda campaign, one="id1": keys.webhook_payload_part(campaign, one, 3),
        2,
    ),
    "delivery": (
        lambda campaign, one="id1", two="id1": keys.delivery(campaign, one, 5, two),
        3,
    ),
    "referral": (keys.referral, 3),
    "invite": (keys.invite, 3),
    "invitations": (keys.invitations, 2),
    "invite_day": (lambda campaign: keys.invite_day(campaign, 20_000), 1),
    "mail": (keys.mail, 2),
    "mail_text": (keys.mail_text, 2),
    "suppression": (keys.suppression, 2),
    "email_requests": (email_keys.email_requests, 2),
    "email_template": (email_keys.email_template, 2),
    "sender_identity": (lambda account: email_keys.sender_identity(account, "example.com"), 1),
    "mail_run": (lambda campaign, one="id1": email_keys.mail_run(campaign, one, 7), 2),
    "mechanics": (mechanics_keys.mechanics, 1),
    "mechanics_version": (lambda campaign: mechanics_keys.mechanics_version(campaign, 7), 1),
    "draw_secret": (lambda campaign: mechanics_keys.draw_secret(campaign, 7), 1),
    "receipt": (mechanics_keys.receipt, 2),
    "stock": (mechanics_keys.stock, 2),
    "stock_day": (
        lambda campaign, one="id1": mechanics_keys.stock_day(campaign, one, 20_261_125),
        2,
    ),
    "hidden_prizes": (mechanics_keys.hidden_prizes, 2),
    "hidden_prize": (
        lambda campaign, save="id1", one="id1": mechanics_keys.hidden_prize(
            campaign, save, 5, one, 7
        ),
        3,
    ),
    "player_count": (lambda campaign: mechanics_keys.player_count(campaign, 7), 1),
    "win_list": (mechanics_keys.win_list, 1),
    "code_secret": (mechanics_keys.code_secret, 1),
    "code": (mechanics_keys.code, 2),
    "code_batch": (lambda campaign, one="id1": mechanics_keys.code_batch(campaign, 5, one), 2),
    "inbox_event": (event_keys.inbox_event, 2),
    "inbox_receipt": (event_keys.inbox_receipt, 2),
    "player_link": (event_keys.player_link, 2),
    "code_count": (lambda campaign, one="id1": mechanics_keys.code_count(campaign, one, 3), 2),
    "code_attempts": (
        lambda account, one="id1": mechanics_keys.code_attempts(account, one, 7),
        2,
    ),
    "reversal": (lambda campaign, one="id1": player_keys.reversal(campaign, "user", one), 2),
    "trait": (fraud_keys.trait, 2),
    "fraud_report": (fraud_keys.fraud_report, 2),
    "fraud_list": (fraud_keys.fraud_list, 2),
    "referral_list": (places.referral_list, 1),
    "referral_list_with": (places.referral_list_with, 2),
    "moment": (lambda status: places.moment(status, 5), 1),
    "by_status": (lambda status, one="id1": places.by_status(status, 5, one), 2),
    "by_created": (lambda one: places.by_created(5, one), 1),
    "activity": (
        lambda campaign, one="id1", two="id1": places.activity(campaign, one, 5, two),
        3,
    ),
    "by_email": (lambda one: places.by_email("b@example.com", one), 1),
    "email_guard": (lambda campaign: keys.email_guard(campaign, "a@example.com"), 1),
    "key_guard": (keys.key_guard, 2),
    "metadata_pair": (keys.metadata_pair, 2),
    "metadata_entry": (keys.metadata_entry, 3),
    "all_time_board": (keys.all_time_board, 1),
    "month_board": (lambda campaign: keys.month_board(campaign, 24_322), 1),
    "join_order": (keys.join_order, 1),
    "visited": (keys.visited, 1),
    "player": (lambda campaign: player_keys.player(campaign, "user"), 1),
    "player_event": (
        lambda campaign, one="id1": player_keys.player_event(campaign, "user", one),
        2,
    ),
    "ledger_line": (
        lambda campaign, one="id1": player_keys.ledger_line(campaign, "user", 5, one, 1),
        2,
    ),
    "win": (lambda campaign, one="id1": player_keys.win(campaign, "user", 5, one), 2),
    "milestone_award": (
        lambda campaign, one="id1": player_keys.milestone_award(campaign, "user", one, 1),
        2,
    ),
    "milestone_awards": (
        lambda campaign, one="id1": "".join(player_keys.milestone_awards(campaign, "u", one)),
        2,
    ),
    "lines_of_event": (lambda one: player_keys.lines_of_event(5, one)[0], 1),
    "points_board": (player_keys.points_board, 1),
    "player_period": (
        lambda campaign, one="id1": player_keys.player_period(campaign, "user", one),
        2,
    ),
    "period_board": (lambda campaign, one="id1": player_keys.period_board(campaign, one, 7), 2),
    "rank_head": (rank_keys.rank_head, 1),
    "rank_journal": (lambda campaign: rank_keys.rank_journal(campaign, 1), 1),
    "rank_block": (lambda campaign: rank_keys.rank_block(campaign, 1, 0), 1),
    "rank_partitions": (lambda campaign: rank_keys.rank_partitions(campaign, 1)[0], 1),
    "rank_node": (lambda campaign: rank_keys.rank_node(campaign, 1, 0, 1, 0), 1),
    "points_head": (rank_keys.points_head, 2),
    "points_draft": (lambda campaign, one="id1": rank_keys.points_draft(campaign, one, 2), 2),
    "points_journal": (lambda campaign, one="id1": rank_keys.points_journal(campaign, one, 1), 2),
    "points_node": (
        lambda campaign, one="id1": rank_keys.points_node(campaign, one, 1, (3, 7)),
        2,
    ),
    "points_counted": (
        lambda campaign, one="id1": rank_keys.points_counted(campaign, one, 1, "user"),
        2,
    ),
    "points_partitions": (
        lambda campaign, one="id1": rank_keys.points_partitions(campaign, one, 1)[0],
        2,
    ),
}
IDS = st.from_regex(r"[A-Za-z0-9_-]{1,100}", fullmatch=True)
NOT_IDS = st.text(max_size=120).filter(lambda text: not keys.is_id(text))
CALLS = [
    pytest.param(builder, position, count, id=f"{name}-{position}")
    for name, (builder, count) in BUILDERS.items()
    for position in range(count)
]


def test_every_builder_is_looked_at_here() -> None:
    no_ids_inside = {
        "campaign_of_mail",
        "due_shard",
        "email_and_row_in",
        "first_created",
        "hidden_from",
        "hidden_to",
        "is_code",
        "is_delivery",
        "is_id",
        "is_user_id",
        "is_mail",
        "is_referral",
        "last_created",
        "last_with",
        "mail_pace",
        "month_end_shard",
        "owner_in",
        "participant_in",
        "place_of",
        "referred_in",
        "right_after",
        "row_id_in",
        "sort_at",
        "time_in",
        "user_in",
    }

    functions = {
        name
        for module in (
            email_keys,
            event_keys,
            fraud_keys,
            keys,
            mechanics_keys,
            places,
            player_keys,
            rank_keys,
        )
        for name, thing in vars(module).items()
        if name.islower() and getattr(thing, "__module__", None) == module.__name__
    }

    assert {name for name in functions if not name.startswith("_")} - no_ids_inside == set(BUILDERS)


@pytest.mark.parametrize(
    "text",
    ["a#b", "#", "", "a b", "a/b", "a\x00", "é", "a\n", "\n", "a" * 101, "%2F", "..", "a@b", "😀"],
)
@pytest.mark.parametrize(("builder", "position", "count"), CALLS)
def test_what_is_not_an_id_cannot_get_into_a_key(
    builder: Builder, position: int, count: int, text: str
) -> None:
    arguments = ["id1"] * count
    arguments[position] = text

    with pytest.raises(ValueError, match="not an id"):
        builder(*arguments)


@given(NOT_IDS, st.sampled_from(sorted(BUILDERS)))
def test_no_text_at_all_slips_through_that_is_not_an_id(text: str, name: str) -> None:
    builder, count = BUILDERS[name]

    with pytest.raises(ValueError, match="not an id"):
        builder(*["id1"] * (count - 1), text)


@given(st.text())
def test_an_email_address_cannot_make_a_guard_look_like_another_key(email: str) -> None:
    guard = keys.email_guard("camp01", email)

    assert guard.partition == "CAMPAIGN#camp01#EMAIL#" + email
    for builder, count in BUILDERS.values():
        other = builder(*["id1"] * count)
        assert guard != other


def test_no_two_kinds_of_items_share_a_key() -> None:
    built = {name: builder(*["same"] * count) for name, (builder, count) in BUILDERS.items()}

    for one, other in combinations(built, 2):
        assert built[one] != built[other], (one, other)


@given(campaigns=st.tuples(IDS, IDS), participants=st.tuples(IDS, IDS))
def test_keys_are_equal_only_for_equal_ids(
    campaigns: tuple[str, str], participants: tuple[str, str]
) -> None:
    one, other = zip(campaigns, participants, strict=True)

    assert (keys.profile(*one) == keys.profile(*other)) == (one == other)


@given(IDS)
def test_share_keys_are_compared_without_case(share_key: str) -> None:
    assert keys.key_guard("camp01", share_key.upper()) == keys.key_guard(
        "camp01", share_key.lower()
    )


@given(campaign=IDS, participant=IDS)
def test_the_participant_can_be_read_from_the_partition(campaign: str, participant: str) -> None:
    assert keys.participant_in(keys.standing(campaign, participant).partition) == participant


@given(campaign=IDS, referrer=IDS, referred=IDS)
def test_the_referred_participant_can_be_read_from_a_referrals_sort_key(
    campaign: str, referrer: str, referred: str
) -> None:
    assert keys.referred_in(keys.referral(campaign, referrer, referred).sort) == referred


def test_a_referral_lives_with_its_referrer() -> None:
    referral = keys.referral("camp01", "referrer", "friend")

    assert referral.partition == keys.standing("camp01", "referrer").partition


USER_IDS = st.text(min_size=1, max_size=100).filter(lambda text: bool(text.strip()))


@given(users=st.tuples(USER_IDS, USER_IDS))
def test_a_user_id_may_be_any_text_and_keeps_to_its_own_partition(users: tuple[str, str]) -> None:
    one, other = (player_keys.player("camp01", user) for user in users)

    assert (one == other) == (users[0] == users[1])
    assert player_keys.user_in(one.partition) == users[0]
    assert one.partition.count("#") == 3
    assert len(one.partition.encode()) < 2048


@pytest.mark.parametrize("user_id", ["", "  ", "\n", "a" * 101, "\ud800"])
def test_what_is_no_user_id_cannot_get_into_a_key(user_id: str) -> None:
    with pytest.raises(ValueError, match=r"not a user id|surrogates not allowed"):
        player_keys.player("camp01", user_id)


def test_the_lines_of_one_event_sort_in_their_order_and_those_of_events_by_time() -> None:
    lines = [
        player_keys.ledger_line("camp01", "user", at, event_id, number).sort
        for at, event_id, number in [(9, "e2", 0), (10, "e1", 0), (10, "e1", 9), (10, "e1", 10)]
    ]

    assert lines == sorted(lines)


@given(st.text(max_size=130))
def test_what_is_not_a_place_cannot_get_into_a_range(text: str) -> None:
    try:
        sort = player_keys.sort_at("WIN#", text)
    except ValueError:
        return
    assert player_keys.place_of(sort) == text
    assert "WIN#" <= sort <= player_keys.last_with("WIN#")


def test_a_place_leads_back_to_its_line() -> None:
    line = player_keys.ledger_line("camp01", "user", 5, "evt_1", 7)
    first, last = player_keys.lines_of_event(5, "evt_1")

    assert (
        player_keys.sort_at(player_keys.LEDGER_PREFIX, player_keys.place_of(line.sort)) == line.sort
    )
    assert first < line.sort < last
    assert not first < player_keys.ledger_line("camp01", "user", 5, "evt_10", 7).sort < last
