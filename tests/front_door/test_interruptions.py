"""Two requests in every order: the second runs whole after each single AWS call of the first."""

from __future__ import annotations

import itertools
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import partial

import httpx
import pytest

from grapevine.engine.participants.delete import ERASE_AFTER_MS
from local.stack import Stack
from tests import invariants
from tests.api import Api, Json, unique_email
from tests.scenarios import DAY_MS, erase, friends_of, interrupted, leap


@dataclass(frozen=True, slots=True)
class People:
    """A campaign with a referrer and a friend whose credit is pending."""

    api: Api
    campaign_id: str
    referrer: str
    friend: str

    @property
    def root(self) -> str:
        return f"/v2/campaign/{self.campaign_id}/participant"

    def post(self, path: str, body: Json) -> httpx.Response:
        return self.api.call("POST", f"{self.root}{path}", body)

    def trigger(self) -> httpx.Response:
        return self.post(f"/{self.friend}/ref", {})

    def award(self) -> httpx.Response:
        return self.post(f"/{self.friend}", {"referralStatus": "CREDIT_AWARDED"})

    def delete_friend(self) -> httpx.Response:
        return self.api.call("DELETE", f"{self.root}/{self.friend}")

    def delete_referrer(self) -> httpx.Response:
        return self.api.call("DELETE", f"{self.root}/{self.referrer}")

    def find_referrer_out(self) -> httpx.Response:
        return self.post(f"/{self.referrer}/fraud", {"fraudRiskLevel": "HIGH"})

    def count(self) -> int:
        count: int = self.api.read(self.campaign_id, self.referrer)["referralCount"]
        return count


@dataclass(frozen=True, slots=True)
class Race:
    """A campaign in which every meeting of two requests has people of its own."""

    stack: Stack
    api: Api
    campaign_id: str

    def people(self) -> People:
        referrer = self.api.add(self.campaign_id)["id"]
        (friend,) = friends_of(self.stack, self.campaign_id, referrer, 1)
        return People(self.api, self.campaign_id, referrer, friend)

    def refuse_high_risk(self) -> None:
        """Referrers of a high risk of fraud get no credit from now on."""
        options = {"fraud": {"blockHighRiskReferrers": True}}
        self.api.ok("PATCH", f"/v2/campaign/{self.campaign_id}/options", options)

    def in_every_order(
        self,
        function_id: str,
        first: Callable[[People], httpx.Response],
        second: Callable[[People], object],
    ) -> Iterator[tuple[People, httpx.Response]]:
        """The people and the answer to the first request, for each call that it makes.

        When there are no more, the table is checked.
        """
        for after_calls in itertools.count(1):
            people = self.people()
            with interrupted(
                self.stack, function_id, after_calls, partial(second, people), for_certain=False
            ) as interruption:
                answer = first(people)
            if not interruption.happened:
                break
            assert answer.status_code < 500, answer.text
            yield people, answer
        assert after_calls > 2, f"{function_id} made hardly a call"
        self.stack.drain()
        invariants.check(self.stack)
        erase(self.api)
        invariants.check(self.stack)
        assert not invariants.waiting(self.stack)


@pytest.fixture
def race(fresh_stack: Stack) -> Iterator[Race]:
    with Api(fresh_stack.url, fresh_stack.api_key) as api:
        yield Race(fresh_stack, api, api.campaign())


TRIGGER = "TriggerReferralFunction"
UPDATE = "UpdateParticipantFunction"
DELETE = "DeleteParticipantFunction"
ADD = "AddParticipantFunction"


def test_a_trigger_interrupted_by_another_gives_one_credit(race: Race) -> None:
    for people, answer in race.in_every_order(TRIGGER, People.trigger, People.trigger):
        assert answer.status_code == 200
        assert people.count() == 1


def test_a_trigger_interrupted_by_an_award_gives_one_credit(race: Race) -> None:
    for people, answer in race.in_every_order(TRIGGER, People.trigger, People.award):
        assert answer.status_code == 200
        assert people.count() == 1


def test_an_award_interrupted_by_a_trigger_gives_one_credit(race: Race) -> None:
    for people, answer in race.in_every_order(UPDATE, People.award, People.trigger):
        assert answer.status_code in {200, 400}
        assert people.count() == 1


def test_a_trigger_interrupted_by_the_deletion_of_the_friend_leaves_no_credit(race: Race) -> None:
    for people, _ in race.in_every_order(TRIGGER, People.trigger, People.delete_friend):
        assert people.count() == 0


def test_a_deletion_of_the_friend_interrupted_by_a_trigger_takes_the_credit_back(
    race: Race,
) -> None:
    for people, answer in race.in_every_order(DELETE, People.delete_friend, People.trigger):
        assert answer.status_code == 200
        assert people.count() == 0


@pytest.mark.parametrize(
    ("function_id", "first"), [(TRIGGER, People.trigger), (UPDATE, People.award)]
)
def test_a_credit_interrupted_by_the_deletion_of_the_referrer_goes_to_nobody(
    race: Race,
    function_id: str,
    first: Callable[[People], httpx.Response],
) -> None:
    for people, _ in race.in_every_order(function_id, first, People.delete_referrer):
        shown = people.api.read(people.campaign_id, people.friend)
        assert (shown["referralSource"], shown["referrer"]) == ("DELETED_PARTICIPANT", None)


REVIEW = "UpdateFraudFunction"


@pytest.mark.parametrize(
    ("function_id", "first"), [(TRIGGER, People.trigger), (UPDATE, People.award)]
)
def test_nobody_is_credited_once_the_referrer_is_found_out(
    race: Race,
    function_id: str,
    first: Callable[[People], httpx.Response],
) -> None:
    race.refuse_high_risk()
    then: list[int] = []

    def find_out(people: People) -> None:
        people.find_referrer_out()
        then.append(people.count())

    for people, answer in race.in_every_order(function_id, first, find_out):
        assert answer.status_code == 200
        assert people.count() == then[-1]
    assert set(then) == {0, 1}


def test_a_newcomer_gives_no_credit_once_the_referrer_is_found_out(race: Race) -> None:
    race.refuse_high_risk()
    then: list[int] = []

    def join(people: People) -> httpx.Response:
        referral = {"referredBy": people.referrer, "referralStatus": "CREDIT_AWARDED"}
        return people.post("", {"email": unique_email(), **referral})

    def find_out(people: People) -> None:
        people.find_referrer_out()
        then.append(people.count())

    for people, answer in race.in_every_order(ADD, join, find_out):
        assert answer.status_code == 200
        assert people.count() == then[-1]
    assert set(then) == {0, 1}


def test_a_referrer_who_is_credited_while_being_found_out_is_found_out(race: Race) -> None:
    race.refuse_high_risk()
    for people, answer in race.in_every_order(
        REVIEW, People.find_referrer_out, lambda people: people.trigger()
    ):
        assert answer.status_code == 200
        shown = people.api.read(people.campaign_id, people.referrer)
        assert shown["fraudRiskLevel"] == "HIGH"
        counted = people.count()
        assert not people.trigger().json()["success"]
        assert people.count() == counted


def test_a_deletion_of_the_referrer_interrupted_by_a_trigger_deletes(race: Race) -> None:
    for people, answer in race.in_every_order(DELETE, People.delete_referrer, People.trigger):
        assert answer.status_code == 200
        shown = people.api.read(people.campaign_id, people.friend)
        assert shown["referralSource"] == "DELETED_PARTICIPANT"


@pytest.mark.parametrize("status", ["CREDIT_PENDING", "CREDIT_AWARDED"])
def test_a_newcomer_whose_referrer_is_deleted_meanwhile_joins_without_one(
    race: Race,
    status: str,
) -> None:
    def join(people: People) -> httpx.Response:
        referral = {"referredBy": people.referrer, "referralStatus": status}
        return people.post("", {"email": unique_email(), **referral})

    for people, answer in race.in_every_order(ADD, join, People.delete_referrer):
        assert answer.status_code == 200
        shown = people.api.read(people.campaign_id, answer.json()["id"])
        assert shown["referrer"] is None
        assert "referralStatus" not in shown


@pytest.mark.parametrize("status", ["CREDIT_PENDING", "CREDIT_AWARDED"])
def test_a_referrer_who_is_deleted_while_being_assigned_refers_nobody(
    race: Race,
    status: str,
) -> None:
    emails = (unique_email() for _ in itertools.count())

    def assign(people: People) -> httpx.Response:
        someone = people.api.add(people.campaign_id, next(emails))["id"]
        return people.post(f"/{someone}", {"referredBy": people.referrer, "referralStatus": status})

    for people, answer in race.in_every_order(UPDATE, assign, People.delete_referrer):
        assert answer.status_code in {200, 400}
        for shown in people.api.all_pages(people.campaign_id, limit=100):
            assert shown["referrer"] is None


def test_a_second_referrer_assigned_meanwhile_is_refused(race: Race) -> None:
    def rival(people: People) -> str:
        return f"rival-{people.friend}@example.com"

    def assign(people: People) -> httpx.Response:
        people.api.add(people.campaign_id, rival(people))
        people.api.add(people.campaign_id, f"x{rival(people)}")
        body = {"referredBy": people.referrer, "referralStatus": "CREDIT_AWARDED"}
        return people.post(f"/x{rival(people)}", body)

    def other(people: People) -> httpx.Response:
        body = {"referredBy": rival(people), "referralStatus": "CREDIT_AWARDED"}
        return people.post(f"/x{rival(people)}", body)

    for people, answer in race.in_every_order(UPDATE, assign, other):
        assert answer.status_code in {200, 400}
        rivals = people.api.read(people.campaign_id, rival(people))["referralCount"]
        assert rivals + people.count() == 1


def test_an_add_interrupted_by_the_same_add_answers_the_one_participant(race: Race) -> None:
    def join(people: People) -> httpx.Response:
        email = f"twin-{people.friend}@example.com"
        return people.post("", {"email": email, "firstName": "Ada"})

    for people, answer in race.in_every_order(ADD, join, join):
        again = join(people).json()
        assert answer.json()["id"] == again["id"]
        assert again["isNew"] is False


def rename(people: People, whom: str) -> httpx.Response:
    names = {"email": f"new-{people.friend}@example.com", "vanityKeys": [f"new-{people.friend}"]}
    return people.post(f"/{whom}", names)


def test_a_participant_deleted_while_being_changed_stays_deleted(race: Race) -> None:
    for people, answer in race.in_every_order(
        UPDATE, lambda people: rename(people, people.friend), People.delete_friend
    ):
        assert answer.status_code in {200, 400}
        gone = people.api.call("GET", f"{people.root}/{people.friend}")
        assert gone.status_code == 400


def test_a_participant_changed_while_being_deleted_frees_all_its_names(race: Race) -> None:
    for people, answer in race.in_every_order(
        DELETE, People.delete_friend, lambda people: rename(people, people.friend)
    ):
        assert answer.status_code == 200
        assert rename(people, people.referrer).status_code == 200


def test_a_delayed_credit_that_falls_due_while_being_taken_back_is_one_or_the_other(
    race: Race,
) -> None:
    def take_back(people: People) -> httpx.Response:
        people.post(f"/{people.friend}/ref", {"delayInDays": 1})
        return people.api.call("DELETE", f"{people.root}/{people.friend}/ref")

    def fall_due(people: People) -> None:
        leap(race.stack, race.stack.now_ms() + DAY_MS)
        people.api.ok("POST", "/_local/drain")

    function_id = "CancelReferralTriggerFunction"
    for people, answer in race.in_every_order(function_id, take_back, fall_due):
        race.stack.drain()
        assert people.count() == (0 if answer.json()["success"] else 1)


@pytest.mark.parametrize(
    ("function_id", "second"),
    [
        ("SweepDueFunction", People.trigger),
        ("SettleDueFunction", People.trigger),
        ("SettleDueFunction", People.delete_friend),
        ("SettleDueFunction", People.delete_referrer),
    ],
)
def test_due_work_interrupted_by_a_request_does_nothing_twice(
    race: Race,
    function_id: str,
    second: Callable[[People], httpx.Response],
) -> None:
    def fall_due(people: People) -> httpx.Response:
        people.post(f"/{people.friend}/ref", {"delayInDays": 1})
        leap(race.stack, race.stack.now_ms() + DAY_MS)
        return people.api.call("POST", "/_local/drain")

    for _ in race.in_every_order(function_id, fall_due, second):
        race.stack.drain()
        invariants.check(race.stack)


def test_a_friend_who_gets_a_new_referrer_during_the_erasure_of_the_old_keeps_the_new(
    race: Race,
) -> None:
    def rival(people: People) -> str:
        return f"rival-{people.friend}@example.com"

    def clean_up(people: People) -> httpx.Response:
        people.api.add(people.campaign_id, rival(people))
        people.delete_referrer()
        leap(race.stack, race.stack.now_ms() + ERASE_AFTER_MS)
        return people.api.call("POST", "/_local/drain")

    def assign(people: People) -> None:
        answer = people.post(f"/{people.friend}", {"referredBy": rival(people)})
        assert answer.status_code == 200

    for people, _ in race.in_every_order("SettleDueFunction", clean_up, assign):
        shown = people.api.read(people.campaign_id, people.friend)
        assert shown["referrer"]["email"] == rival(people)


def test_a_setting_patched_while_another_is_being_patched_stays(race: Race) -> None:
    path = f"/v2/campaign/{race.campaign_id}/installation"

    def page(people: People) -> str:
        return f"https://{people.friend}.example.com/"

    for people, _ in race.in_every_order(
        "UpdateInstallationFunction",
        lambda people: people.api.call("PATCH", path, {"shareUrl": page(people)}),
        lambda people: people.api.ok("PATCH", path, {"allowedUrls": [page(people)]}),
    ):
        shown = people.api.ok("GET", path)
        assert (shown["shareUrl"], shown["allowedUrls"]) == (page(people), [page(people)])
