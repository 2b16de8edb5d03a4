"""Whatever people do in whatever order, over months: the API shows what a simple model says."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st

from grapevine.months import month_at, start_of
from local.stack import Stack
from tests import invariants
from tests.api import Api, Json
from tests.scenarios import DAY_MS, HOUR_MS, leap, project

pytestmark = pytest.mark.both_engines

TEMPLATE = Path(__file__).parents[2] / "template.yaml"
MOST_PEOPLE = 8

PENDING, AWARDED, EXPIRED = "CREDIT_PENDING", "CREDIT_AWARDED", "CREDIT_EXPIRED"


Step = tuple[str, dict[str, Any]]
"""A method of the lifecycle, and what to call it with."""


@dataclass
class Person:
    """Somebody alive. `credited` orders the credits in time; None where there is none."""

    id: str
    email: str
    joined_at: int
    sequence: int
    source: str = "DIRECT"
    referrer: Person | None = None
    status: str | None = None
    pending_since: int = 0
    award_at: int | None = None
    credited: int | None = None
    credited_month: int | None = None


class Lifecycle:
    """A campaign and the model of it.

    Times of the model are read from the stack's clock, and leaps are longer than any call.
    """

    def __init__(self, stack: Stack, api: Api, *, at_signup: bool, window: int | None) -> None:
        self.stack, self.api = stack, api
        # A fixed place in a month, so that every run is the same.
        leap(stack, start_of(month_at(stack.now_ms()) + 1) + 20 * DAY_MS)
        self.people: list[Person] = []
        self.left: list[str] = []
        self.live = True
        self.joined = self.credits = 0
        self.at_signup = at_signup
        self.window = None if at_signup or window is None else window * DAY_MS
        self.id = api.campaign(
            installation={"referralTrigger": "ON_SIGNUP" if at_signup else "CUSTOM"},
            options={"referralCreditWindowDays": window},
        )
        for whom in (None, 0, 0, 1):
            self.join(whom, None if at_signup else PENDING, again=False)

    def live_on(self, story: Sequence[Step]) -> None:
        for name, arguments in story:
            if self.people or name not in _OF_SOMEBODY:
                getattr(self, name)(**arguments)
            self.check_everybody()

    # --- What people do -----------------------------------------------------------------------

    def join(self, whom: int | None, status: str | None, *, again: bool) -> None:
        if len(self.people) == MOST_PEOPLE:
            return
        email = self.left.pop() if again and self.left else f"person-{self.joined}@example.com"
        referrer = self._somebody(whom) if whom is not None and self.people else None
        fields: Json = {"referralStatus": status} if status else {}
        if referrer:
            fields["referredBy"] = referrer.email

        added = self.api.add(self.id, email, **fields)

        assert added["isNew"]
        self.joined += 1
        person = Person(added["id"], email, added["createdAt"], self.joined)
        self.people.append(person)
        if referrer:
            self._refer(person, referrer, status)

    def join_twice(self, who: int, whom: int) -> None:
        email = self._somebody(who).email.upper()

        added = self.api.add(self.id, email, referredBy=self._somebody(whom).id, firstName="Eve")

        assert not added["isNew"]

    def assign(self, who: int, whom: int, status: str | None) -> None:
        person, referrer = self._somebody(who), self._somebody(whom)
        body = {"referredBy": referrer.id} | ({"referralStatus": status} if status else {})

        answer = self._post(person, "", body)

        refused = person is referrer or person.referrer is not None
        assert answer == (400 if refused else 200)
        if not refused:
            self._refer(person, referrer, status)

    def set_status(self, who: int, status: str) -> None:
        person = self._somebody_pending(who)
        before = self._status(person)

        answer = self._post(person, "", {"referralStatus": status})

        assert answer == (400 if before in {None, AWARDED} else 200)
        if answer == 400 or status == before:
            return
        if status == AWARDED:
            if self.live:
                self._credit(person)
            return
        person.status, person.award_at = status, None
        person.pending_since = self.stack.now_ms()

    def trigger(self, who: int, delay: int | None) -> None:
        person = self._somebody_pending(who)
        before, stored = self._status(person), person.status

        answer = self.api.trigger(self.id, person.id, **({"delayInDays": delay} if delay else {}))

        window_passed = before == EXPIRED and stored == PENDING
        works = window_passed or (before == PENDING and self.live)
        # Whether the sweep or a trigger has written an expiry down, the model does not know.
        assert answer["success"] == works or before == EXPIRED
        if before == EXPIRED:
            person.status = EXPIRED
        elif works and delay:
            person.award_at = self.stack.now_ms() + delay * DAY_MS
        elif works:
            self._credit(person)

    def take_back(self, who: int) -> None:
        person = self._somebody_pending(who)

        answer = self.api.cancel_trigger(self.id, person.id)

        assert answer["success"] == (person.award_at is not None)
        person.award_at = None
        assert not self.api.cancel_trigger(self.id, person.id)["success"]

    def leave(self, who: int, *, by_email: bool) -> None:
        person = self._somebody(who)

        self.api.delete(self.id, person.email if by_email else person.id)

        self.people.remove(person)
        self.left.append(person.email)
        for friend in self.people:
            if friend.referrer is person:
                friend.source, friend.referrer, friend.status = "DELETED_PARTICIPANT", None, None
                friend.award_at = friend.credited = friend.credited_month = None

    def end_or_resume(self) -> None:
        self.live = not self.live
        self.api.set_status(self.id, "IN_PROGRESS" if self.live else "COMPLETE")

    # --- What time does -----------------------------------------------------------------------

    def pass_time(self, hours: int | None, *, drained: bool) -> None:
        """Without hours, to the beginning of the next month."""
        now = self.stack.now_ms()
        next_month = start_of(month_at(now) + 1) + HOUR_MS
        leap(self.stack, next_month if hours is None else now + hours * HOUR_MS)
        if drained:
            self.drain()

    def drain(self) -> None:
        now = self.stack.now_ms()
        self.stack.drain()
        due = [one for one in self.people if one.award_at is not None and one.award_at <= now]
        for person in due:
            person.award_at = None
            if self.live:
                self._credit(person)
        self._check_totals()
        invariants.check(self.stack)

    # --- What the model says ------------------------------------------------------------------

    def _somebody(self, number: int) -> Person:
        return self.people[number % len(self.people)]

    def _somebody_pending(self, number: int) -> Person:
        """Of those whose credit is open, while there are some: most can happen to them."""
        pending = [one for one in self.people if one.status in {PENDING, EXPIRED}]
        pending += 2 * [one for one in pending if one.award_at is not None]
        return pending[number % len(pending)] if pending else self._somebody(number)

    def _post(self, person: Person, end: str, body: Json) -> int:
        path = f"/v2/campaign/{self.id}/participant/{person.id}{end}"
        return self.api.call("POST", path, body).status_code

    def _refer(self, person: Person, referrer: Person, status: str | None) -> None:
        person.source, person.referrer, person.status = "PARTICIPANT", referrer, PENDING
        person.pending_since = self.stack.now_ms() if status else person.joined_at
        if status == AWARDED or (status is None and self.at_signup):
            if self.live:
                self._credit(person)
        elif status == EXPIRED:
            person.status = EXPIRED

    def _credit(self, person: Person) -> None:
        self.credits += 1
        person.status, person.award_at = AWARDED, None
        person.credited, person.credited_month = self.credits, month_at(self.stack.now_ms())

    def _status(self, person: Person) -> str | None:
        if person.status != PENDING or person.award_at is not None or self.window is None:
            return person.status
        return EXPIRED if self.stack.now_ms() >= person.pending_since + self.window else PENDING

    def _friends(self, person: Person, month: int | None = None) -> list[str]:
        """The credited ones, of one month or of all, newest credit first."""
        friends = [
            one
            for one in self.people
            if one.referrer is person and one.credited and month in {None, one.credited_month}
        ]
        return [one.id for one in sorted(friends, key=lambda one: -(one.credited or 0))]

    def _rank(self, person: Person, month: int | None = None) -> int:
        def place(one: Person) -> tuple[int, int]:
            return -len(self._friends(one, month)), one.sequence

        return 1 + sum(place(one) < place(person) for one in self.people)

    def _expected(self, person: Person) -> Json:
        month = month_at(self.stack.now_ms())
        is_new = month_at(person.joined_at) == month
        return {
            "id": person.id,
            "email": person.email,
            "referralSource": person.source,
            "referralStatus": self._status(person),
            "referredBy": person.referrer.id if person.referrer else None,
            "referralCount": len(self._friends(person)),
            "monthlyReferralCount": len(self._friends(person, month)),
            "prevMonthlyReferralCount": len(self._friends(person, month - 1)),
            "referrals": self._friends(person),
            "monthlyReferrals": self._friends(person, month),
            "rank": self._rank(person),
            "monthlyRank": self._rank(person, month),
            "prevMonthlyRank": -1 if is_new else self._rank(person, month - 1),
        }

    def check_everybody(self) -> None:
        project(self.stack)
        rows = self.api.page(self.id, limit=100)["participants"]

        expected = [self._expected(one) for one in reversed(self.people)]
        names = expected[0].keys() if expected else ()
        shown: list[Any] = [{name: row.get(name) for name in names} for row in rows]
        assert shown == expected
        for row, person in zip(rows, reversed(self.people), strict=True):
            above = row["referrer"]
            assert (above and above["id"]) == (person.referrer and person.referrer.id)
            if person.referrer:
                counts = ("referralCount", "monthlyReferralCount", "rank", "referrals")
                assert {k: above[k] for k in counts}.items() <= self._expected(
                    person.referrer
                ).items()

    def _check_totals(self) -> None:
        shown = self.api.read_campaign(self.id)
        credited = sum(len(self._friends(one)) for one in self.people)
        assert (shown["participantCount"], shown["referralCount"]) == (len(self.people), credited)


def _step(name: str, **arguments: st.SearchStrategy[Any]) -> st.SearchStrategy[Step]:
    return st.tuples(st.just(name), st.fixed_dictionaries(arguments))


_OF_SOMEBODY = {"join_twice", "assign", "set_status", "trigger", "take_back", "leave"}
_ONE = st.integers(0, 11)
_STEPS = st.one_of(
    _step(
        "join",
        whom=st.none() | _ONE,
        status=st.sampled_from([None, PENDING, AWARDED]),
        again=st.booleans(),
    ),
    _step("join_twice", who=_ONE, whom=_ONE),
    _step("assign", who=_ONE, whom=_ONE, status=st.sampled_from([None, PENDING, AWARDED, EXPIRED])),
    *[_step("set_status", who=_ONE, status=st.sampled_from([PENDING, AWARDED, EXPIRED]))] * 2,
    *[_step("trigger", who=_ONE, delay=st.sampled_from([None, 1, 1, 3]))] * 4,
    *[_step("take_back", who=_ONE)] * 2,
    _step("leave", who=_ONE, by_email=st.booleans()),
    *[_step("end_or_resume")] * 2,
    *[_step("pass_time", hours=st.sampled_from([6, 25, 73, None]), drained=st.booleans())] * 3,
)


@pytest.mark.timeout(300)
@settings(
    max_examples=20,
    deadline=None,
    derandomize=True,
    # Shrinking would take longer than reading a story of 25 steps.
    phases=[Phase.generate],
    suppress_health_check=list(HealthCheck),
)
@given(
    story=st.lists(_STEPS, min_size=25, max_size=25),
    at_signup=st.sampled_from([False, False, True]),
    window=st.sampled_from([1, None, 3]),
)
def test_any_story_ends_as_the_model_tells_it(
    engine: str, story: list[Step], *, at_signup: bool, window: int | None
) -> None:
    with (
        Stack(TEMPLATE, engine=engine) as stack,
        Api(stack.url, stack.api_key) as api,
    ):
        lifecycle = Lifecycle(stack, api, at_signup=at_signup, window=window)

        lifecycle.live_on(story)

        lifecycle.drain()
