"""Inviting people with the official SDK, as a customer's backend does it."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator

import growsurf
import httpx
import pytest
from growsurf import Growsurf

from local.stack import Stack
from tests.api import TLS, unique_email
from tests.post_office import give_settings, parsed, part
from tests.scenarios import MINUTE_MS

SUBJECT, MESSAGE = "{{referrerFirstName}} invites you", "{{referrerShareUrl}}"


@pytest.fixture
def inviter(stack: Stack, client: Growsurf, campaign_id: str) -> str:
    give_settings(stack, campaign_id)
    email = unique_email()
    return client.campaign.participant.add(campaign_id, email=email, first_name="Gavin").id


def invited(client: Growsurf, campaign_id: str, inviter: str, emails: list[str]) -> int:
    answer = client.campaign.participant.send_invites(
        inviter, id=campaign_id, email_addresses=emails, subject_text=SUBJECT, message_text=MESSAGE
    )
    assert (answer.success, answer.message_type) == (True, "sent")
    return int(answer.invites_sent or 0)


def counts(client: Growsurf, campaign_id: str, inviter: str) -> tuple[object, ...]:
    shown = client.campaign.participant.retrieve(inviter, id=campaign_id)
    campaign = client.campaign.retrieve(campaign_id)
    return shown.invite_count, campaign.invite_count, campaign.participant_count


def rows(client: Growsurf, campaign_id: str, inviter: str) -> Counter[tuple[str, str]]:
    """Addresses and statuses, as the lists of the campaign and of the inviter both show them."""
    lists = [
        client.campaign.list_referrals(campaign_id).referrals,
        client.campaign.participant.list_referrals(inviter, id=campaign_id).referrals,
    ]
    shown = [Counter((row.email, str(row.referral_status)) for row in each) for each in lists]
    assert shown[0] == shown[1]
    return shown[0]


MASKED = ("*" * 15, "INVITE_SENT")


def test_three_are_invited_and_one_joins_through_the_link(
    stack: Stack, client: Growsurf, campaign_id: str, inviter: str
) -> None:
    emails = [unique_email("invited") for _ in range(3)]

    assert invited(client, campaign_id, inviter, emails) == 3
    stack.drain()

    sent = {email: stack.mail.sent(email) for email in emails}
    assert [len(each) for each in sent.values()] == [1, 1, 1]
    link = client.campaign.participant.retrieve(inviter, id=campaign_id).share_url
    for (one,) in sent.values():
        assert str(parsed(one)["Subject"]) == "Gavin invites you"
        assert link is not None
        assert link in part(one, "plain")
    assert counts(client, campaign_id, inviter) == (3, 3, 1)
    assert rows(client, campaign_id, inviter) == {MASKED: 3}
    key = str(link).rpartition("grsf=")[2]
    friend = client.campaign.participant.add(campaign_id, email=emails[1], referred_by=key)
    assert friend.referred_by == inviter
    assert rows(client, campaign_id, inviter) == {MASKED: 2, (emails[1], "CREDIT_PENDING"): 1}
    # Who has joined is not invited again, and those who have not are not either.
    stack.advance(11 * MINUTE_MS)
    assert invited(client, campaign_id, inviter, [*emails, unique_email()]) == 1
    stack.drain()
    assert counts(client, campaign_id, inviter) == (4, 4, 2)
    assert [len(stack.mail.sent(email)) for email in emails] == [1, 1, 1]


class LosesAnswers(httpx.HTTPTransport):
    """Carries requests and loses the first answers to invites."""

    def __init__(self) -> None:
        super().__init__(verify=TLS)
        self.lost = 0

    def handle_request(self, request: httpx.Request) -> httpx.Response:
        response = super().handle_request(request)
        if request.url.path.endswith("/invites") and self.lost < 2:
            self.lost += 1
            response.close()
            raise httpx.ReadError("lost on the way", request=request)
        return response


@pytest.fixture
def unlucky(stack: Stack) -> Iterator[tuple[Growsurf, LosesAnswers]]:
    """The SDK over a bad line. Some of its versions repeat any call twice of their own accord,
    others leave that to the caller; the requests are the same."""
    transport = LosesAnswers()
    with (
        httpx.Client(transport=transport) as http,
        Growsurf(base_url=stack.url + "/v2", api_key=stack.api_key, http_client=http) as client,
    ):
        yield client, transport


def test_repetitions_after_lost_answers_send_nothing_twice(
    stack: Stack, unlucky: tuple[Growsurf, LosesAnswers], campaign_id: str, inviter: str
) -> None:
    client, transport = unlucky
    emails = [unique_email("invited") for _ in range(3)]

    for _ in range(2):
        with pytest.raises(growsurf.APIConnectionError):
            invited(client, campaign_id, inviter, emails)
        stack.drain()
    assert invited(client, campaign_id, inviter, emails) == 3
    stack.drain()

    assert transport.lost == 2
    assert [len(stack.mail.sent(email)) for email in emails] == [1, 1, 1]
    assert counts(client, campaign_id, inviter)[:2] == (3, 3)


def test_refusals_are_the_errors_that_the_sdk_knows(
    stack: Stack, client: Growsurf, campaign_id: str, inviter: str
) -> None:
    with pytest.raises(growsurf.BadRequestError):
        invited(client, campaign_id, "nobody", [unique_email()])
    give_settings(stack, campaign_id, dailyInvitesPerParticipant=0)
    with pytest.raises(growsurf.RateLimitError) as limited:
        invited(client, campaign_id, inviter, [unique_email()])
    assert limited.value.response.headers["x-should-retry"] == "false"
    give_settings(stack, campaign_id, fromEmail="a@unverified.example")
    with pytest.raises(growsurf.BadRequestError):
        invited(client, campaign_id, inviter, [unique_email()])
