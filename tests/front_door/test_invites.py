"""Invites by e-mail: who is invited, what they get, and within which limits."""

from __future__ import annotations

import html
import itertools
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor

import pytest

from grapevine import runtime
from grapevine.engine.mail import inviting
from grapevine.engine.mail.inviting import REPEATED_WITHIN_MS
from grapevine.table import store
from grapevine.table.invitations import Invitations
from grapevine.table.invites import Invite
from grapevine.table.mail import MailText
from grapevine.table.writes import ABSENT
from local.stack import Stack
from tests import invariants, post_office
from tests.api import Api, unique_email
from tests.post_office import FROM, JOIN, PostOffice, parsed, part
from tests.refusals import refusal
from tests.scenarios import DAY_MS, erase, interrupted, leap

INVITE = "SendInvitesFunction"


@pytest.fixture
def office(stack: Stack, api: Api) -> PostOffice:
    return PostOffice(stack, api)


def count(office: PostOffice) -> tuple[int, int]:
    """The invites of the participant and of the campaign."""
    office.stack.drain()
    shown = office.api.read(office.campaign_id, office.inviter)
    return shown["inviteCount"], office.api.read_campaign(office.campaign_id)["inviteCount"]


# What arrives


def test_an_invited_person_gets_one_e_mail_with_the_tokens_replaced(office: PostOffice) -> None:
    (email,) = office.addresses(1)

    assert office.invite(email) == 1
    office.stack.drain()

    sent = office.mail(email)
    message = parsed(sent)
    assert str(message["From"]) == f"Vineyard <{FROM}>"
    assert str(message["To"]) == email
    assert str(message["Subject"]) == "Gavin invites you"
    assert message["List-Unsubscribe-Post"] == "List-Unsubscribe=One-Click"
    assert str(message["List-Unsubscribe"]).startswith(f"<{office.stack.url}/unsubscribe/")
    assert message.get_content_type() == "multipart/alternative"
    assert [each.get_content_type() for each in message.iter_parts()] == ["text/plain", "text/html"]
    link = office.api.read(office.campaign_id, office.inviter)["shareUrl"]
    assert link.startswith(f"{JOIN}?grsf=gavin-")
    for kind in ("plain", "html"):
        text = part(sent, kind)
        assert "I thought you might like this." in text
        assert link in text
        assert "{{" not in text
        assert post_office.unsubscribe_path(sent) in text
    assert f'<a href="{link}">' in part(sent, "html")
    assert sent.tags.keys() == {"campaign", "mail"}
    assert office.item().state == "SENT"


def test_the_campaign_says_who_writes_and_where_answers_go(stack: Stack, api: Api) -> None:
    office = PostOffice(
        stack,
        api,
        fromName='Ünï, "Wine" <Club>',
        replyTo="help@example.com",
        contact={"addressLine1": "1 Hill & Dale", "city": "<Springfield>"},
        referrerMessage="Try it!",
    )
    (email,) = office.addresses(1)

    office.invite(email, messageText="{{ referrerMessage }} {{referrerEmail}} {{referrerLastName}}")
    stack.drain()

    sent = office.mail(email)
    sender = parsed(sent)["From"].addresses[0]
    assert (sender.display_name, sender.addr_spec) == ('Ünï, "Wine" <Club>', FROM)
    assert str(parsed(sent)["Reply-To"]) == "help@example.com"
    assert "1 Hill & Dale\n<Springfield>" in part(sent, "plain").replace("\r\n", "\n")
    assert "1 Hill &amp; Dale<br>&lt;Springfield&gt;" in part(sent, "html")
    assert f"Try it! {api.read(office.campaign_id, office.inviter)['email']}" in part(sent, "plain")


HOSTILE = [
    "Eve\r\nBcc: victim@example.com",
    "Eve\nX-Evil: 1\n\n<script>alert(1)</script>",
    "{{referrerEmail}} {{ 7*7 }} {% for x in y %}",
    "<script>alert('x')</script>",
    '"><img src=x onerror=alert(1)>',
    "\u202eevil\u2028line\u2029",
    "é😀漢字" * 20,
    "x" * 100,
    "=?utf-8?q?=0D=0ABcc:_victim@example.com?=",
    "--boundary\r\nContent-Type: text/html",
]


@pytest.mark.parametrize("value", HOSTILE, ids=range(len(HOSTILE)))
def test_what_people_wrote_stays_text(office: PostOffice, value: str) -> None:
    name = " ".join(value.split())
    inviter = office.join("x", lastName=name)
    (email,) = office.addresses(1)
    subject = f"{name} {{{{referrerLastName}}}}"
    message = f"{value}\n.\n{{{{referrerLastName}}}}\n" + "y" * 3000

    assert office.invite(email, participant=inviter, subjectText=subject, messageText=message) == 1
    office.stack.drain()

    sent = office.mail(email)
    parsed_mail = parsed(sent)
    assert sent.recipients == (email,)
    assert {name.lower() for name in parsed_mail} == {
        *("from", "to", "subject", "list-unsubscribe", "list-unsubscribe-post", "auto-submitted"),
        *("mime-version", "content-type"),
    }
    assert len(list(parsed_mail.walk())) == 3
    assert all(len(line) <= 998 for line in sent.source.split(b"\r\n"))
    assert b"\n" not in sent.source.replace(b"\r\n", b"")
    markup = part(sent, "html").lower()
    assert "<script" not in markup
    assert "<img" not in markup
    text = part(sent, "plain")
    # A token in a name is a name, in the name's place.
    assert text.count("{{referrerEmail}}") == value.count("{{referrerEmail}}")
    assert "".join(name.split()) in "".join(text.split())
    assert "".join(name.split()) in "".join(html.unescape(part(sent, "html")).split())
    assert name in str(parsed_mail["Subject"])


def test_an_international_domain_is_written_as_mail_servers_know_it(office: PostOffice) -> None:
    email = unique_email("weinfreund").replace("example.com", "bücher.example")

    assert office.invite(email) == 1
    office.stack.drain()

    assert len(office.mails(email.replace("bücher", "xn--bcher-kva"))) == 1


# Who is invited


def test_participants_and_those_invited_before_are_left_out(office: PostOffice) -> None:
    new, invited = office.addresses(2)
    member = unique_email()
    office.api.add(office.campaign_id, member)
    assert office.invite(invited) == 1
    leap(office.stack, office.stack.now_ms() + REPEATED_WITHIN_MS + 1000)

    accepted = office.invite(member.upper(), invited, new, f" {new.upper()} ")

    assert accepted == 1
    assert count(office) == (2, 2)
    assert office.sent_to(new, invited, member) == {new: 1, invited: 1, member: 0}
    assert office.invite(member, invited, new, subjectText="Once more") == 0


def test_two_participants_may_invite_the_same_person(office: PostOffice) -> None:
    other = office.join("Monica")
    (email,) = office.addresses(1)

    assert office.invite(email) == 1
    assert office.invite(email, participant=other) == 1
    office.stack.drain()

    assert len(office.mails(email)) == 2
    invariants.check(office.stack)


def test_a_hundred_addresses_are_accepted_and_one_more_is_not(office: PostOffice) -> None:
    emails = office.addresses(101)
    body = office.body(emails)

    refusal(office.api.call("POST", office.path(), body), 400)
    assert office.invite(*emails[:100]) == 100

    assert count(office) == (100, 100)
    assert set(office.sent_to(*emails[:100]).values()) == {1}


# Repetitions


def test_the_same_request_again_answers_the_same_and_sends_nothing(office: PostOffice) -> None:
    emails = office.addresses(3)

    answers = [office.invite(*order) for order in (emails, emails[::-1], [*emails, emails[0]])]
    office.stack.drain()
    answers.append(office.invite(*emails))
    leap(office.stack, office.stack.now_ms() + REPEATED_WITHIN_MS + 1000)
    later = office.invite(*emails)

    assert answers == [3, 3, 3, 3]
    assert later == 0
    assert office.sent_to(*emails) == dict.fromkeys(emails, 1)
    assert count(office) == (3, 3)


@pytest.mark.both_engines
def test_the_same_request_at_the_same_time_invites_once(office: PostOffice) -> None:
    emails = office.addresses(5)

    with ThreadPoolExecutor(4) as pool:
        answers = list(pool.map(lambda _: office.invite(*emails), range(4)))

    assert answers == [5, 5, 5, 5]
    assert count(office) == (5, 5)
    assert office.sent_to(*emails) == dict.fromkeys(emails, 1)


def test_a_request_that_dies_anywhere_is_finished_by_its_repetition(
    stack: Stack, api: Api, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(inviting, "_AT_ONCE", 2)
    offices = []
    for calls in itertools.count():
        office = PostOffice(stack, api)
        emails = office.addresses(5)
        with stack.kill_after(calls, INVITE) as order:
            response = api.call("POST", office.path(), office.body(emails))
        offices.append((office, emails))
        if not order.happened:
            assert response.json()["invitesSent"] == 5
            break
        assert response.status_code >= 500
        assert office.invite(*emails) == 5

    stack.drain()

    assert len(offices) > 10, "it made hardly a call"
    for office, emails in offices:
        assert office.sent_to(*emails) == dict.fromkeys(emails, 1)
        assert count(office) == (5, 5)
    invariants.check(stack)


# Limits


def test_a_participants_day_has_a_limit(stack: Stack, api: Api) -> None:
    office = PostOffice(stack, api, dailyInvitesPerParticipant=3)
    emails = office.addresses(5)
    other = office.join("Monica")

    assert office.invite(*emails) == 3
    refused = api.call("POST", office.path(), office.body(emails, subjectText="Again"))
    assert office.invite(*emails, participant=other) == 3
    stack.drain()

    body = refusal(refused, 429)
    assert body["code"] == "RATE_LIMIT"
    assert 0 < int(refused.headers["retry-after"]) <= DAY_MS // 1000
    assert refused.headers["x-should-retry"] == "false"
    assert office.sent_to(*emails) == dict(zip(emails, [2, 2, 2, 0, 0], strict=True))
    leap(stack, stack.now_ms() + DAY_MS)
    assert office.invite(*emails) == 2


@pytest.mark.both_engines
def test_a_campaigns_day_has_a_limit_that_no_race_overruns(stack: Stack, api: Api) -> None:
    office = PostOffice(stack, api, dailyInvites=7)
    inviters = [office.join("Monica") for _ in range(4)]

    def ask(inviter: str) -> int:
        body = office.body(office.addresses(3))
        response = api.call("POST", office.path(inviter), body)
        return int(response.json()["invitesSent"]) if response.status_code == 200 else 0

    with ThreadPoolExecutor(4) as pool:
        accepted = list(pool.map(ask, inviters))
    stack.drain()

    assert sum(accepted) == 7
    assert api.read_campaign(office.campaign_id)["inviteCount"] == 7


# Refusals


@pytest.fixture
def unwilling(stack: Stack, api: Api) -> Callable[..., PostOffice]:
    def made(**settings: object) -> PostOffice:
        return PostOffice(stack, api, **settings)

    return made


@pytest.mark.parametrize("address", [None, "friends@unverified.example", "a@b.unverified.example"])
def test_without_a_verified_from_address_nothing_is_sent(
    unwilling: Callable[..., PostOffice], address: str | None
) -> None:
    office = unwilling(fromEmail=address)

    refused = office.api.call("POST", office.path(), office.body(office.addresses(1)))

    assert "From" in refusal(refused, 400)["message"]
    assert count(office) == (0, 0)


def test_a_campaign_that_is_not_in_progress_sends_no_invites(office: PostOffice) -> None:
    office.api.set_status(office.campaign_id, "COMPLETE")

    refused = office.api.call("POST", office.path(), office.body(office.addresses(1)))

    assert "in progress" in refusal(refused, 400)["message"]


@pytest.mark.parametrize(
    "changes",
    [
        {"emailAddresses": []},
        {"emailAddresses": ["nonsense"]},
        {"emailAddresses": ["a@example.com\r\nBcc: b@example.com"]},
        {"emailAddresses": ["wörter@example.com"]},
        {"emailAddresses": "a@example.com"},
        {"subjectText": " "},
        {"subjectText": "a\r\nBcc: b@example.com"},
        {"subjectText": "x" * 256},
        {"messageText": "\n"},
        {"messageText": "x" * 10_001},
        {"messageText": "a\x00b"},
        {"other": 1},
    ],
    ids=str,
)
def test_what_cannot_be_sent_is_refused_and_nothing_is_written(
    office: PostOffice, changes: dict[str, object]
) -> None:
    before = invariants.table_of(office.stack)

    refusal(office.api.call("POST", office.path(), office.body(["a@example.com"], **changes)), 400)

    assert invariants.table_of(office.stack) == before


# Departures


def test_a_deleted_inviter_counts_nothing_and_its_waiting_invites_are_not_sent(
    fresh_stack: Stack,
) -> None:
    with Api(fresh_stack.url, fresh_stack.api_key) as api:
        office = PostOffice(fresh_stack, api)
        first, second = office.addresses(2)
        office.invite(first)
        fresh_stack.drain()
        with fresh_stack.hold(post_office.SEND):
            office.invite(second)
            fresh_stack.drain()
            api.delete(office.campaign_id, office.inviter)
        fresh_stack.drain()

        refused = api.call("POST", office.path(), office.body(office.addresses(1)))

        refusal(refused, 400)
        assert office.sent_to(first, second) == {first: 1, second: 0}
        assert api.read_campaign(office.campaign_id)["inviteCount"] == 0
        invariants.check(fresh_stack)
        erase(api)
        invariants.check(fresh_stack)
        items = invariants.table_of(fresh_stack).values()
        assert not [item for item in items if item["type"] in {Invite.TYPE, MailText.TYPE}]


def test_an_inviter_deleted_during_the_request_is_unknown(office: PostOffice) -> None:
    for after_calls in range(2, 5):
        inviter = office.join("Monica")
        with interrupted(
            office.stack,
            INVITE,
            after_calls,
            lambda who=inviter: office.api.delete(office.campaign_id, who),  # type: ignore[misc]
        ):
            answer = office.api.call("POST", office.path(inviter), office.body(office.addresses(1)))
        assert answer.status_code == 400
    office.stack.drain()
    invariants.check(office.stack)


def test_a_deletion_that_one_read_has_seen_half_of_is_a_deletion(fresh_stack: Stack) -> None:
    with Api(fresh_stack.url, fresh_stack.api_key) as api:
        office = PostOffice(fresh_stack, api)
        # Items of one read need not be of one moment.
        with runtime.using(fresh_stack.runtime()):
            tombstone = Invitations(
                campaign_id=office.campaign_id,
                participant_id=office.inviter,
                version=2,
                deleted_at=1,
            )
            store.put(tombstone.to_item(), ABSENT)

        answer = api.call("POST", office.path(), office.body(office.addresses(1)))

        assert answer.status_code == 400
        items = invariants.table_of(fresh_stack).values()
        assert not [item for item in items if item["type"] == Invite.TYPE]


@pytest.fixture(autouse=True)
def _sound(stack: Stack) -> Iterator[None]:
    yield
    assert not stack.queue_messages("MailDeadLetterQueue")
    assert not stack.queue_messages("MailEventDeadLetterQueue")
