"""E-mails to all participants are asked for at a pace, each by one message, however slowly they go
out and however long they wait."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from typing import Any
from unittest.mock import Mock

import pytest
from botocore.exceptions import ClientError

from grapevine import runtime
from grapevine.engine.due import LEASE_MS
from grapevine.engine.mail import pacing, runs
from grapevine.engine.mail.transitions import REDRIVE_MS
from grapevine.engine.messages import key_in
from grapevine.engine.month_end.calendar import IN_FLIGHT_MS
from grapevine.months import DAY_MS, month_at
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

NOT_WON = "campaignEndedNonWinners"
WELCOME = "welcomeNonReferred"
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


def test_an_email_that_is_to_be_tried_again_does_not_wait_for_the_queue_to_be_empty(
    office: Office,
) -> None:
    mailing = Mailing(office.stack, office.api, WELCOME)
    office.stack.mail.fail("TooManyRequestsException", times=1)
    mailing.joins()
    office.stack.drain()
    (again,) = mailing.mails()

    with office.stack.hold(SEND):
        mailing.joins()
        office.stack.advance(5 * MINUTE_MS)

    assert (again.state, again.attempts) == ("QUEUED", 1)
    assert sorted(office.asked().values()) == [1, 2]
    assert office.asked()[again.key] == 2
    office.stack.drain()
    assert Counter(mail.state for mail in mailing.mails()) == {"SENT": 2}


def test_a_lost_email_waits_for_others_so_long_and_each_further_message_takes_twice_as_long(
    office: Office, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("grapevine.engine.due.MAIL_HELD_AT_MOST_MS", 30 * MINUTE_MS)
    mailing = Mailing(office.stack, office.api, WELCOME)
    counts = []

    with office.stack.hold(SEND):
        mailing.joins()
        for minutes in (29, 8, 26, 10, 53, 10):
            office.stack.advance(minutes * MINUTE_MS)
            counts.append(len(office.messages))

    assert counts == [1, 2, 2, 3, 3, 4]
    office.stack.drain()
    assert len(office.stack.mail.sent()) == 1


@pytest.mark.parametrize("attempts", [0, 1])
def test_a_mail_queue_that_cannot_be_counted_holds_up_nothing_but_first_emails(
    office: Office, monkeypatch: pytest.MonkeyPatch, attempts: int
) -> None:
    campaign = office.api.campaign()
    referrer = office.api.add(campaign)["id"]
    friend = office.api.add(campaign, referredBy=referrer)["id"]
    office.api.trigger(campaign, friend, delayInDays=1)
    office.stack.advance(DAY_MS - 2 * MINUTE_MS)
    mailing = Mailing(office.stack, office.api, WELCOME)
    with office.stack.hold(SEND):
        mailing.joins()
        if attempts:
            office.stack.mail.fail("TooManyRequestsException", times=1)
        else:
            office.stack.drain()
            (first,) = office.stack.queues.receive("MailQueue", 1)
            assert first.receipt is not None
            office.stack.queues.delete("MailQueue", first.receipt)
    office.stack.drain()
    refused = ClientError({"Error": {"Code": "InternalError"}}, "GetQueueAttributes")

    with monkeypatch.context() as broken:
        broken.setattr("grapevine.engine.messages.count_waiting", Mock(side_effect=refused))
        office.stack.advance(4 * MINUTE_MS)

    assert office.api.read(campaign, friend)["referralStatus"] == "CREDIT_AWARDED"
    (mail,) = mailing.mails()
    assert (mail.state, mail.attempts) == (("SENT", 2) if attempts else ("QUEUED", 0))
    office.stack.advance(5 * MINUTE_MS)
    assert len(office.stack.mail.sent()) == 1


def test_the_sweep_s_lease_is_the_time_that_a_run_leaves() -> None:
    assert pacing.SWEPT_AFTER_MS == REDRIVE_MS >= LEASE_MS
