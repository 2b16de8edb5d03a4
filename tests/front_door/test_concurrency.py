"""Many callers at once, through real sockets.

On moto the calls to the table are one after the other, so only their order varies; on DynamoDB
Local transactions conflict for real.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from functools import partial

import httpx
import pytest

from local.stack import Stack
from tests import invariants
from tests.api import Api, Json, unique_email
from tests.scenarios import DAY_MS, at_once, friends_of

pytestmark = pytest.mark.both_engines


@pytest.fixture
def api(stack: Stack) -> Iterator[Api]:
    """A client; after the test the totals are brought up to date and the table is checked."""
    with Api(stack.url, stack.api_key) as client:
        yield client
    stack.drain()
    invariants.check(stack)


def _sent(method: str, path: str, body: Json | None, api: Api) -> httpx.Response:
    """The answer; a 409 (the same data is being changed) is sent again, as the official SDK does.

    It is rare: the server itself tries for eight seconds, which only a crowded machine uses up.
    """
    for _ in range(5):
        answer = api.call(method, path, body)
        if answer.status_code != 409:
            break
    return answer


def _post(path: str, body: Json) -> Callable[[Api], httpx.Response]:
    return partial(_sent, "POST", path, body)


def _patch(path: str, body: Json) -> Callable[[Api], httpx.Response]:
    return partial(_sent, "PATCH", path, body)


def _bodies(answers: Sequence[httpx.Response]) -> list[Json]:
    assert {answer.status_code for answer in answers} == {200}
    return [answer.json() for answer in answers]


def _delete(path: str) -> Callable[[Api], httpx.Response]:
    return partial(_sent, "DELETE", path, None)


def test_fifty_adds_of_one_email_make_one_participant(stack: Stack, api: Api) -> None:
    campaign_id = api.campaign()
    email = unique_email()

    add = _post(f"/v2/campaign/{campaign_id}/participant", {"email": email, "firstName": "Ada"})

    answers = _bodies(at_once(stack, [add] * 50))

    assert len({answer["id"] for answer in answers}) == 1
    assert Counter(answer["isNew"] for answer in answers) == {True: 1, False: 49}
    stack.drain()
    assert api.read_campaign(campaign_id)["participantCount"] == 1


def test_fifty_triggers_of_one_friend_give_one_credit(stack: Stack, api: Api) -> None:
    campaign_id = api.campaign()
    referrer = api.add(campaign_id)["id"]
    friend = api.add(campaign_id, referredBy=referrer)["id"]

    trigger = _post(f"/v2/campaign/{campaign_id}/participant/{friend}/ref", {})

    answers = _bodies(at_once(stack, [trigger] * 50))

    assert Counter(answer["success"] for answer in answers) == {True: 1, False: 49}
    shown = api.read(campaign_id, referrer)
    assert (shown["referralCount"], shown["referrals"]) == (1, [friend])


@pytest.mark.timeout(300)
def test_two_hundred_friends_triggered_from_sixteen_threads_all_count(
    fresh_stack: Stack,
) -> None:
    with Api(fresh_stack.url, fresh_stack.api_key) as api:
        campaign_id = api.campaign()
        referrer = api.add(campaign_id)["id"]
        friends = friends_of(fresh_stack, campaign_id, referrer, 200)
        paths = [f"/v2/campaign/{campaign_id}/participant/{friend}/ref" for friend in friends]

        answers = at_once(fresh_stack, [_post(path, {}) for path in paths], threads=16)

        assert Counter(answer.status_code for answer in answers) == {200: 200}
        assert all(answer.json()["success"] for answer in answers)
        shown = api.read(campaign_id, referrer)
        assert (shown["referralCount"], shown["monthlyReferralCount"]) == (200, 200)
        fresh_stack.drain()
        campaign = api.read_campaign(campaign_id)
        assert (campaign["referralCount"], campaign["participantCount"]) == (200, 201)
    invariants.check(fresh_stack)


@pytest.mark.parametrize("field", ["vanityKeys", "email"])
def test_only_one_of_many_gets_a_name_that_all_want(stack: Stack, api: Api, field: str) -> None:
    campaign_id = api.campaign()
    racers = [api.add(campaign_id)["id"] for _ in range(8)]
    wanted: Json = (
        {"vanityKeys": ["Winner"]} if field == "vanityKeys" else {"email": unique_email()}
    )

    answers = at_once(
        stack,
        [_post(f"/v2/campaign/{campaign_id}/participant/{racer}", wanted) for racer in racers],
    )

    assert Counter(answer.status_code for answer in answers) == {200: 1, 400: 7}
    shown = [api.read(campaign_id, racer) for racer in racers]
    assert [one[field] for one in shown].count(wanted[field]) == 1


def test_an_email_goes_either_to_a_newcomer_or_to_somebody_who_changes_to_it(
    stack: Stack, api: Api
) -> None:
    campaign_id = api.campaign()
    emails = [unique_email() for _ in range(6)]
    holders = [api.add(campaign_id)["id"] for _ in emails]
    root = f"/v2/campaign/{campaign_id}/participant"

    answers = at_once(
        stack,
        [_post(root, {"email": email}) for email in emails]
        + [
            _post(f"{root}/{holder}", {"email": email})
            for holder, email in zip(holders, emails, strict=True)
        ],
    )

    added, changed = answers[: len(emails)], answers[len(emails) :]
    for holder, email, add, change in zip(holders, emails, added, changed, strict=True):
        assert add.status_code == 200
        assert change.status_code == (400 if add.json()["isNew"] else 200)
        assert api.read(campaign_id, email)["id"] == add.json()["id"]
        assert add.json()["isNew"] or add.json()["id"] == holder


def test_a_trigger_beside_an_award_by_update_gives_one_credit(stack: Stack, api: Api) -> None:
    campaign_id = api.campaign()
    referrer = api.add(campaign_id)["id"]
    friends = friends_of(stack, campaign_id, referrer, 8)
    root = f"/v2/campaign/{campaign_id}/participant"

    answers = at_once(
        stack,
        [
            call
            for friend in friends
            for call in (
                _post(f"{root}/{friend}/ref", {}),
                _post(f"{root}/{friend}", {"referralStatus": "CREDIT_AWARDED"}),
            )
        ],
    )

    for trigger, update in zip(answers[::2], answers[1::2], strict=True):
        assert trigger.status_code == 200
        assert update.status_code == (400 if trigger.json()["success"] else 200)
    assert api.read(campaign_id, referrer)["referralCount"] == 8


def test_a_trigger_beside_the_deletion_of_the_friend_leaves_no_credit(
    stack: Stack, api: Api
) -> None:
    campaign_id = api.campaign()
    referrer = api.add(campaign_id)["id"]
    friends = friends_of(stack, campaign_id, referrer, 8)
    root = f"/v2/campaign/{campaign_id}/participant"

    answers = at_once(
        stack,
        [
            call
            for friend in friends
            for call in (
                _post(f"{root}/{friend}/ref", {}),
                _delete(f"{root}/{friend}"),
            )
        ],
    )

    assert {answer.status_code for answer in answers[::2]} <= {200, 400}
    assert {answer.status_code for answer in answers[1::2]} == {200}
    shown = api.read(campaign_id, referrer)
    assert (shown["referralCount"], shown["referrals"]) == (0, [])


def test_triggers_beside_the_deletion_of_the_referrer_leave_friends_without_one(
    stack: Stack, api: Api
) -> None:
    campaign_id = api.campaign()
    referrer = api.add(campaign_id)["id"]
    friends = friends_of(stack, campaign_id, referrer, 8)
    root = f"/v2/campaign/{campaign_id}/participant"

    *triggers, deletion = at_once(
        stack,
        [
            *(_post(f"{root}/{friend}/ref", {}) for friend in friends),
            _delete(f"{root}/{referrer}"),
        ],
    )

    assert {answer.status_code for answer in triggers} == {200}
    assert deletion.status_code == 200
    for friend in friends:
        shown = api.read(campaign_id, friend)
        assert (shown["referralSource"], shown["referrer"]) == ("DELETED_PARTICIPANT", None)
    stack.drain()
    assert api.read_campaign(campaign_id)["referralCount"] == 0


def test_a_delayed_credit_is_either_taken_back_or_given_by_the_sweep(fresh_stack: Stack) -> None:
    with Api(fresh_stack.url, fresh_stack.api_key) as api:
        campaign_id = api.campaign()
        referrer = api.add(campaign_id)["id"]
        friends = friends_of(fresh_stack, campaign_id, referrer, 8)
        for friend in friends:
            api.trigger(campaign_id, friend, delayInDays=1)
        root = f"/v2/campaign/{campaign_id}/participant"

        *answers, _ = at_once(
            fresh_stack,
            [
                *(_delete(f"{root}/{friend}/ref") for friend in friends),
                _post("/_local/clock", {"advanceMs": DAY_MS}),
            ],
        )

        fresh_stack.drain()
        statuses = [api.read(campaign_id, friend)["referralStatus"] for friend in friends]
        taken_back = [answer.json()["success"] for answer in answers]
        assert [status == "CREDIT_PENDING" for status in statuses] == taken_back
        assert api.read(campaign_id, referrer)["referralCount"] == taken_back.count(False)
    invariants.check(fresh_stack)


def test_updates_of_different_fields_lose_nothing(stack: Stack, api: Api) -> None:
    campaign_id = api.campaign()
    someone = api.add(campaign_id)["id"]
    changes: list[Json] = [
        {"firstName": "Ada"},
        {"lastName": "Lovelace"},
        {"notes": "first programmer"},
        {"unsubscribed": True},
        {"vanityKeys": ["ada"]},
        {"email": unique_email()},
        *({"metadata": {f"key{number}": number}} for number in range(6)),
    ]

    path = f"/v2/campaign/{campaign_id}/participant/{someone}"

    answers = at_once(stack, [_post(path, change) for change in changes])

    assert {answer.status_code for answer in answers} == {200}
    shown = api.read(campaign_id, someone)
    for change in changes[:6]:
        assert shown.items() >= change.items()
    assert shown["metadata"] == {f"key{number}": number for number in range(6)}


def test_patches_of_different_options_lose_nothing(stack: Stack, api: Api) -> None:
    campaign_id = api.campaign()
    patches: list[tuple[str, Json]] = [
        ("/options", {"requireManualRewardApproval": True}),
        ("/options", {"enforceGdprCompliance": True}),
        ("/options", {"attributionModel": "FIRST_CLICK"}),
        ("/options", {"referralCookieWindowDays": 7}),
        ("/options", {"referralCreditWindowDays": 30}),
        ("/installation", {"referralTrigger": "ON_SIGNUP"}),
        ("/installation", {"shareUrl": "https://example.com/"}),
        ("", {"name": "Spring"}),
    ]
    root = f"/v2/campaign/{campaign_id}"

    answers = at_once(stack, [_patch(root + part, body) for part, body in patches])

    assert {answer.status_code for answer in answers} == {200}
    for part, body in patches:
        assert api.ok("GET", root + part).items() >= body.items()
