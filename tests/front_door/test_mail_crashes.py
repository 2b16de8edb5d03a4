"""Sending dies after each single call, messages and events come twice, late or not at all: nobody
gets an e-mail twice, and none that was accepted is lost."""

from __future__ import annotations

import itertools
import json
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest

from grapevine.engine.due import LEASE_MS as SWEEP_LEASE_MS
from grapevine.engine.mail import post, transitions
from grapevine.engine.mail.transitions import LEASE_MS
from local.mail_service import LOST_ANSWER
from local.stack import Stack
from tests import invariants
from tests.api import Api
from tests.post_office import RECORD, RELAY, SEND, SWEEP, PostOffice, give_settings
from tests.scenarios import HOUR_MS, MINUTE_MS, leap


@pytest.fixture
def new_office(stack: Stack, api: Api) -> Iterator[Callable[[], PostOffice]]:
    yield lambda: PostOffice(stack, api)
    stack.mail.empty()
    stack.drain()
    assert not stack.queue_messages("StreamFailureQueue")


def later(stack: Stack, milliseconds: int) -> None:
    """So much later, what has fallen due meanwhile is done."""
    leap(stack, stack.now_ms() + milliseconds)
    stack.drain()


def assert_sent_once(office: PostOffice, *emails: str) -> None:
    assert office.sent_to(*emails) == dict.fromkeys(emails, 1)
    assert office.states() == {"SENT": len(emails)}
    for mail in office.items():
        assert mail.ses_message_id is not None
        assert (mail.due_at, mail.due_shard) == (None, None)


@pytest.mark.parametrize(
    "function_id",
    [
        RELAY,
        SEND,
        RECORD,
    ],
)
def test_whoever_dies_anywhere_each_invite_is_sent_once(
    stack: Stack, new_office: Callable[[], PostOffice], function_id: str
) -> None:
    offices = []
    for calls in itertools.count():
        office = new_office()
        emails = office.addresses(2)
        assert office.invite(*emails) == 2
        with stack.kill_after(calls, function_id) as order:
            stack.drain()
        offices.append((office, emails))
        if not order.happened:
            break
    for _ in range(2):
        later(stack, SWEEP_LEASE_MS + MINUTE_MS)

    assert len(offices) > {RELAY: 4, SEND: 5, RECORD: 2}[function_id], "it made hardly a call"
    for office, emails in offices:
        assert_sent_once(office, *emails)
    assert not stack.queue_messages("MailDeadLetterQueue")
    invariants.check(stack)


def test_a_sweep_that_dies_before_or_after_its_claim_loses_and_doubles_nothing(
    stack: Stack, new_office: Callable[[], PostOffice]
) -> None:
    offices = []
    # It asks the eight shards, claims, puts messages into the queue, and asks again.
    for calls in range(8, 12):
        office = new_office()
        emails = office.addresses(1)
        office.invite(*emails)
        with stack.hold(SEND):
            stack.drain()
            assert len(stack.take_records(SEND)) == 1
        leap(stack, stack.now_ms() + post.FIRST_ATTEMPT_BY_MS + MINUTE_MS)
        with stack.kill_after(calls, SWEEP) as order:
            stack.drain()
        assert order.happened
        offices.append((office, emails))
        leap(stack, stack.now_ms() + SWEEP_LEASE_MS + MINUTE_MS)
        stack.drain()

    for office, emails in offices:
        assert_sent_once(office, *emails)


def send_and_die(office: PostOffice, email: str) -> None:
    """The sender dies right after SES has taken the e-mail: before it is written down."""
    office.invite(email)
    with office.stack.hold(SEND):
        office.stack.drain()
    for calls in itertools.count():
        with office.stack.kill_after(calls, SEND):
            records = office.stack.take_records(SEND)
            if not records:
                with office.stack.hold(SEND):
                    office.stack.drain()
                records = office.stack.take_records(SEND)
            _invoke(office.stack, records)
        if office.mails(email):
            return
        leap(office.stack, office.stack.now_ms() + LEASE_MS + SWEEP_LEASE_MS)


def _invoke(stack: Stack, records: list[dict[str, Any]]) -> None:
    event = stack._consumers[SEND].event(records)
    stack.functions.invoke(SEND, event)


def test_the_event_of_ses_is_proof_that_an_e_mail_was_taken_whose_sender_died(
    stack: Stack, new_office: Callable[[], PostOffice]
) -> None:
    office = new_office()
    (email,) = office.addresses(1)
    with stack.hold(RECORD):
        send_and_die(office, email)
        assert office.item().state == "SENDING"

    stack.drain()

    assert_sent_once(office, email)
    later(stack, HOUR_MS)
    assert_sent_once(office, email)


def test_without_any_event_it_is_sent_again_when_the_claim_ends_and_not_before(
    stack: Stack, new_office: Callable[[], PostOffice]
) -> None:
    """The one way to get an e-mail twice: SES took it, the sender died, and its event is lost."""
    office = new_office()
    (email,) = office.addresses(1)
    with stack.hold(RECORD):
        send_and_die(office, email)
        assert len(stack.take_records(RECORD)) >= 1
        later(stack, LEASE_MS - 2 * MINUTE_MS)
        assert office.sent_to(email) == {email: 1}
        later(stack, 4 * MINUTE_MS)

    assert office.sent_to(email) == {email: 2}
    assert office.item().state == "SENT"


def test_an_answer_that_is_lost_on_the_way_is_no_reason_to_send_again(
    stack: Stack, new_office: Callable[[], PostOffice]
) -> None:
    office = new_office()
    (email,) = office.addresses(1)
    stack.mail.fail(LOST_ANSWER)

    office.invite(email)
    stack.drain()

    assert_sent_once(office, email)
    later(stack, HOUR_MS)
    assert_sent_once(office, email)


@pytest.mark.both_engines
def test_messages_that_come_twice_and_at_once_send_once(
    stack: Stack, new_office: Callable[[], PostOffice]
) -> None:
    office = new_office()
    emails = office.addresses(3)
    office.invite(*emails)
    with stack.hold(SEND):
        stack.drain()
        records = stack.take_records(SEND)
    assert len(records) == 3

    with ThreadPoolExecutor(6) as pool:
        list(pool.map(lambda each: stack.deliver(SEND, [each]), records * 4))
    for batch in (records[::-1], records):
        assert stack.deliver(SEND, batch) == {"batchItemFailures": []}
    stack.drain()

    assert_sent_once(office, *emails)


def test_records_of_the_stream_that_come_twice_and_in_pieces_send_once(
    stack: Stack, new_office: Callable[[], PostOffice]
) -> None:
    office = new_office()
    emails = office.addresses(3)
    with stack.hold(RELAY):
        office.invite(*emails)
        stack.drain()
        records = stack.take_records(RELAY)

    for batch in (records[2:], records, records[:2], records[::-1]):
        assert stack.deliver(RELAY, batch) == {"batchItemFailures": []}
    stack.drain()

    assert_sent_once(office, *emails)


def test_events_may_come_twice_and_in_any_order(
    stack: Stack, new_office: Callable[[], PostOffice]
) -> None:
    orders = list(itertools.permutations(range(3)))
    for order in orders:
        office = new_office()
        email = f"complaint+{office.campaign_id}@simulator.amazonses.com"
        office.invite(email)
        with stack.hold(RECORD):
            stack.drain()
            events = stack.take_records(RECORD)
        assert len(events) == 3

        for index in (*order, *order[::-1]):
            assert stack.deliver(RECORD, [events[index]]) == {"batchItemFailures": []}

        mail = office.item()
        assert mail.state == "SENT"
        assert None not in (mail.sent_at, mail.delivered_at, mail.complained_at)
        stack.deliver(RECORD, events)
        assert office.item() == mail


@pytest.mark.parametrize(
    "body", ["{", "{}", '{"detail":{}}', '{"detail":{"eventType":"Bounce","mail":{"tags":7}}}']
)
def test_an_event_that_is_none_ends_in_the_dead_letter_queue_and_holds_up_no_other(
    fresh_stack: Stack, body: str
) -> None:
    with Api(fresh_stack.url, fresh_stack.api_key) as api:
        office = PostOffice(fresh_stack, api)
        (email,) = office.addresses(1)
        fresh_stack.queues.send("MailEventQueue", body)
        office.invite(email)

        fresh_stack.advance(HOUR_MS)

        assert office.item().delivered_at is not None
        (poison,) = fresh_stack.queue_messages("MailEventDeadLetterQueue")
        assert poison.body == body


@pytest.mark.parametrize("body", ["{", '{"partition":"CAMPAIGN"}', "[]"])
def test_a_message_that_names_nothing_ends_in_the_dead_letter_queue(
    fresh_stack: Stack, body: str
) -> None:
    fresh_stack.queues.send("MailQueue", body)

    fresh_stack.advance(HOUR_MS)

    assert [each.body for each in fresh_stack.queue_messages("MailDeadLetterQueue")] == [body]


def test_an_event_of_somebody_elses_mail_is_passed_over(stack: Stack) -> None:
    for tags in (
        {},
        {"campaign": ["nobody"], "mail": ["none"]},
        {"campaign": ["a#b"], "mail": [""]},
    ):
        detail = {"eventType": "Send", "mail": {"messageId": "1", "tags": tags}}
        stack.queues.send("MailEventQueue", json.dumps({"detail": detail}))
    before = invariants.table_of(stack)

    stack.drain()

    assert invariants.table_of(stack) == before
    assert stack.queue_messages("MailEventQueue") == []


# What SES refuses


@pytest.mark.parametrize(
    "failure",
    [
        "TooManyRequestsException",
        "LimitExceededException",
        "AccountSuspendedException",
        "SendingPausedException",
        "MailFromDomainNotVerifiedException",
    ],
)
def test_what_ses_does_not_take_now_is_sent_later_once(
    stack: Stack, new_office: Callable[[], PostOffice], failure: str
) -> None:
    office = new_office()
    (email,) = office.addresses(1)
    stack.mail.fail(failure, times=3)

    office.invite(email)
    stack.drain()
    waiting = office.item()
    assert (waiting.state, waiting.reason, waiting.attempts) == ("QUEUED", failure, 1)
    for minutes in (2, 4, 8):
        later(stack, minutes * MINUTE_MS)

    assert_sent_once(office, email)
    assert office.item().attempts == 4


def test_what_ses_never_takes_within_two_days_is_given_up(
    stack: Stack, new_office: Callable[[], PostOffice]
) -> None:
    office = new_office()
    (email,) = office.addresses(1)
    stack.mail.fail("SendingPausedException", times=10)

    office.invite(email)
    stack.drain()
    later(stack, transitions.GIVE_UP_AFTER_MS - HOUR_MS)
    assert office.item().attempts == 2
    later(stack, 2 * HOUR_MS)

    mail = office.item()
    assert (mail.state, mail.reason) == ("FAILED", "SendingPausedException")
    assert office.mails(email) == []


@pytest.mark.parametrize("failure", ["MessageRejected", "BadRequestException"])
def test_what_ses_will_never_take_has_failed(
    stack: Stack, new_office: Callable[[], PostOffice], failure: str
) -> None:
    office = new_office()
    (email,) = office.addresses(1)
    stack.mail.fail(failure)

    office.invite(email)
    stack.drain()
    later(stack, HOUR_MS)

    mail = office.item()
    assert (mail.state, mail.reason, mail.attempts) == ("FAILED", failure, 1)
    assert office.mails(email) == []


def test_a_failure_inside_ses_waits_for_its_event_before_it_is_sent_again(
    stack: Stack, new_office: Callable[[], PostOffice]
) -> None:
    office = new_office()
    (email,) = office.addresses(1)
    stack.mail.fail("InternalServiceErrorException")

    office.invite(email)
    stack.drain()
    assert office.item().state == "SENDING"
    later(stack, LEASE_MS - 2 * MINUTE_MS)
    assert office.item().attempts == 1
    later(stack, 4 * MINUTE_MS)

    assert_sent_once(office, email)


def test_when_we_may_not_send_the_message_ends_in_an_alarm_and_the_mail_waits(
    fresh_stack: Stack,
) -> None:
    with Api(fresh_stack.url, fresh_stack.api_key) as api:
        office = PostOffice(fresh_stack, api)
        (email,) = office.addresses(1)
        fresh_stack.mail.fail("AccessDeniedException", times=5)

        office.invite(email)
        fresh_stack.drain()
        fresh_stack.advance(16 * MINUTE_MS)
        assert len(fresh_stack.queue_messages("MailDeadLetterQueue")) == 1
        fresh_stack.advance(40 * MINUTE_MS)

        assert_sent_once(office, email)


def test_a_from_address_that_is_not_verified_any_more_waits_until_it_is(
    stack: Stack, api: Api
) -> None:
    office = PostOffice(stack, api)
    (email,) = office.addresses(1)
    with stack.hold(SEND):
        office.invite(email)
        stack.drain()
        give_settings(stack, office.campaign_id, fromEmail="hello@unverified.example")
    stack.drain()
    waiting = office.item()
    assert (waiting.state, waiting.reason) == ("QUEUED", "From address not verified")

    give_settings(stack, office.campaign_id, fromEmail="hello@verified.example")
    later(stack, 5 * MINUTE_MS)

    assert_sent_once(office, email)


# What has changed since it was asked for


def no_from_address(office: PostOffice) -> None:
    give_settings(office.stack, office.campaign_id, fromEmail=None)


def the_campaign_ends(office: PostOffice) -> None:
    office.api.set_status(office.campaign_id, "COMPLETE")


def two_days_pass(office: PostOffice) -> None:
    leap(office.stack, office.stack.now_ms() + transitions.GIVE_UP_AFTER_MS + 1)


def joins_alone(office: PostOffice, email: str) -> None:
    office.api.add(office.campaign_id, email.upper())


def joins_through_another(office: PostOffice, email: str) -> None:
    office.api.add(office.campaign_id, email, referredBy=office.join("Monica"))


def joins_and_unsubscribes(office: PostOffice, email: str) -> None:
    joined = office.api.add(office.campaign_id, email)
    office.api.update(office.campaign_id, joined["id"], unsubscribed=True)


@pytest.mark.parametrize("join", [joins_alone, joins_through_another, joins_and_unsubscribes])
def test_nobody_is_invited_who_has_joined_meanwhile(
    stack: Stack,
    new_office: Callable[[], PostOffice],
    join: Callable[[PostOffice, str], None],
) -> None:
    office = new_office()
    (email,) = office.addresses(1)
    with stack.hold(SEND):
        office.invite(email)
        stack.drain()
        join(office, email)

    stack.drain()

    mail = office.item()
    assert (mail.state, mail.reason) == ("SUPPRESSED", "joined")
    assert office.mails(email) == []


@pytest.mark.parametrize(
    ("happen", "state", "reason"),
    [
        (no_from_address, "SUPPRESSED", "no From address"),
        (the_campaign_ends, "SUPPRESSED", "campaign not in progress"),
        (two_days_pass, "FAILED", "too late"),
    ],
)
def test_what_must_not_go_out_any_more_does_not(
    stack: Stack,
    new_office: Callable[[], PostOffice],
    happen: Callable[[PostOffice], None],
    state: str,
    reason: str,
) -> None:
    office = new_office()
    (email,) = office.addresses(1)
    with stack.hold(SEND):
        office.invite(email)
        stack.drain()
        happen(office)
        stack.drain()

    stack.drain()

    mail = office.item()
    assert (mail.state, mail.reason, mail.due_at) == (state, reason, None)
    assert office.mails(email) == []
