"""Nobody who does not want e-mails gets any: by link, by one click, by bounce or by complaint."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from local.stack import Stack
from tests import invariants, post_office
from tests.api import Api, unique_email
from tests.post_office import SEND, PostOffice
from tests.refusals import refusal
from tests.scenarios import interrupted

ONE_CLICK = {"content": b"List-Unsubscribe=One-Click"}
FORM = {"content-type": "application/x-www-form-urlencoded"}


@pytest.fixture
def office(stack: Stack, api: Api) -> PostOffice:
    return PostOffice(stack, api)


def link_in_an_invite(office: PostOffice, email: str) -> str:
    office.invite(email)
    office.stack.drain()
    return post_office.unsubscribe_path(office.mail(email))


def invited_by_another(office: PostOffice, email: str) -> int:
    return office.invite(email, participant=office.join("Monica"))


def test_one_click_ends_the_e_mails_of_the_campaign_to_that_address(office: PostOffice) -> None:
    email = unique_email()
    path = link_in_an_invite(office, email)

    # Without a key: mail programs have none.
    with Api(office.stack.url, None) as anybody:
        answer = anybody.http.post(path, headers=FORM, **ONE_CLICK)  # type: ignore[arg-type]
        again = anybody.http.post(path)

    assert (answer.status_code, again.status_code) == (200, 200)
    assert answer.headers["content-type"] == "text/html; charset=utf-8"
    assert invited_by_another(office, email.upper()) == 0
    other = PostOffice(office.stack, office.api)
    assert other.invite(email) == 1


def test_looking_at_the_link_changes_nothing(office: PostOffice) -> None:
    email = unique_email()
    path = link_in_an_invite(office, email)
    before = invariants.table_of(office.stack)

    pages = [office.api.http.request(method, path) for method in ("GET", "GET", "HEAD", "OPTIONS")]

    assert '<form method="post">' in pages[0].text
    assert pages[0].headers["cache-control"] == "no-store"
    assert invariants.table_of(office.stack) == before
    assert invited_by_another(office, email) == 1


def test_the_page_shows_names_as_text(office: PostOffice) -> None:
    name = "<script>alert('x')</script>"
    office.api.ok("PATCH", f"/v2/campaign/{office.campaign_id}", {"companyName": name})

    path = link_in_an_invite(office, unique_email())

    for page in (office.api.call("GET", path), office.api.call("POST", path)):
        assert "<script" not in page.text
        assert "&lt;script&gt;" in page.text
        assert page.headers["content-security-policy"].startswith("default-src 'none'")


def test_a_participant_who_unsubscribes_is_shown_as_unsubscribed(office: PostOffice) -> None:
    link_in_an_invite(office, unique_email())
    token = post_office.token_of_participant(office.stack, office.campaign_id, office.inviter)

    assert office.api.call("POST", f"/unsubscribe/{token}").status_code == 200

    assert office.api.read(office.campaign_id, office.inviter)["unsubscribed"] is True
    before = invariants.table_of(office.stack)
    assert office.api.call("POST", f"/unsubscribe/{token}").status_code == 200
    assert invariants.table_of(office.stack) == before
    # It is about what they get, not about what they send.
    assert office.invite(unique_email()) == 1
    office.api.delete(office.campaign_id, office.inviter)
    assert office.api.call("POST", f"/unsubscribe/{token}").status_code == 200


def by_link(office: PostOffice, participant: str) -> None:
    link_in_an_invite(office, unique_email())
    token = post_office.token_of_participant(office.stack, office.campaign_id, participant)
    assert office.api.call("POST", f"/unsubscribe/{token}").status_code == 200


def by_update(office: PostOffice, participant: str) -> None:
    office.api.update(office.campaign_id, participant, unsubscribed=True)


@pytest.mark.parametrize("unsubscribe", [by_link, by_update])
def test_the_wish_outlives_the_participant_and_its_address(
    office: PostOffice, unsubscribe: Callable[[PostOffice, str], None]
) -> None:
    before, after = unique_email(), unique_email()
    ada = office.api.add(office.campaign_id, before)["id"]
    unsubscribe(office, ada)
    office.api.update(office.campaign_id, ada, email=after)

    assert invited_by_another(office, before) == 0
    office.api.delete(office.campaign_id, ada)

    assert invited_by_another(office, after.upper()) == 0
    joined = office.api.add(office.campaign_id, after)["id"]
    assert office.api.read(office.campaign_id, joined)["unsubscribed"] is False
    office.api.delete(office.campaign_id, joined)
    assert invited_by_another(office, after) == 0


def test_whoever_is_subscribed_again_can_be_invited_again(office: PostOffice) -> None:
    email = unique_email()
    ada = office.api.add(office.campaign_id, email)["id"]
    for wish in (True, True, False, True, False):
        office.api.update(office.campaign_id, ada, unsubscribed=wish)

    office.api.delete(office.campaign_id, ada)

    assert invited_by_another(office, email) == 1


def test_whoever_subscribes_again_and_moves_at_once_frees_the_address_that_was_left(
    office: PostOffice,
) -> None:
    before, after = unique_email(), unique_email()
    ada = office.api.add(office.campaign_id, before)["id"]
    by_update(office, ada)

    office.api.update(office.campaign_id, ada, unsubscribed=False, email=after)

    assert invited_by_another(office, before) == 1
    office.api.delete(office.campaign_id, ada)
    assert invited_by_another(office, after) == 1


def away_and_subscribed_again(
    office: PostOffice, unsubscribe: Callable[[PostOffice, str], None] = by_update
) -> tuple[str, str]:
    """An address that its participant has left unsubscribed, and the participant, who has
    subscribed again elsewhere."""
    first = unique_email()
    ada = office.api.add(office.campaign_id, first)["id"]
    unsubscribe(office, ada)
    office.api.update(office.campaign_id, ada, email=unique_email())
    office.api.update(office.campaign_id, ada, unsubscribed=False)
    return first, ada


@pytest.mark.parametrize("unsubscribe", [by_link, by_update])
def test_whoever_is_subscribed_again_gets_e_mails_at_an_address_of_before(
    office: PostOffice, unsubscribe: Callable[[PostOffice, str], None]
) -> None:
    first, ada = away_and_subscribed_again(office, unsubscribe)
    assert invited_by_another(office, first) == 0

    office.api.update(office.campaign_id, ada, email=first)

    office.api.delete(office.campaign_id, ada)
    assert invited_by_another(office, first) == 1


def test_moving_to_an_address_undoes_nobody_else_s_wish(office: PostOffice) -> None:
    first, ada = away_and_subscribed_again(office)
    eve = office.api.add(office.campaign_id, unique_email())["id"]

    office.api.update(office.campaign_id, eve, email=first)
    office.api.update(office.campaign_id, eve, email=unique_email())
    assert invited_by_another(office, first) == 0
    office.api.update(office.campaign_id, eve, email=first)
    by_update(office, eve)
    office.api.delete(office.campaign_id, eve)
    office.api.update(office.campaign_id, ada, email=first)

    office.api.delete(office.campaign_id, ada)
    assert invited_by_another(office, first) == 0


def test_a_link_of_an_invite_makes_the_wish_that_of_the_address(office: PostOffice) -> None:
    email = unique_email()
    path = link_in_an_invite(office, email)
    ada = office.api.add(office.campaign_id, email)["id"]
    by_update(office, ada)
    office.api.update(office.campaign_id, ada, email=unique_email())
    office.api.update(office.campaign_id, ada, unsubscribed=False)

    office.api.call("POST", path)
    office.api.update(office.campaign_id, ada, email=email)

    office.api.delete(office.campaign_id, ada)
    assert invited_by_another(office, email) == 0


def test_what_an_invited_person_wished_is_not_undone_by_the_way(office: PostOffice) -> None:
    email = unique_email()
    office.api.call("POST", link_in_an_invite(office, email))
    ada = office.api.add(office.campaign_id, email)["id"]

    office.api.update(office.campaign_id, ada, unsubscribed=False, firstName="Ada")

    office.api.delete(office.campaign_id, ada)
    assert invited_by_another(office, email) == 0


@pytest.mark.parametrize("comes_late", [True, False])
def test_no_update_makes_a_complaint_forgotten(office: PostOffice, comes_late: bool) -> None:
    email = unique_email()
    office.invite(email)
    office.stack.drain()
    ada = office.api.add(office.campaign_id, email)["id"]

    def complain() -> None:
        particulars = {"complaintFeedbackType": "abuse"}
        office.stack.mail.tell(office.mail(email), "Complaint", particulars)
        office.stack.drain()

    by_update(office, ada)
    if comes_late:
        with interrupted(office.stack, "UpdateParticipantFunction", 3, complain):
            office.api.update(office.campaign_id, ada, unsubscribed=False)
    else:
        complain()
        office.api.update(office.campaign_id, ada, unsubscribed=False)
    assert office.api.read(office.campaign_id, ada)["unsubscribed"] is False

    office.api.delete(office.campaign_id, ada)
    assert invited_by_another(office, email) == 0


def test_a_token_that_was_never_given_opens_nothing(office: PostOffice) -> None:
    path = link_in_an_invite(office, unique_email())
    token = path.rpartition("/")[2]
    campaign_id, kind, name, signature = token.split(".")
    other = PostOffice(office.stack, office.api)
    link_in_an_invite(other, unique_email())
    made_up = [
        f"{campaign_id}.p.{name}.{signature}",
        f"{campaign_id}.p.{office.inviter}.{signature}",
        f"{campaign_id}.{kind}.{name[:-1]}{'0' if name[-1] != '0' else '1'}.{signature}",
        f"{campaign_id}.{kind}.{name}.{signature[:-2]}",
        f"{campaign_id}.{kind}.{name}.",
        f"{campaign_id}.{kind}.{name}.{signature}.",
        f"{other.campaign_id}.{kind}.{name}.{signature}",
        f"zzzzzz.{kind}.{name}.{signature}",
        f"a%23b.{kind}.{name}.{signature}",
        f"{campaign_id}.{kind}.{'x' * 3000}.{signature}",
        "...",
        "%00",
        "é.a.é.é",
        "x",
    ]
    before = invariants.table_of(office.stack)

    for one in made_up:
        for method in ("GET", "POST"):
            refusal(office.api.call(method, f"/unsubscribe/{one}"), 404)

    assert invariants.table_of(office.stack) == before


def test_whoever_unsubscribes_gets_nothing_that_is_still_waiting(office: PostOffice) -> None:
    email = unique_email()
    path = link_in_an_invite(office, email)
    with office.stack.hold(SEND):
        invited_by_another(office, email)
        office.stack.drain()
        office.api.call("POST", path)

    office.stack.drain()

    assert office.sent_to(email) == {email: 1}
    assert office.states() == {"SENT": 1, "SUPPRESSED": 1}


@pytest.mark.parametrize("kind", ["bounce", "complaint"])
def test_an_address_that_bounces_or_complains_gets_no_more(office: PostOffice, kind: str) -> None:
    email = f"{kind}+{office.campaign_id}@simulator.amazonses.com"
    office.invite(email)

    office.stack.drain()

    assert invited_by_another(office, email) == 0
    mail = office.item()
    assert mail.state == "SENT"
    assert (mail.bounced_at is None) == (kind == "complaint")
    assert (mail.complained_at is None) == (kind == "bounce")


@pytest.mark.parametrize(
    ("name", "particulars"),
    [
        ("Bounce", {"bounceType": "Transient", "bounceSubType": "MailboxFull"}),
        ("Bounce", {"bounceType": "Undetermined"}),
        ("Complaint", {"complaintFeedbackType": "not-spam"}),
    ],
)
def test_a_full_mailbox_is_no_reason_never_to_write_again(
    office: PostOffice, name: str, particulars: dict[str, str]
) -> None:
    email = unique_email()
    office.invite(email)
    office.stack.drain()

    office.stack.mail.tell(office.mail(email), name, particulars)
    office.stack.drain()

    assert invited_by_another(office, email) == 1


def test_what_ses_finds_a_virus_in_has_failed(office: PostOffice) -> None:
    email = unique_email()
    office.invite(email)
    with office.stack.hold(post_office.RECORD):
        office.stack.drain()
        office.stack.mail.tell(office.mail(email), "Reject", {"reason": "Bad content"})
        events = office.stack.take_records(post_office.RECORD)

    for event in reversed(events):
        office.stack.deliver(post_office.RECORD, [event])

    assert (office.item().state, office.item().reason) == ("FAILED", "Reject")
