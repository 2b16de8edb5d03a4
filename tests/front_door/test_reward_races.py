"""Two changes of one reward at the same moment, many credits at once, and processes that die.

On moto the calls to the table are one after the other, so only their order varies; on DynamoDB
Local transactions conflict for real.
"""

from __future__ import annotations

import itertools
from collections import Counter
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import partial

import httpx
import pytest

from grapevine.engine.due import LEASE_MS
from grapevine.engine.month_end.calendar import IN_FLIGHT_MS
from grapevine.engine.rewards import leaderboard
from grapevine.engine.rewards.earning import Offer
from grapevine.table.rewards import RewardConfig
from local.stack import Stack
from tests import invariants, reward_invariants
from tests.api import Api, Json
from tests.reward_stories import MANUAL, Program, time_of
from tests.scenarios import MINUTE_MS, at_once, drain, erase, friends_of, interrupted, leap

APPROVED_ALREADY = "Invalid reward state. Reward has already been approved."
FULFILLED_ALREADY = "Invalid reward state. Reward has already been fulfilled."
CANNOT_BE_REMOVED = (
    "Invalid reward state. This reward has already been approved and cannot be removed."
)


@dataclass(frozen=True, slots=True)
class Earner:
    """Somebody with one reward that waits for approval."""

    program: Program
    participant: str
    reward: str

    def call(self, method: str, verb: str, body: Json | None = None) -> httpx.Response:
        path = f"{self.program.path}/reward/{self.reward}{verb}"
        return self.program.api.call(method, path, body)

    def approve(self) -> httpx.Response:
        return self.call("POST", "/approve")

    def approve_and_fulfill(self) -> httpx.Response:
        return self.call("POST", "/approve", {"fulfill": True})

    def fulfill(self) -> httpx.Response:
        return self.call("POST", "/fulfill")

    def remove(self) -> httpx.Response:
        return self.call("DELETE", "")

    def leave(self) -> httpx.Response:
        path = f"{self.program.path}/participant/{self.participant}"
        return self.program.api.call("DELETE", path)

    def state(self) -> str:
        """`gone`, or the phase that the reward is in."""
        earned = self.program.earned(self.participant)
        if not earned:
            return "gone"
        [reward] = earned
        assert reward["isAvailable"] == (reward["approved"] and reward["isFulfilled"])
        if reward["isFulfilled"]:
            return "fulfilled"
        return "approved" if reward["approved"] else "pending"


Step = Callable[[Earner], httpx.Response]


@pytest.fixture
def program(stack: Stack, api: Api) -> Iterator[Program]:
    """Afterwards the table is checked."""
    program = Program.begin(stack, api, options=MANUAL)
    program.offer()
    yield program
    stack.drain()
    erase(api)
    reward_invariants.check(stack, unremoved=False)


def earner(program: Program, prepare: Step | None = None) -> Earner:
    participant = program.join()
    program.credit(participant)
    [reward] = program.earned(participant)
    someone = Earner(program, participant, reward["id"])
    if prepare is not None:
        assert prepare(someone).status_code == 200
    return someone


def outcome(answer: httpx.Response) -> str:
    return "done" if answer.status_code == 200 else str(answer.json()["message"])


# What may come of each pair: the outcome of the first, of the second, and the state after them.
UNKNOWN = "There is no reward with this id."


@dataclass(frozen=True, slots=True)
class Race:
    function_id: str
    first: Step
    second: Step
    legal: set[tuple[str, str, str]]
    prepare: Step | None = None


RACES = {
    "approve against approve": Race(
        "ApproveRewardFunction",
        Earner.approve,
        Earner.approve,
        {("done", APPROVED_ALREADY, "approved"), (APPROVED_ALREADY, "done", "approved")},
    ),
    "approve against approve and fulfil": Race(
        "ApproveRewardFunction",
        Earner.approve,
        Earner.approve_and_fulfill,
        {("done", APPROVED_ALREADY, "approved"), (APPROVED_ALREADY, "done", "fulfilled")},
    ),
    "approve against delete": Race(
        "ApproveRewardFunction",
        Earner.approve,
        Earner.remove,
        {("done", CANNOT_BE_REMOVED, "approved"), (UNKNOWN, "done", "gone")},
    ),
    "delete against approve": Race(
        "DeleteRewardFunction",
        Earner.remove,
        Earner.approve,
        {("done", UNKNOWN, "gone"), (CANNOT_BE_REMOVED, "done", "approved")},
    ),
    "delete against delete": Race(
        "DeleteRewardFunction",
        Earner.remove,
        Earner.remove,
        {("done", UNKNOWN, "gone"), (UNKNOWN, "done", "gone")},
    ),
    "fulfil against delete of an approved one": Race(
        "FulfillRewardFunction",
        Earner.fulfill,
        Earner.remove,
        {("done", CANNOT_BE_REMOVED, "fulfilled")},
        prepare=Earner.approve,
    ),
    "delete of an approved one against fulfil": Race(
        "DeleteRewardFunction",
        Earner.remove,
        Earner.fulfill,
        {(CANNOT_BE_REMOVED, "done", "fulfilled")},
        prepare=Earner.approve,
    ),
    "fulfil against fulfil": Race(
        "FulfillRewardFunction",
        Earner.fulfill,
        Earner.fulfill,
        {("done", FULFILLED_ALREADY, "fulfilled"), (FULFILLED_ALREADY, "done", "fulfilled")},
        prepare=Earner.approve,
    ),
}


@pytest.mark.parametrize("name", RACES)
def test_two_changes_of_a_reward_in_every_order_end_in_a_legal_state(
    program: Program, name: str
) -> None:
    race = RACES[name]
    for after_calls in itertools.count(1):
        someone = earner(program, race.prepare)
        seconds: list[httpx.Response] = []

        def meanwhile(someone: Earner = someone, seconds: list[httpx.Response] = seconds) -> None:
            seconds.append(race.second(someone))

        with interrupted(
            program.stack, race.function_id, after_calls, meanwhile, for_certain=False
        ) as interruption:
            first = race.first(someone)

        if not interruption.happened:
            break
        ended = (outcome(first), outcome(seconds[0]), someone.state())
        assert ended in race.legal
    assert after_calls > 2, "the first made hardly a call"


@pytest.mark.both_engines
@pytest.mark.parametrize("name", RACES)
def test_many_changes_of_a_reward_at_once_have_one_success(program: Program, name: str) -> None:
    race = RACES[name]
    someone = earner(program, race.prepare)

    def act(number: int, api: Api) -> str:
        own = Earner(Program(program.stack, api, program.id), someone.participant, someone.reward)
        return outcome((race.first if number % 2 else race.second)(own))

    outcomes = Counter(at_once(program.stack, [partial(act, number) for number in range(8)]))

    assert outcomes["done"] == 1, outcomes
    states = {state for *_, state in race.legal}
    refusals = {text for first, second, _ in race.legal for text in (first, second)}
    if "fulfil" in name and "done" in refusals:
        refusals.add(FULFILLED_ALREADY)
    assert someone.state() in states
    assert set(outcomes) <= refusals | {APPROVED_ALREADY, UNKNOWN}


@pytest.mark.parametrize(
    ("function_id", "first", "second"),
    [
        ("ApproveRewardFunction", Earner.approve, Earner.leave),
        ("DeleteParticipantFunction", Earner.leave, Earner.approve),
        ("DeleteRewardFunction", Earner.remove, Earner.leave),
        ("DeleteParticipantFunction", Earner.leave, Earner.remove),
    ],
)
def test_a_change_of_a_reward_whose_earner_is_deleted_leaves_nothing(
    program: Program, function_id: str, first: Step, second: Step
) -> None:
    for after_calls in itertools.count(1):
        someone = earner(program)

        with interrupted(
            program.stack, function_id, after_calls, partial(second, someone), for_certain=False
        ) as interruption:
            answer = first(someone)

        if not interruption.happened:
            break
        assert answer.status_code in {200, 404}
        assert someone.approve().status_code == someone.remove().status_code == 404
        drain(program.api)
        reward_invariants.check(program.stack, unremoved=False)
    assert after_calls > 2, "the first made hardly a call"


def test_who_wins_a_leaderboard_while_being_deleted_does_not_stay_a_winner(
    stack: Stack, api: Api
) -> None:
    for after_calls in itertools.count(1):
        program = Program.begin(stack, api)
        program.offer("LEADERBOARD")
        best = program.join()
        program.credit(best)
        api.set_status(program.id, "COMPLETE")
        leap(stack, stack.now_ms() + IN_FLIGHT_MS)

        with interrupted(
            stack, "DeleteParticipantFunction", after_calls, stack.drain, for_certain=False
        ) as interruption:
            api.delete(program.id, best)

        if not interruption.happened:
            break
        erase(api)
        reward_invariants.check(stack, unremoved=False)
        assert api.read_campaign(program.id)["winnerCount"] == 0
    assert after_calls > 2, "the deletion made hardly a call"


# --- Limits under many credits at once ----------------------------------------------------------


def credit_all(program: Program, friends: list[str], threads: int = 64) -> None:
    """Triggers all at once; who is told that it is too busy tries again."""

    def trigger(friend: str, api: Api) -> None:
        path = f"{program.path}/participant/{friend}/ref"
        while (answer := api.call("POST", path, {})).status_code == 409:
            pass
        assert answer.json()["success"], answer.text

    at_once(program.stack, [partial(trigger, friend) for friend in friends], threads=threads)


@pytest.mark.both_engines
def test_sixty_four_credits_at_once_earn_a_reward_of_limit_three_three_times(
    fresh_stack: Stack,
) -> None:
    with Api(fresh_stack.url, fresh_stack.api_key) as api:
        program = Program.begin(fresh_stack, api)
        program.offer("DOUBLE_SIDED", isUnlimited=False, limit=3)
        referrer = program.join()
        friends = friends_of(fresh_stack, program.id, referrer, 64)

        credit_all(program, friends)

        earned = program.earned(referrer)
        assert len(earned) == 3
        assert len({one["referredId"] for one in earned}) == 3
        assert api.read(program.id, referrer)["referralCount"] == 64
        fresh_stack.drain()
        assert api.read_campaign(program.id)["winnerCount"] == 4
    reward_invariants.check(fresh_stack)


@pytest.mark.both_engines
def test_a_limit_of_three_a_month_holds_when_the_month_ends_amid_credits(
    fresh_stack: Stack,
) -> None:
    with Api(fresh_stack.url, fresh_stack.api_key) as api:
        program = Program.begin(fresh_stack, api)
        reward = program.offer(isUnlimited=False, limit=3, limitDuration="PER_MONTH")
        referrer = program.join()
        friends = friends_of(fresh_stack, program.id, referrer, 64)
        leap(fresh_stack, time_of("2031-05-31T12:00:00"))
        done = itertools.count(1)

        def trigger(friend: str, api: Api) -> None:
            path = f"{program.path}/participant/{friend}/ref"
            while (answer := api.call("POST", path, {})).status_code == 409:
                pass
            assert answer.json()["success"], answer.text
            if next(done) == 32:
                leap(fresh_stack, time_of("2031-06-01T00:00:00"))

        at_once(fresh_stack, [partial(trigger, friend) for friend in friends], threads=64)

        stored = invariants.of_type(invariants.table_of(fresh_stack).values(), "EarnedReward")
        june = time_of("2031-06-01")
        in_june = Counter(one["createdAt"] >= june for one in stored)
        assert in_june == {False: 3, True: 3}
        assert {one["rewardId"] for one in stored} == {reward}
        assert api.read(program.id, referrer)["referralCount"] == 64
        fresh_stack.drain()
    reward_invariants.check(fresh_stack)


# --- Processes that die -------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Sent:
    """A request about a campaign whose people are always the same."""

    function_id: str
    method: str
    path: str
    body: Json | None = None


REFERRER, FRIEND, NEW = "referrer@example.com", "friend@example.com", "new@example.com"
REQUESTS = {
    "trigger": Sent("TriggerReferralFunction", "POST", f"/participant/{FRIEND}/ref", {}),
    "award": Sent(
        "UpdateParticipantFunction",
        "POST",
        f"/participant/{FRIEND}",
        {"referralStatus": "CREDIT_AWARDED"},
    ),
    "add a credited friend": Sent(
        "AddParticipantFunction",
        "POST",
        "/participant",
        {"email": NEW, "referredBy": REFERRER, "referralStatus": "CREDIT_AWARDED"},
    ),
    "approve": Sent("ApproveRewardFunction", "POST", "/reward/{reward}/approve", {}),
    "approve and fulfil": Sent(
        "ApproveRewardFunction", "POST", "/reward/{reward}/approve", {"fulfill": True}
    ),
    "remove": Sent("DeleteRewardFunction", "DELETE", "/reward/{reward}"),
    "delete the winner": Sent("DeleteParticipantFunction", "DELETE", f"/participant/{REFERRER}"),
}


class Mortal:
    """A campaign with all kinds of rewards, a referrer who has earned some, and a friend."""

    def __init__(self, stack: Stack, api: Api) -> None:
        self.program = Program.begin(stack, api, options=MANUAL)
        self.program.offer("SINGLE_SIDED", isUnlimited=False, limit=2)
        self.program.offer("DOUBLE_SIDED")
        self.program.offer("DOUBLE_SIDED", referredRewardUpfront=True)
        self.program.offer("MILESTONE", conversionsRequired=2)
        self.referrer = self.program.join(email=REFERRER)
        self.program.credit(self.referrer)
        self.program.join(email=FRIEND, referredBy=self.referrer)
        self.reward = self.program.earned(self.referrer)[0]["id"]

    def send(self, sent: Sent) -> httpx.Response:
        path = self.program.path + sent.path.format(reward=self.reward)
        return self.program.api.call(sent.method, path, sent.body)

    def states(self) -> list[tuple[str, list[tuple[str, bool, bool, bool]]]]:
        """Who has which rewards in which states, but for ids and times."""
        configs = self.program.api.ok("GET", f"{self.program.path}/reward-configs")["rewards"]
        names = {each["id"]: f"{place} {each['type']}" for place, each in enumerate(configs)}
        return [
            (
                row["email"].split("-")[0],
                [
                    (names[r["rewardId"]], r["isReferrer"], r["approved"], r["isFulfilled"])
                    for r in row["rewards"]
                ],
            )
            for row in self.program.api.all_pages(self.program.id, 100)
        ]


@pytest.mark.parametrize("name", REQUESTS)
def test_a_request_that_dies_anywhere_and_is_sent_again_earns_and_changes_once(
    fresh_stack: Stack, name: str
) -> None:
    sent = REQUESTS[name]
    with Api(fresh_stack.url, fresh_stack.api_key) as api:
        undisturbed = Mortal(fresh_stack, api)
        assert undisturbed.send(sent).status_code == 200
        died: list[Mortal] = []

        for calls in itertools.count():
            mortal = Mortal(fresh_stack, api)
            with fresh_stack.kill_after(calls, sent.function_id) as order:
                answer = mortal.send(sent)
            if not order.happened:
                break
            assert answer.status_code == 502
            assert mortal.send(sent).status_code < 500
            died.append(mortal)

        assert len(died) > 2, "the request made hardly a call"
        fresh_stack.drain()
        erase(api)
        reward_invariants.check(fresh_stack, unremoved=sent.method != "DELETE")
        expected = undisturbed.states()
        for mortal in died:
            assert mortal.states() == expected


def test_leaderboard_winners_are_the_same_after_the_settling_process_died_anywhere(
    fresh_stack: Stack,
) -> None:
    with Api(fresh_stack.url, fresh_stack.api_key) as api:
        for calls in itertools.count():
            program = Program.begin(fresh_stack, api)
            reward = program.offer("LEADERBOARD", numberOfWinners=2)
            people = [program.join() for _ in range(3)]
            for person in people:
                program.credit(person)
            api.set_status(program.id, "COMPLETE")
            leap(fresh_stack, fresh_stack.now_ms() + IN_FLIGHT_MS)

            with fresh_stack.kill_after(calls, "SettleDueFunction") as order:
                fresh_stack.drain()

            # Long enough for an unseen message to come back.
            leap(fresh_stack, fresh_stack.now_ms() + LEASE_MS + MINUTE_MS)
            fresh_stack.drain()
            earned = [[one["rewardId"] for one in program.earned(person)] for person in people]
            assert earned == [[reward], [reward], []]
            assert api.read_campaign(program.id)["winnerCount"] == 2
            if not order.happened:
                break
        assert calls > 4, "the settling made hardly a call"
        assert fresh_stack.queue_messages("DueDeadLetterQueue") == []
    reward_invariants.check(fresh_stack)


def test_settling_an_end_again_takes_up_only_the_winners_without_their_reward(
    stack: Stack, api: Api, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A function has 29 s, and a campaign many winners: each try must get further."""
    program = Program.begin(stack, api)
    reward = program.offer("LEADERBOARD", numberOfWinners=4)
    people = [program.join() for _ in range(4)]
    for person in people:
        program.credit(person)
    taken_up: list[str] = []
    award = leaderboard._award

    def out_of_time(offer: Offer, config: RewardConfig, winner_id: str) -> None:
        taken_up.append(winner_id)
        if winner_id == people[2] and taken_up.count(winner_id) == 1:
            raise TimeoutError
        award(offer, config, winner_id)

    monkeypatch.setattr(leaderboard, "_award", out_of_time)
    api.set_status(program.id, "COMPLETE")
    stack.drain()
    leap(stack, stack.now_ms() + IN_FLIGHT_MS)
    stack.drain()
    first = list(taken_up)
    earned = [person for person in people if program.earned(person)]
    assert 0 < len(earned) < 4

    leap(stack, stack.now_ms() + LEASE_MS + MINUTE_MS)
    stack.drain()

    again = taken_up[len(first) :]
    assert sorted(again) == sorted(set(people) - set(earned))
    assert [[one["rewardId"] for one in program.earned(person)] for person in people] == [
        [reward]
    ] * 4
