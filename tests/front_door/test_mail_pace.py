"""E-mails to all participants are asked for at a pace, each by one message, however slowly they go
out and however long they wait."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from typing import Any

import pytest

from grapevine import runtime
from grapevine.engine.due import LEASE_MS
from grapevine.engine.mail import pacing, runs
from grapevine.engine.mail.transitions import REDRIVE_MS
from grapevine.engine.messages import key_in
from grapevine.engine.month_end.calendar import IN_FLIGHT_MS
from grapevine.months import month_at
from grapevine.table import keys, store
from grapevine.table.keys import Key
from grapevine.table.participants import Profile
from grapevine.table.standings import Standing
from grapevine.table.writes import ABSENT
from local.queues import Message
from local.stack import Stack
from tests.api import Api
from tests.conftest import TEMPLATE
from tests.mailing import Mailing
from tests.post_office import SEND
from tests.scenarios import MINUTE_MS

pytestmark = pytest.mark.one_engine

NOT_WON = "campaignEndedNonWinners"
SIZE = 150
RATE, PAGE = 1, 10
A_MINUTE = RATE * 60


class Office:
    """A stack that asks for `RATE` e-mails of runs a second, and all messages that were ever put
    into its mail queue."""

    def __init__(self, stack: Stack, api: Api, monkeypatch: pytest.MonkeyPatch) -> None:
        self.stack, self.api = stack, api
        self.messages: list[Message] = []
        send = stack.queues.send

        def noted(address: str, *arguments: Any, **named: Any) -> Message:
            message = send(address, *arguments, **named)
            if stack.queues.declaration(address).logical_id == "MailQueue":
                self.messages.append(message)
            return message

        monkeypatch.setattr(stack.queues, "send", noted)

    def campaign_of(self, size: int) -> Mailing:
        """A campaign whose participants, put into the table past the API, have all joined."""
        mailing = Mailing(self.stack, self.api, NOT_WON)
        now = self.stack.now_ms()
        with runtime.using(self.stack.runtime()):
            for number in range(1, size + 1):
                one: Any = {"campaign_id": mailing.id, "participant_id": f"p{number:05d}"}
                email = f"p{number}@{mailing.id}.example"
                joined = month_at(now)
                standing = Standing(**one, join_sequence=number, joined_month=joined)
                store.put(standing.to_item(), ABSENT)
                store.put(Profile(**one, email=email, created_at=now).to_item(), ABSENT)
            sequence = keys.join_sequence(mailing.id)
            last = {**sequence._asdict(), "type": "Sequence", "joinSequence": size}
            assert store.put(last, ABSENT)
        return mailing

    def ends(self, *mailings: Mailing) -> None:
        """The campaigns end, and the next sweep takes up what they tell of it."""
        for mailing in mailings:
            self.api.set_status(mailing.id, "COMPLETE")
        self.stack.drain()
        self.stack.advance(IN_FLIGHT_MS + MINUTE_MS)

    def all_go_out(self) -> None:
        """Empties the mail queue, in place of the function that sends."""
        self.stack.advance(MINUTE_MS - 5_000)
        while received := self.stack.queues.receive("MailQueue", 10):
            for message in received:
                assert message.receipt is not None
                self.stack.queues.delete("MailQueue", message.receipt)

    def asked(self) -> Counter[Key]:
        """For each mail, how many messages have named it."""
        return Counter(key_in(message.body) for message in self.messages)


@pytest.fixture
def office(engine: str, monkeypatch: pytest.MonkeyPatch) -> Iterator[Office]:
    monkeypatch.setattr(runs, "PAGE", PAGE)
    with (
        Stack(TEMPLATE, engine=engine, parameters={"MailRunRate": str(RATE)}) as stack,
        Api(stack.url, stack.api_key) as api,
    ):
        yield Office(stack, api, monkeypatch)


def test_a_run_s_emails_get_one_message_each_however_long_they_wait(office: Office) -> None:
    mailing = office.campaign_of(SIZE)

    with office.stack.hold(SEND):
        office.ends(mailing)
        office.stack.advance(2 * LEASE_MS + MINUTE_MS)
        waiting = mailing.mails()
        assert A_MINUTE <= len(waiting) < SIZE
        assert office.asked() == {mail.key: 1 for mail in waiting}
    office.stack.advance(4 * MINUTE_MS)

    assert office.asked() == {mail.key: 1 for mail in mailing.mails()}
    assert len(office.messages) == SIZE
    assert Counter(mail.state for mail in mailing.mails()) == {"SENT": SIZE}
    assert len(office.stack.mail.sent()) == SIZE


def test_a_run_asks_for_no_more_than_its_rate_and_leaves_time_before_the_sweep(
    office: Office,
) -> None:
    mailing = office.campaign_of(90)

    with office.stack.hold(SEND):
        office.ends(mailing)
        office.stack.advance(2 * MINUTE_MS)
        due = {mail.key: mail.due_at for mail in mailing.mails()}
    visible = sorted(message.visible_at for message in office.messages)

    assert len(visible) == 90
    for first, last in zip(visible, visible[A_MINUTE:], strict=False):
        assert last - first >= MINUTE_MS - PAGE * 1000
    for message in office.messages:
        due_at = due[key_in(message.body)]
        assert due_at is not None
        assert due_at >= message.visible_at + LEASE_MS


def test_runs_take_turns_in_an_order_that_is_drawn_anew(
    office: Office, monkeypatch: pytest.MonkeyPatch
) -> None:
    large, small = office.campaign_of(150), office.campaign_of(5)
    draws = iter([0.9, 0.1])
    monkeypatch.setattr("grapevine.engine.mail.pacing.random.random", lambda: next(draws, 0.5))

    with office.stack.hold(SEND):
        office.ends(large, small)
        first = len(large.mails()), len(small.mails())
        office.all_go_out()
        office.stack.advance(MINUTE_MS)
        second = len(large.mails()), len(small.mails())

    assert first == (A_MINUTE, 0)
    assert second[0] < 150
    assert second[1] == 5
    assert {message.group for message in office.messages} == {large.id, small.id}


def test_an_email_whose_message_was_lost_waits_only_while_others_wait(office: Office) -> None:
    mailing = office.campaign_of(12)
    with office.stack.hold(SEND):
        office.ends(mailing)
        first, *_ = office.stack.queues.receive("MailQueue", 1)
        assert first.receipt is not None
        office.stack.queues.delete("MailQueue", first.receipt)
        office.stack.advance(2 * LEASE_MS)
        assert set(office.asked().values()) == {1}
    office.stack.drain()
    office.stack.advance(LEASE_MS)

    assert office.asked()[key_in(first.body)] == 2
    assert Counter(office.asked().values()) == {1: 11, 2: 1}
    assert len(office.stack.mail.sent()) == 12


def test_the_sweep_s_lease_is_the_time_that_a_run_leaves() -> None:
    assert pacing.SWEPT_AFTER_MS == REDRIVE_MS >= LEASE_MS
