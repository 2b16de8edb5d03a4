"""Who earns what: by credits, by joining, by the end of a campaign, and over months and years."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import pytest

from grapevine import runtime
from grapevine.engine import credit
from grapevine.engine.month_end.calendar import IN_FLIGHT_MS
from grapevine.engine.participants.lookup import locate
from grapevine.table import keys, store
from grapevine.table.campaigns import Campaign
from local.stack import Stack
from tests.api import Api, Json
from tests.reward_stories import MANUAL, Program, received, stack_with_receivers, time_of
from tests.scenarios import DAY_MS, HOUR_MS, advance, drain, friends_of, leap

Credits = list[tuple[str, int]]


@pytest.fixture
def program(stack: Stack, api: Api) -> Program:
    return Program.begin(stack, api)


@pytest.fixture
def timed(fresh_stack: Stack) -> Iterator[Program]:
    """A program on a stack whose clock the test may move."""
    with Api(fresh_stack.url, fresh_stack.api_key) as client:
        yield Program.begin(fresh_stack, client)


@dataclass(frozen=True, slots=True)
class Example:
    """One reward, credits at some times, and the numbers of the credits that earn it."""

    reward: Json
    credits: Credits
    earning: list[int]


ALL_AT_ONCE = "2031-05-10"

# growsurf D.3, by its numbers; 9 and 10 have tests of their own. Below them, what it implies.
EXAMPLES = {
    "1: every credit earns": Example(
        {"type": "SINGLE_SIDED", "conversionsRequired": 1}, [(ALL_AT_ONCE, 3)], [1, 2, 3]
    ),
    "2: a limit of one": Example(
        {"type": "SINGLE_SIDED", "isUnlimited": False, "limit": 1}, [(ALL_AT_ONCE, 3)], [1]
    ),
    "3: every third, twice": Example(
        {"type": "SINGLE_SIDED", "conversionsRequired": 3, "isUnlimited": False, "limit": 2},
        [(ALL_AT_ONCE, 10)],
        [3, 6],
    ),
    "4: twice a month": Example(
        {
            "type": "SINGLE_SIDED",
            "isUnlimited": False,
            "limit": 2,
            "limitDuration": "PER_MONTH",
        },
        [("2031-05-10", 3), ("2031-06-10", 1)],
        [1, 2, 4],
    ),
    "5: for both, once": Example(
        {"type": "DOUBLE_SIDED", "isUnlimited": False, "limit": 1}, [(ALL_AT_ONCE, 2)], [1]
    ),
    "6: for both, every second": Example(
        {"type": "DOUBLE_SIDED", "conversionsRequired": 2}, [(ALL_AT_ONCE, 4)], [2, 4]
    ),
    "7a: a milestone of 5": Example(
        {"type": "MILESTONE", "conversionsRequired": 5}, [(ALL_AT_ONCE, 12)], [5]
    ),
    "7b: a milestone of 10": Example(
        {"type": "MILESTONE", "conversionsRequired": 10}, [(ALL_AT_ONCE, 12)], [10]
    ),
    "8: a milestone a month": Example(
        {"type": "MILESTONE", "conversionsRequired": 3, "limitDuration": "PER_MONTH"},
        [("2031-05-10", 4), ("2031-06-10", 2), ("2031-07-10", 3)],
        [3, 9],
    ),
    "once a year, over its end": Example(
        {"type": "SINGLE_SIDED", "isUnlimited": False, "limit": 1, "limitDuration": "PER_YEAR"},
        [("2031-11-30", 2), ("2031-12-31", 1), ("2032-01-01", 2), ("2032-12-31", 1)],
        [1, 4],
    ),
    "a milestone a year": Example(
        {"type": "MILESTONE", "conversionsRequired": 3, "limitDuration": "PER_YEAR"},
        [("2031-02-10", 2), ("2031-12-10", 2), ("2032-01-10", 2), ("2032-06-10", 1)],
        [3, 7],
    ),
    "every second of a month starts anew with it": Example(
        {"type": "SINGLE_SIDED", "conversionsRequired": 2, "limitDuration": "PER_MONTH"},
        [("2031-05-10", 3), ("2031-06-10", 2)],
        [2, 5],
    ),
    "the same month of another year is another month": Example(
        {
            "type": "SINGLE_SIDED",
            "isUnlimited": False,
            "limit": 1,
            "limitDuration": "PER_MONTH",
        },
        [("2031-05-31", 2), ("2032-05-01", 2)],
        [1, 3],
    ),
    "a limit of none": Example(
        {"type": "SINGLE_SIDED", "isUnlimited": False, "limit": 0}, [(ALL_AT_ONCE, 2)], []
    ),
    "a limit that is ignored": Example(
        {"type": "SINGLE_SIDED", "isUnlimited": True, "limit": 1}, [(ALL_AT_ONCE, 2)], [1, 2]
    ),
    "no leaderboard by credits": Example({"type": "LEADERBOARD"}, [(ALL_AT_ONCE, 2)], []),
}


@pytest.mark.parametrize("name", EXAMPLES)
def test_a_reward_is_earned_by_the_credits_of_its_example(timed: Program, name: str) -> None:
    example = EXAMPLES[name]
    kind = example.reward["type"]
    offered = timed.offer(kind, **{k: v for k, v in example.reward.items() if k != "type"})
    referrer, friends = timed.join(), []

    for day, number in example.credits:
        leap(timed.stack, time_of(day))
        friends += timed.credit(referrer, number)

    expected = [friends[number - 1] for number in example.earning]
    earned = timed.earned(referrer)
    assert [one["referredId"] for one in earned] == expected
    assert {one["rewardId"] for one in earned} <= {offered}
    assert all(one["isReferrer"] and one["referrerId"] == referrer for one in earned)
    halves = {friend: timed.earned(friend) for friend in friends}
    rewarded = expected if kind == "DOUBLE_SIDED" else []
    assert [friend for friend in friends if halves[friend]] == rewarded
    for friend in rewarded:
        [half] = halves[friend]
        assert half["isReferrer"] is False
        assert (half["referrerId"], half["referredId"]) == (referrer, friend)


def test_several_rewards_are_earned_side_by_side_in_their_order(program: Program) -> None:
    tenth = program.offer("MILESTONE", conversionsRequired=10, order=3)
    fifth = program.offer("MILESTONE", conversionsRequired=5, order=2)
    every = program.offer("SINGLE_SIDED", conversionsRequired=5, order=1)
    last = program.offer("SINGLE_SIDED", conversionsRequired=10)
    referrer = program.join()

    program.credit(referrer, 12)

    kinds = [one["rewardId"] for one in program.earned(referrer)]
    assert kinds == [every, fifth, every, tenth, last]


# --- Example 9: leaderboards --------------------------------------------------------------------


def winners(program: Program, reward: str) -> list[str]:
    """The ids of those who have earned it, the best ranked first."""
    rows = sorted(program.api.all_pages(program.id, 100), key=lambda row: int(row["rank"]))
    return [row["id"] for row in rows if reward in {one["rewardId"] for one in row["rewards"]}]


def end(program: Program) -> None:
    program.api.set_status(program.id, "COMPLETE")
    drain(program.api)
    advance(program.api, IN_FLIGHT_MS)
    drain(program.api)


def referrers(program: Program, *counts: int) -> list[str]:
    people = [program.join() for _ in counts]
    for person, count in zip(people, counts, strict=True):
        program.credit(person, count)
    return people


def test_the_three_best_win_the_leaderboard_and_of_two_equal_ones_the_earlier_is_better(
    program: Program,
) -> None:
    reward = program.offer("LEADERBOARD")
    fourth, second, first, third = referrers(program, 4, 7, 9, 7)

    end(program)

    assert winners(program, reward) == [first, second, third]
    for place, person in enumerate([first, second, third, fourth], start=1):
        assert program.api.read(program.id, person)["rank"] == place
        assert len(program.earned(person)) == int(place < 4)
    [won] = program.earned(first)
    assert (won["referrerId"], won["referredId"], won["isReferrer"]) == (first, None, True)


def test_of_three_equal_ones_the_two_who_joined_first_win(program: Program) -> None:
    reward = program.offer("LEADERBOARD", numberOfWinners=2)
    people = referrers(program, 1, 1, 1)

    end(program)

    assert winners(program, reward) == people[:2]


def test_somebody_without_a_referral_never_wins(program: Program) -> None:
    reward = program.offer("LEADERBOARD", numberOfWinners=5)
    [only, *_] = referrers(program, 1, 0, 0)

    end(program)

    assert winners(program, reward) == [only]


def test_a_leaderboard_of_no_winners_is_won_by_nobody(program: Program) -> None:
    reward = program.offer("LEADERBOARD", numberOfWinners=0)
    referrers(program, 2)

    end(program)

    assert winners(program, reward) == []


def test_a_campaign_without_participants_ends(program: Program) -> None:
    program.offer("LEADERBOARD")

    end(program)

    assert program.api.read_campaign(program.id)["winnerCount"] == 0


def test_the_winners_of_the_first_end_stay_when_a_campaign_is_resumed_and_ends_again(
    program: Program,
) -> None:
    reward = program.offer("LEADERBOARD", numberOfWinners=1)
    first, second = referrers(program, 2, 1)
    end(program)

    program.api.set_status(program.id, "IN_PROGRESS")
    program.credit(second, 3)
    end(program)

    assert program.api.read(program.id, second)["rank"] == 1
    assert winners(program, reward) == [first]
    assert len(program.earned(first)) == 1


def test_a_leaderboard_that_is_offered_after_the_first_end_is_won_at_the_second(
    program: Program,
) -> None:
    [best] = referrers(program, 1)
    end(program)
    program.api.set_status(program.id, "IN_PROGRESS")

    reward = program.offer("LEADERBOARD")
    end(program)

    assert winners(program, reward) == [best]


def test_leaderboards_that_are_hidden_deleted_or_of_a_month_give_nothing_at_the_end(
    program: Program,
) -> None:
    program.offer("LEADERBOARD", isVisible=False)
    program.offer("LEADERBOARD", limitDuration="PER_MONTH")
    gone = program.offer("LEADERBOARD")
    program.api.ok("DELETE", f"{program.path}/reward-configs/{gone}")
    [best] = referrers(program, 1)

    end(program)

    assert program.earned(best) == []
    assert program.api.read(program.id, best)["isWinner"] is False


def test_a_campaign_that_is_resumed_before_its_end_is_settled_gives_nothing(
    program: Program,
) -> None:
    reward = program.offer("LEADERBOARD")
    referrers(program, 1)

    program.api.set_status(program.id, "COMPLETE")
    program.api.set_status(program.id, "IN_PROGRESS")
    drain(program.api)

    assert winners(program, reward) == []


def test_a_credit_that_is_on_its_way_when_the_campaign_ends_still_decides_who_wins(
    program: Program,
) -> None:
    reward = program.offer("LEADERBOARD", numberOfWinners=1)
    first, second = referrers(program, 1, 1)
    friends = friends_of(program.stack, program.id, second, 1)
    with runtime.using(program.stack.runtime()):
        seen_live = Campaign.from_item(store.get(keys.campaign(program.id)) or {})
    program.api.set_status(program.id, "COMPLETE")
    drain(program.api)

    with runtime.using(program.stack.runtime()):
        assert credit.trigger(seen_live, locate(program.id, friends[0]), None).success
    advance(program.api, IN_FLIGHT_MS)
    drain(program.api)

    assert winners(program, reward) == [second]
    assert program.earned(first) == []


def test_a_deleted_participant_wins_nothing(program: Program) -> None:
    reward = program.offer("LEADERBOARD", numberOfWinners=1)
    best, other = referrers(program, 2, 1)

    program.api.delete(program.id, best)
    end(program)

    assert winners(program, reward) == [other]


# --- Example 10: manual approval ----------------------------------------------------------------


def test_manual_approval_tells_of_a_reward_twice(engine: str) -> None:
    with stack_with_receivers(engine) as stack, Api(stack.url, stack.api_key) as api:
        program = Program.begin(stack, api, options=MANUAL)
        program.listen("ten", ["PARTICIPANT_REACHED_A_GOAL"])
        program.offer()
        referrer = program.join()

        program.credit(referrer, 1)
        drain(api)
        [before] = program.earned(referrer)
        program.change("approve", before["id"])
        drain(api)

        told = [event["data"]["reward"] for event in received(stack, "ten")]
        assert [reward["approved"] for reward in told] == [False, True]
        assert {reward["id"] for reward in told} == {before["id"]}
        assert before["approved"] is False


# --- Friends, credits that come in other ways, and credits that are taken back --------------------


def test_an_upfront_reward_is_the_friends_by_joining_and_the_referrers_by_the_credit(
    program: Program,
) -> None:
    program.offer("DOUBLE_SIDED", referredRewardUpfront=True)
    referrer = program.join()
    [friend] = friends_of(program.stack, program.id, referrer, 1)

    at_once = program.earned(friend)

    assert [one["isReferrer"] for one in at_once] == [False]
    assert (at_once[0]["referrerId"], at_once[0]["referredId"]) == (referrer, friend)
    assert program.earned(referrer) == []
    program.api.trigger(program.id, friend)
    assert [one["referredId"] for one in program.earned(referrer)] == [friend]
    assert program.earned(friend) == at_once


def test_who_is_not_referred_gets_no_upfront_reward(program: Program) -> None:
    program.offer("DOUBLE_SIDED", referredRewardUpfront=True)

    joined = program.api.add(program.id)
    stray = program.api.add(program.id, referredBy="nobody")

    assert joined["rewards"] == stray["rewards"] == []


def test_an_upfront_reward_is_given_when_a_referrer_is_assigned_later(program: Program) -> None:
    program.offer("DOUBLE_SIDED", referredRewardUpfront=True)
    referrer, friend = program.join(), program.join()

    program.api.update(program.id, friend, referredBy=referrer)

    assert [one["isReferrer"] for one in program.earned(friend)] == [False]


def test_a_friend_whose_joining_earns_twice_has_two_rewards(program: Program) -> None:
    program.offer("DOUBLE_SIDED", referredRewardUpfront=True)
    program.offer("DOUBLE_SIDED")
    referrer = program.join()

    friend = program.join(referredBy=referrer, referralStatus="CREDIT_AWARDED")

    assert len(program.earned(friend)) == len(program.earned(referrer)) == 2
    assert {one["isReferrer"] for one in program.earned(friend)} == {False}


def test_the_answer_to_an_add_shows_what_it_earned(program: Program) -> None:
    program.offer("DOUBLE_SIDED")
    referrer = program.join()

    added = program.api.add(program.id, referredBy=referrer, referralStatus="CREDIT_AWARDED")

    assert [one["isReferrer"] for one in added["rewards"]] == [False]
    assert added["isWinner"] is True
    assert added["referrer"]["isWinner"] is True


def test_credits_at_sign_up_earn(stack: Stack, api: Api) -> None:
    program = Program.begin(stack, api, installation={"referralTrigger": "ON_SIGNUP"})
    program.offer("DOUBLE_SIDED")
    referrer = program.join()

    friend = program.join(referredBy=referrer)

    assert [one["referredId"] for one in program.earned(referrer)] == [friend]
    assert [one["isReferrer"] for one in program.earned(friend)] == [False]


def test_an_update_to_awarded_earns(program: Program) -> None:
    program.offer("DOUBLE_SIDED")
    referrer = program.join()
    [friend] = friends_of(program.stack, program.id, referrer, 1)

    answer = program.api.update(program.id, friend, referralStatus="CREDIT_AWARDED")

    assert [one["isReferrer"] for one in answer["rewards"]] == [False]
    assert [one["referredId"] for one in program.earned(referrer)] == [friend]


def test_an_assignment_that_awards_earns(program: Program) -> None:
    program.offer("DOUBLE_SIDED")
    referrer, friend = program.join(), program.join()

    program.api.update(program.id, friend, referredBy=referrer, referralStatus="CREDIT_AWARDED")

    assert [one["referredId"] for one in program.earned(referrer)] == [friend]
    assert len(program.earned(friend)) == 1


def test_a_delayed_credit_earns_when_it_is_given(timed: Program) -> None:
    timed.offer("DOUBLE_SIDED")
    referrer = timed.join()
    [friend] = friends_of(timed.stack, timed.id, referrer, 1)
    timed.api.trigger(timed.id, friend, delayInDays=1)
    assert timed.earned(referrer) == []

    leap(timed.stack, timed.stack.now_ms() + DAY_MS)
    drain(timed.api)

    assert [one["referredId"] for one in timed.earned(referrer)] == [friend]
    assert len(timed.earned(friend)) == 1


def test_an_expired_credit_earns_nothing(timed: Program) -> None:
    timed.api.ok("PATCH", f"{timed.path}/options", {"referralCreditWindowDays": 1})
    timed.offer("DOUBLE_SIDED")
    referrer = timed.join()
    [friend] = friends_of(timed.stack, timed.id, referrer, 1)

    leap(timed.stack, timed.stack.now_ms() + DAY_MS + HOUR_MS)
    timed.api.trigger(timed.id, friend)

    assert timed.earned(referrer) == timed.earned(friend) == []


def test_a_second_trigger_earns_nothing(program: Program) -> None:
    program.offer("DOUBLE_SIDED")
    referrer = program.join()
    [friend] = program.credit(referrer, 1)

    again = program.api.trigger(program.id, friend)

    assert again["success"] is False
    assert len(program.earned(referrer)) == len(program.earned(friend)) == 1


@pytest.mark.parametrize("status", ["DRAFT", "COMPLETE"])
def test_nothing_is_earned_while_a_campaign_does_not_run(
    stack: Stack, api: Api, status: str
) -> None:
    program = Program(stack, api, api.campaign(live=status == "COMPLETE"))
    program.offer("DOUBLE_SIDED")
    program.offer("DOUBLE_SIDED", referredRewardUpfront=True)
    if status == "COMPLETE":
        api.set_status(program.id, "COMPLETE")
    referrer = program.join()

    friend = program.join(referredBy=referrer, referralStatus="CREDIT_AWARDED")

    assert program.earned(referrer) == program.earned(friend) == []


def test_a_number_of_referrals_that_is_reached_again_earns_nothing_more(program: Program) -> None:
    """A credited friend is deleted, and another one takes the place."""
    program.offer("SINGLE_SIDED", conversionsRequired=2)
    program.offer("MILESTONE", conversionsRequired=2)
    referrer = program.join()
    friends = program.credit(referrer, 2)
    earned = program.earned(referrer)
    assert len(earned) == 2

    program.api.delete(program.id, friends[0])
    program.credit(referrer, 1)

    assert program.api.read(program.id, referrer)["referralCount"] == 2
    assert program.earned(referrer) == earned
    program.credit(referrer, 2)
    assert len(program.earned(referrer)) == 3


def test_earned_rewards_stay_when_the_friend_is_deleted(program: Program) -> None:
    program.offer("DOUBLE_SIDED")
    referrer = program.join()
    [friend] = program.credit(referrer, 1)

    program.api.delete(program.id, friend)
    drain(program.api)

    assert [one["referredId"] for one in program.earned(referrer)] == [friend]


def test_a_friend_who_comes_back_under_the_same_address_earns_the_referrer_no_second_reward(
    program: Program,
) -> None:
    program.offer("SINGLE_SIDED")
    referrer = program.join()
    joining = {
        "email": f"{referrer}-friend@example.com",
        "referredBy": referrer,
        "referralStatus": "CREDIT_AWARDED",
    }
    first = program.api.add(program.id, **joining)

    program.api.delete(program.id, first["id"])
    program.api.add(program.id, **joining)

    assert [one["referredId"] for one in program.earned(referrer)] == [first["id"]]


# --- Rewards that are changed or turned off -----------------------------------------------------


def test_a_reward_that_is_turned_off_is_no_longer_earned_and_hidden_from_who_earned_it(
    program: Program,
) -> None:
    off, on = program.offer("SINGLE_SIDED"), program.offer("SINGLE_SIDED")
    referrer = program.join()
    program.credit(referrer, 1)

    program.change_offer(off, isVisible=False)
    program.credit(referrer, 1)

    assert [one["rewardId"] for one in program.earned(referrer)] == [on, on]
    shown = program.api.read(program.id, referrer)
    assert {one["rewardId"] for one in shown["rewards"]} == {on}
    program.change_offer(off, isVisible=True)
    assert [one["rewardId"] for one in program.earned(referrer)] == [off, on, on]


def test_a_deleted_reward_is_hidden_and_no_longer_earned(program: Program) -> None:
    gone = program.offer("SINGLE_SIDED")
    referrer = program.join()
    program.credit(referrer, 1)

    program.api.ok("DELETE", f"{program.path}/reward-configs/{gone}")
    program.credit(referrer, 1)

    assert program.earned(referrer) == []
    assert program.api.read(program.id, referrer)["rewards"] == []


def test_a_turned_off_reward_is_not_given_upfront(program: Program) -> None:
    program.offer("DOUBLE_SIDED", referredRewardUpfront=True, isVisible=False)
    referrer = program.join()

    friend = program.api.add(program.id, referredBy=referrer)

    assert friend["rewards"] == []


def test_a_higher_limit_holds_from_the_next_credit_on(program: Program) -> None:
    reward = program.offer("SINGLE_SIDED", isUnlimited=False, limit=1)
    referrer = program.join()
    friends = program.credit(referrer, 2)

    program.change_offer(reward, limit=2)
    friends += program.credit(referrer, 2)

    earned = [one["referredId"] for one in program.earned(referrer)]
    assert earned == [friends[0], friends[2]]


def test_a_milestone_that_is_offered_late_is_earned_by_the_next_credit(program: Program) -> None:
    referrer = program.join()
    program.credit(referrer, 3)

    program.offer("MILESTONE", conversionsRequired=2)
    [friend] = program.credit(referrer, 1)

    assert [one["referredId"] for one in program.earned(referrer)] == [friend]


def test_earning_goes_on_after_more_than_a_page_of_rewards(program: Program) -> None:
    for _ in range(4):
        program.offer("DOUBLE_SIDED")
    referrer = program.join()

    program.credit(referrer, 5)

    assert len(program.earned(referrer)) == 20


def test_sixteen_double_sided_rewards_are_earned_in_one_transaction(program: Program) -> None:
    for _ in range(16):
        program.offer("DOUBLE_SIDED")
    referrer = program.join(firstName="Ada")

    friend = program.api.add(
        program.id,
        firstName="Grace",
        referredBy=referrer,
        referralStatus="CREDIT_AWARDED",
        metadata={f"key{number}x": number for number in range(50)},
    )

    assert len(program.earned(referrer)) == len(friend["rewards"]) == 16


def test_a_credit_of_sixteen_rewards_that_leaves_no_room_for_the_metadata_is_refused_with_advice(
    program: Program,
) -> None:
    for _ in range(16):
        program.offer("DOUBLE_SIDED")
    referrer = program.join()
    friend = program.join(metadata={f"k{number}": "old" for number in range(45)})
    path = f"{program.path}/participant/{friend}"
    credited = {"referredBy": referrer, "referralStatus": "CREDIT_AWARDED"}
    metadata = {f"k{number}": "new" for number in range(45)}

    answer = program.api.call("POST", path, {**credited, "metadata": metadata})

    assert answer.status_code == 400, answer.text
    assert program.earned(referrer) == []
    program.api.ok("POST", path, credited)
    program.api.ok("POST", path, {"metadata": metadata})
    assert len(program.earned(referrer)) == len(program.earned(friend)) == 16


def test_a_month_ends_for_a_standing_clock_between_two_credits(timed: Program) -> None:
    """The limit of a month counts by the moment of the credit, in UTC."""
    timed.offer("SINGLE_SIDED", isUnlimited=False, limit=1, limitDuration="PER_MONTH")
    referrer = timed.join()
    leap(timed.stack, time_of("2031-05-31T23:58:00"))
    before = timed.credit(referrer, 2)

    advance(timed.api, 2 * 60_000)
    after = timed.credit(referrer, 2)

    earned = [one["referredId"] for one in timed.earned(referrer)]
    assert earned == [before[0], after[0]]
