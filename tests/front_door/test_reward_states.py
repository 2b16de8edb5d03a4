"""An earned reward from earning to fulfilment: the three ways of approval, what each state allows,
who may do it, who is a winner, and the pages of what somebody has earned."""

from __future__ import annotations

import itertools

import httpx
import pytest

from grapevine import runtime
from grapevine.engine import accounts
from local.stack import Stack
from tests import invariants, reward_invariants
from tests.api import Api, Json
from tests.reward_stories import FULFILLING, MANUAL, Program
from tests.scenarios import drain, erase

NOT_FOUND = (404, "NOT_FOUND_ERROR")


def manual(stack: Stack, api: Api) -> Program:
    program = Program.begin(stack, api, options=MANUAL)
    program.offer()
    return program


@pytest.fixture
def program(stack: Stack, api: Api) -> Program:
    """With a reward for every credit, to be approved by hand."""
    return manual(stack, api)


def pending(program: Program) -> tuple[str, str]:
    """The ids of somebody who has earned a reward, and of the reward."""
    earner = program.join()
    program.credit(earner)
    [reward] = program.earned(earner)
    return earner, reward["id"]


def call(program: Program, verb: str, reward: str, body: Json | None = None) -> httpx.Response:
    path = f"{program.path}/reward/{reward}"
    if verb == "delete":
        return program.api.call("DELETE", path)
    return program.api.call("POST", f"{path}/{verb}", body)


def phase(program: Program, earner: str) -> tuple[str, bool, bool, bool]:
    [shown] = program.earned(earner)
    assert (shown["approvedAt"] is not None) == shown["approved"]
    assert (shown["fulfilledAt"] is not None) == shown["isFulfilled"]
    return shown["status"], shown["approved"], shown["isFulfilled"], shown["isAvailable"]


PENDING = ("PENDING", False, False, False)
APPROVED = ("PENDING", True, False, False)
FULFILLED = ("FULFILLED", True, True, True)


@pytest.mark.parametrize(
    ("options", "expected"), [(MANUAL, PENDING), ({}, APPROVED), (FULFILLING, FULFILLED)]
)
def test_a_reward_is_earned_in_the_state_of_its_approval_mode(
    stack: Stack, api: Api, options: Json, expected: tuple[str, bool, bool, bool]
) -> None:
    program = Program.begin(stack, api, options=options)
    program.offer("DOUBLE_SIDED")
    earner = program.join()
    [friend] = program.credit(earner)

    assert phase(program, earner) == phase(program, friend) == expected


def test_manual_approval_and_automatic_fulfilment_exclude_each_other(program: Program) -> None:
    answer = program.api.call("PATCH", f"{program.path}/options", FULFILLING)

    assert answer.status_code == 400


def test_the_mode_holds_for_what_is_earned_from_then_on(program: Program) -> None:
    earner, _ = pending(program)

    program.api.ok("PATCH", f"{program.path}/options", {"requireManualRewardApproval": False})
    other = program.join()
    program.credit(other)

    assert (phase(program, earner), phase(program, other)) == (PENDING, APPROVED)


@pytest.mark.parametrize(
    ("verbs", "expected"),
    [
        (["approve"], APPROVED),
        (["approve", "fulfill"], FULFILLED),
        (["approve and fulfill"], FULFILLED),
    ],
)
def test_a_reward_goes_from_state_to_state(
    program: Program, verbs: list[str], expected: tuple[str, bool, bool, bool]
) -> None:
    earner, reward = pending(program)

    for verb in verbs:
        verb, _, fulfills = verb.partition(" and ")  # noqa: PLW2901 - the two parts of the word
        answer = call(program, verb, reward, {"fulfill": True} if fulfills else None)
        assert (answer.status_code, answer.json()) == (200, {"success": True})

    assert phase(program, earner) == expected


REFUSED = {
    "a second approval": (["approve"], "approve", "Reward has already been approved."),
    "an approval after the fulfilment": (
        ["approve", "fulfill"],
        "approve",
        "Reward has already been approved.",
    ),
    "a fulfilment before the approval": ([], "fulfill", "Reward has not been approved."),
    "a second fulfilment": (
        ["approve", "fulfill"],
        "fulfill",
        "Reward has already been fulfilled.",
    ),
    "a removal after the approval": (
        ["approve"],
        "delete",
        "This reward has already been approved and cannot be removed.",
    ),
    "a removal after the fulfilment": (
        ["approve", "fulfill"],
        "delete",
        "This reward has already been approved and cannot be removed.",
    ),
}


@pytest.mark.parametrize("name", REFUSED)
def test_what_the_state_forbids_is_refused_and_changes_nothing(program: Program, name: str) -> None:
    before, verb, reason = REFUSED[name]
    earner, reward = pending(program)
    for each in before:
        assert call(program, each, reward).status_code == 200
    shown = program.earned(earner)

    answer = call(program, verb, reward)

    body = answer.json()
    timestamp = body.pop("timestamp")
    assert answer.status_code == 406
    assert body == {
        "name": "InvalidRewardState",
        "code": "INVALID_REWARD_STATE",
        "message": f"Invalid reward state. {reason}",
        "status": 406,
        "supportUrl": body["supportUrl"],
        "level": "error",
    }
    assert timestamp.endswith("Z")
    assert program.earned(earner) == shown


def test_an_approval_that_fulfils_an_approved_reward_is_refused(program: Program) -> None:
    earner, reward = pending(program)
    program.change("approve", reward)

    assert call(program, "approve", reward, {"fulfill": True}).status_code == 406
    assert phase(program, earner) == APPROVED


def test_a_removed_reward_is_gone_and_not_earned_again(program: Program) -> None:
    earner, reward = pending(program)

    assert call(program, "delete", reward).json() == {"success": True}

    assert program.earned(earner) == []
    for verb in ("approve", "fulfill", "delete"):
        assert call(program, verb, reward).status_code == 404
    program.credit(earner)
    [later] = program.earned(earner)
    assert later["id"] != reward


def test_a_reward_without_manual_approval_cannot_be_removed(stack: Stack, api: Api) -> None:
    program = Program.begin(stack, api)
    program.offer()
    _, reward = pending(program)

    assert call(program, "delete", reward).status_code == 406


@pytest.mark.parametrize("verb", ["approve", "fulfill", "delete"])
@pytest.mark.parametrize(
    "reward", ["prew_zzzzzz_1", "prew_zzzzzz_0", "nothing", "prew__1", "a%23b", "%F0%9F%A5%95"]
)
def test_an_unknown_reward_is_not_found(program: Program, verb: str, reward: str) -> None:
    answer = call(program, verb, reward)

    assert (answer.status_code, answer.json()["code"]) == NOT_FOUND


@pytest.mark.parametrize("verb", ["approve", "fulfill", "delete"])
def test_a_reward_of_another_campaign_is_not_found(program: Program, verb: str) -> None:
    other = manual(program.stack, program.api)
    earner, reward = pending(other)

    answer = call(program, verb, reward)

    assert (answer.status_code, answer.json()["code"]) == NOT_FOUND
    assert phase(other, earner) == PENDING


def client_with(stack: Stack, account_id: str | None, scopes: set[str] | frozenset[str]) -> Api:
    """A client with a new key of these scopes, of a new account when none is given."""
    with runtime.using(stack.runtime()):
        account_id = account_id or accounts.create_account("Somebody").account_id
        key = accounts.create_key(account_id, name="Test", scopes=scopes)
    return Api(stack.url, key.secret)


@pytest.mark.parametrize("verb", ["approve", "fulfill", "delete"])
def test_another_accounts_reward_is_out_of_reach(program: Program, verb: str) -> None:
    earner, reward = pending(program)

    with client_with(program.stack, None, accounts.ALL_SCOPES) as stranger:
        answer = call(Program(program.stack, stranger, program.id), verb, reward)
        path = f"{program.path}/participant/{earner}/rewards"
        listing = stranger.call("GET", path)

    assert answer.status_code == listing.status_code == 403
    assert phase(program, earner) == PENDING


SCOPES = {
    "approve": ("approve", None, {"reward:write"}),
    "approve and fulfil": ("approve", {"fulfill": True}, {"reward:write", "reward:fulfill"}),
    "fulfil": ("fulfill", None, {"reward:fulfill"}),
    "delete": ("delete", None, {"reward:delete"}),
}


@pytest.mark.parametrize("name", SCOPES)
def test_a_change_needs_its_scopes_and_no_others(program: Program, name: str) -> None:
    verb, body, needed = SCOPES[name]
    _, reward = pending(program)
    if name == "fulfil":
        program.change("approve", reward)

    for missing in needed:
        too_few = accounts.ALL_SCOPES - {missing}
        with client_with(program.stack, program.stack.account_id, too_few) as limited:
            refused = call(Program(program.stack, limited, program.id), verb, reward, body)
        assert refused.status_code == 403
    with client_with(program.stack, program.stack.account_id, needed) as enough:
        done = call(Program(program.stack, enough, program.id), verb, reward, body)

    assert done.status_code == 200


@pytest.mark.parametrize(
    "body", [{"fulfil": True}, {"fulfill": "perhaps"}, {"fulfill": None}, {"fulfill": 2}, []]
)
def test_an_approval_takes_a_flag_and_nothing_else(program: Program, body: Json) -> None:
    earner, reward = pending(program)

    assert call(program, "approve", reward, body).status_code == 400
    assert phase(program, earner) == PENDING


# --- Winners --------------------------------------------------------------------------------------


def winner_count(program: Program) -> int:
    drain(program.api)
    count: int = program.api.read_campaign(program.id)["winnerCount"]
    return count


def test_somebody_is_a_winner_from_the_first_approval_on(program: Program) -> None:
    earner, reward = pending(program)
    assert program.api.read(program.id, earner)["isWinner"] is False
    assert winner_count(program) == 0

    program.change("approve", reward)

    assert program.api.read(program.id, earner)["isWinner"] is True
    assert winner_count(program) == 1
    program.credit(earner)
    program.change("approve", program.earned(earner)[1]["id"])
    assert winner_count(program) == 1


def test_both_sides_of_an_approved_reward_are_winners(stack: Stack, api: Api) -> None:
    program = Program.begin(stack, api)
    program.offer("DOUBLE_SIDED")
    earner = program.join()
    [friend] = program.credit(earner)

    assert winner_count(program) == 2
    assert program.api.read(program.id, friend)["isWinner"] is True
    assert program.api.read(program.id, friend)["referrer"]["isWinner"] is True


def test_a_removed_reward_makes_no_winner(program: Program) -> None:
    earner, reward = pending(program)

    call(program, "delete", reward)

    assert winner_count(program) == 0
    assert program.api.read(program.id, earner)["isWinner"] is False


def test_a_deleted_participant_takes_the_rewards_along(fresh_stack: Stack) -> None:
    with Api(fresh_stack.url, fresh_stack.api_key) as api:
        program = manual(fresh_stack, api)
        earner, reward = pending(program)
        stays, others = pending(program)
        program.change("approve", reward)
        program.change("approve", others)
        assert winner_count(program) == 2

        api.delete(program.id, earner)

        assert winner_count(program) == 1
        assert call(program, "fulfill", reward).status_code == 404
        erase(api)
        items = invariants.table_of(fresh_stack).values()
        left = invariants.of_type(items, "EarnedReward")
        assert {each["participantId"] for each in left} == {stays}
        reward_invariants.check(fresh_stack, unremoved=False)


def test_who_comes_back_after_a_deletion_has_no_rewards(program: Program) -> None:
    email = "back@example.com"
    earner = program.join(email=email)
    program.credit(earner)

    program.api.delete(program.id, email)
    again = program.api.add(program.id, email)

    assert (again["rewards"], again["isWinner"]) == ([], False)


# --- Pages ----------------------------------------------------------------------------------------


def pages(program: Program, participant: str, limit: int) -> list[list[Json]]:
    path = f"{program.path}/participant/{participant}/rewards"
    found: list[list[Json]] = []
    query: Json = {"limit": limit}
    while True:
        page = program.api.ok("GET", path, params=query)
        assert page["limit"] == limit
        found.append(page["rewards"])
        if page["nextId"] is None:
            return found
        query["nextId"] = page["nextId"]


@pytest.fixture(scope="module")
def rich(stack: Stack) -> tuple[Program, str, str, list[str]]:
    """Somebody with 14 rewards: the id, the e-mail, and the friends, the newest first."""
    with Api(stack.url, stack.api_key) as api:
        program = Program.begin(stack, api)
        program.offer()
        earner = program.join(email="rich@example.com")
        friends = program.credit(earner, 14)
    return program, earner, "rich@example.com", friends[::-1]


@pytest.mark.parametrize("limit", [1, 2, 7, 100])
@pytest.mark.parametrize("by_email", [False, True])
def test_the_pages_of_rewards_are_all_of_them_newest_first(
    rich: tuple[Program, str, str, list[str]], api: Api, limit: int, by_email: bool
) -> None:
    program, earner, email, friends = rich
    program = Program(program.stack, api, program.id)

    found = pages(program, email if by_email else earner, limit)

    assert [one["referredId"] for one in itertools.chain.from_iterable(found)] == friends
    assert [len(page) for page in found[:-1]] == [limit] * (len(found) - 1)
    assert len(found) == -(-14 // limit)


def test_a_page_of_rewards_has_ten_unless_it_is_told_otherwise(
    rich: tuple[Program, str, str, list[str]], api: Api
) -> None:
    program, earner, _, friends = rich

    page = api.ok("GET", f"{program.path}/participant/{earner}/rewards")

    assert (page["limit"], len(page["rewards"])) == (10, 10)
    assert page["nextId"] not in {one["id"] for one in page["rewards"]}
    assert page["rewards"][-1]["referredId"] == friends[9]


@pytest.mark.parametrize("limit", ["0", "101", "-1", "x", "1.5", ""])
def test_a_limit_beyond_its_range_is_refused(
    rich: tuple[Program, str, str, list[str]], api: Api, limit: str
) -> None:
    program, earner, _, _ = rich
    path = f"{program.path}/participant/{earner}/rewards"

    answer = api.call("GET", path, params={"limit": limit})

    assert answer.status_code == 400
    assert answer.json()["errors"][0]["location"] == "query"


@pytest.mark.parametrize("cursor", ["nothing", "prew_zzzzzz_1", "prew_", "😀"])
def test_an_unknown_cursor_gives_an_empty_page(
    rich: tuple[Program, str, str, list[str]], api: Api, cursor: str
) -> None:
    program, earner, _, _ = rich
    path = f"{program.path}/participant/{earner}/rewards"

    page = api.ok("GET", path, params={"nextId": cursor})

    assert page == {"rewards": [], "limit": 10, "nextId": None}


def test_the_rewards_of_an_unknown_participant_are_a_bad_request(program: Program) -> None:
    answer = program.api.call("GET", f"{program.path}/participant/nobody/rewards")

    assert answer.status_code == 400


def test_a_removed_reward_at_the_cursor_is_passed_over(program: Program) -> None:
    earner = program.join()
    program.credit(earner, 3)
    newest_first = [one["id"] for one in reversed(program.earned(earner))]
    path = f"{program.path}/participant/{earner}/rewards"
    cursor = program.api.ok("GET", path, params={"limit": 1})["nextId"]

    call(program, "delete", cursor)
    rest = program.api.ok("GET", path, params={"nextId": cursor})

    assert cursor == newest_first[1]
    assert [one["id"] for one in rest["rewards"]] == newest_first[2:]
