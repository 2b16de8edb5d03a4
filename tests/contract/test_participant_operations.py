from __future__ import annotations

import pytest
from growsurf import Growsurf

from local.stack import Stack

pytestmark = pytest.mark.both_engines

PLUS = "gavin+test@example.com"


def participants(client: Growsurf, campaign_id: str, count: int) -> list[str]:
    return [
        client.campaign.participant.add(campaign_id, email=f"p{number}@example.com").id
        for number in range(count)
    ]


def test_add_answers_all_that_was_said_of_a_new_participant(
    client: Growsurf, campaign_id: str
) -> None:
    added = client.campaign.participant.add(
        campaign_id,
        email=PLUS,
        first_name="Gavin",
        last_name="Example",
        ip_address="203.0.113.7",
        fingerprint="3f2504e0",
        mobile_instance_id="2b6f0cc9-04d1-46e5-b8a5-1c9b4f0e5a3f",
        metadata={"company size": 10_000, "plan": "pro", "trial": False},
    )

    assert added.is_new is True
    assert added.email == PLUS
    assert (added.first_name, added.last_name) == ("Gavin", "Example")
    assert added.ip_address == "203.0.113.7"
    assert added.fingerprint == "3f2504e0"
    assert added.mobile_instance_id == "2b6f0cc9-04d1-46e5-b8a5-1c9b4f0e5a3f"
    assert added.metadata == {"companySize": 10_000, "plan": "pro", "trial": False}
    assert added.referral_source == "DIRECT"
    assert added.referral_status is None
    assert added.referrer is None
    assert (added.fraud_risk_level, added.fraud_reason_code) == ("LOW", "UNIQUE_IDENTITY")
    assert added.vanity_keys == [f"gavin-{added.id}"]
    assert added.share_url == f"https://example.com/join?grsf=gavin-{added.id}"
    assert (added.rank, added.monthly_rank, added.prev_monthly_rank) == (1, 1, -1)
    assert (added.referrals, added.monthly_referrals, added.rewards) == ([], [], [])
    assert added.unsubscribed is False
    assert added.is_winner is False
    assert added.created_at is not None
    assert added.share_count is not None
    assert set(added.share_count.values()) == {0}


def test_add_with_a_known_email_answers_the_participant_that_is_there(
    client: Growsurf, campaign_id: str
) -> None:
    first = client.campaign.participant.add(campaign_id, email=PLUS, first_name="Gavin")

    again = client.campaign.participant.add(campaign_id, email=PLUS, first_name="Other")

    assert again.is_new is False
    assert again.id == first.id
    assert again.first_name == "Gavin"


def test_add_nests_the_referrer_in_the_friend(client: Growsurf, campaign_id: str) -> None:
    referrer = client.campaign.participant.add(campaign_id, email=PLUS, first_name="Gavin")

    friend = client.campaign.participant.add(
        campaign_id, email="f@example.com", referred_by=PLUS, referral_status="CREDIT_AWARDED"
    )

    assert friend.referral_source == "PARTICIPANT"
    assert friend.referral_status == "CREDIT_AWARDED"
    assert friend.referred_by == referrer.id
    assert friend.referrer is not None
    assert friend.referrer.id == referrer.id
    assert friend.referrer.email == PLUS
    assert friend.referrer.first_name == "Gavin"
    assert friend.referrer.referral_count == 1
    assert friend.referrer.referrals == [friend.id]
    assert friend.referrer.share_url == referrer.share_url


@pytest.mark.parametrize("email", [PLUS, "o'brien_%&=!#@example.com", "Mixed.Case@Example.COM"])
def test_retrieve_finds_a_participant_by_id_and_by_any_email(
    client: Growsurf, campaign_id: str, email: str
) -> None:
    added = client.campaign.participant.add(campaign_id, email=email)

    by_id = client.campaign.participant.retrieve(added.id, id=campaign_id)
    by_email = client.campaign.participant.retrieve(email, id=campaign_id)

    assert by_id == by_email
    assert by_id.id == added.id
    assert by_id.email == email
    assert by_id.is_new is None


def test_the_sdk_sends_at_and_plus_as_they_are(client: Growsurf, campaign_id: str) -> None:
    client.campaign.participant.add(campaign_id, email=PLUS)

    response = client.campaign.participant.with_raw_response.retrieve(PLUS, id=campaign_id)

    assert response.http_request.url.raw_path.endswith(b"/participant/gavin+test@example.com")
    assert response.parse().email == PLUS


@pytest.mark.parametrize("named_by", ["id", "email"])
def test_update_changes_what_was_sent(client: Growsurf, campaign_id: str, named_by: str) -> None:
    added = client.campaign.participant.add(
        campaign_id, email=PLUS, first_name="Gavin", last_name="Old", metadata={"a": "1", "b": "2"}
    )
    name = added.id if named_by == "id" else PLUS

    updated = client.campaign.participant.update(
        name,
        id=campaign_id,
        email="new+address@example.com",
        last_name="New",
        metadata={"b": "3", "c": "4"},
        notes="Met at the fair.",
        unsubscribed=True,
        vanity_keys=["gav", "gavin-the-great"],
    )

    assert updated.id == added.id
    assert updated.email == "new+address@example.com"
    assert (updated.first_name, updated.last_name) == ("Gavin", "New")
    assert updated.metadata == {"a": "1", "b": "3", "c": "4"}
    assert updated.notes == "Met at the fair."
    assert updated.unsubscribed is True
    assert updated.vanity_keys == ["gav", "gavin-the-great"]
    assert updated.share_url == "https://example.com/join?grsf=gav"
    assert client.campaign.participant.retrieve(added.id, id=campaign_id) == updated


def test_update_without_arguments_sends_an_empty_object_and_changes_nothing(
    client: Growsurf, campaign_id: str
) -> None:
    added = client.campaign.participant.add(campaign_id, email=PLUS)

    response = client.campaign.participant.with_raw_response.update(added.id, id=campaign_id)

    assert response.http_request.content == b"{}"
    assert response.parse() == client.campaign.participant.retrieve(added.id, id=campaign_id)


def test_update_gives_a_referrer_and_the_credit_in_one_call(
    client: Growsurf, campaign_id: str
) -> None:
    referrer, friend = participants(client, campaign_id, 2)

    updated = client.campaign.participant.update(
        friend, id=campaign_id, referred_by=referrer, referral_status="CREDIT_AWARDED"
    )

    assert updated.referral_status == "CREDIT_AWARDED"
    assert updated.referred_by == referrer
    read = client.campaign.participant.retrieve(referrer, id=campaign_id)
    assert (read.referral_count, read.referrals) == (1, [friend])


@pytest.mark.parametrize("named_by", ["id", "email"])
def test_delete_sends_no_body_and_removes(
    client: Growsurf, campaign_id: str, named_by: str
) -> None:
    added = client.campaign.participant.add(campaign_id, email=PLUS)
    name = added.id if named_by == "id" else PLUS

    response = client.campaign.participant.with_raw_response.delete(name, id=campaign_id)

    assert response.http_request.content == b""
    assert response.http_request.headers["content-type"] == "application/json"
    assert response.parse().success is True
    assert client.campaign.list_participants(campaign_id).participants == []
    assert client.campaign.participant.add(campaign_id, email=PLUS).is_new is True


def test_bulk_delete_tells_what_became_of_each(client: Growsurf, campaign_id: str) -> None:
    one, two, _ = participants(client, campaign_id, 3)

    answer = client.campaign.participant.bulk_delete(
        campaign_id, participants=[one, "p1@example.com", "nobody", "P1@example.com", "x@y.co"]
    )

    assert [row.status for row in answer.results] == [
        "DELETED",
        "DELETED",
        "NOT_FOUND",
        "DUPLICATE",
        "NOT_FOUND",
    ]
    assert [row.index for row in answer.results] == [0, 1, 2, 3, 4]
    assert answer.results[0].identifier == one
    assert answer.results[0].participant_id == one
    assert answer.results[0].email == "p0@example.com"
    assert answer.results[1].participant_id == answer.results[3].participant_id == two
    assert answer.results[2].message
    assert answer.results[3].message
    summary = answer.summary
    assert (summary.total, summary.deleted_count, summary.error_count) == (5, 2, 0)
    assert (summary.not_found_count, summary.duplicate_count) == (2, 1)
    left = client.campaign.list_participants(campaign_id).participants
    assert [each.email for each in left] == ["p2@example.com"]


def test_list_pages_through_all_participants(client: Growsurf, campaign_id: str) -> None:
    joined = participants(client, campaign_id, 5)

    pages = [client.campaign.list_participants(campaign_id, limit=2)]
    while pages[-1].next_id:
        pages.append(
            client.campaign.list_participants(campaign_id, limit=2, next_id=pages[-1].next_id)
        )

    assert [one.id for page in pages for one in page.participants] == joined[::-1]
    assert [len(page.participants) for page in pages] == [2, 2, 1]
    assert {page.limit for page in pages} == {2}
    assert pages[0].next_id == joined[2]


def test_the_leaderboards_page_through_everybody_best_first(
    stack: Stack, client: Growsurf, campaign_id: str
) -> None:
    late, best = (
        client.campaign.participant.add(campaign_id, email=f"{name}@example.com").id
        for name in ("late", "best")
    )
    friend = client.campaign.participant.add(
        campaign_id,
        email="friend@example.com",
        referred_by=best,
        referral_status="CREDIT_AWARDED",
    ).id
    stack.drain()

    for board in ("ALL_TIME", "CURRENT_MONTH"):
        pages = [client.campaign.list_leaderboard(campaign_id, leaderboard_type=board, limit=2)]
        while pages[-1].next_id:
            pages.append(
                client.campaign.list_leaderboard(
                    campaign_id, leaderboard_type=board, limit=2, next_id=pages[-1].next_id
                )
            )

        assert [one.id for page in pages for one in page.participants] == [best, late, friend]
    monthly = client.campaign.list_leaderboard(campaign_id, is_monthly=True)
    assert [one.monthly_referral_count for one in monthly.participants] == [1, 0, 0]
    last_month = client.campaign.list_leaderboard(campaign_id, leaderboard_type="PREV_MONTH")
    assert last_month.participants == []


def test_list_finds_participants_by_metadata(client: Growsurf, campaign_id: str) -> None:
    for number in range(4):
        client.campaign.participant.add(
            campaign_id,
            email=f"p{number}@example.com",
            metadata={"plan": "pro" if number % 2 else "free", "seats": number},
        )

    one_value = client.campaign.list_participants(campaign_id, metadata={"plan": "pro"})
    two_values = client.campaign.list_participants(
        campaign_id, metadata={"plan": "pro", "seats": "3"}
    )

    assert {one.email for one in one_value.participants} == {"p1@example.com", "p3@example.com"}
    assert [one.email for one in two_values.participants] == ["p3@example.com"]


@pytest.mark.parametrize("named_by", ["id", "email"])
def test_trigger_referral_credits_the_referrer(
    stack: Stack, client: Growsurf, campaign_id: str, named_by: str
) -> None:
    referrer = client.campaign.participant.add(campaign_id, email="r@example.com")
    friend = client.campaign.participant.add(campaign_id, email=PLUS, referred_by=referrer.id)
    name = friend.id if named_by == "id" else PLUS

    response = client.campaign.participant.with_raw_response.trigger_referral(name, id=campaign_id)
    stack.drain()

    assert response.http_request.content == b"{}"
    outcome = response.parse()
    assert outcome.success is True
    assert outcome.message == "Successfully awarded referral credit."
    after = client.campaign.participant.retrieve(PLUS, id=campaign_id)
    assert after.referral_status == "CREDIT_AWARDED"
    assert after.referrer is not None
    assert after.referrer.referral_count == after.referrer.monthly_referral_count == 1
    assert client.campaign.retrieve(campaign_id).referral_count == 1


def test_a_delayed_trigger_can_be_cancelled(client: Growsurf, campaign_id: str) -> None:
    referrer = client.campaign.participant.add(campaign_id, email="r@example.com")
    friend = client.campaign.participant.add(campaign_id, email=PLUS, referred_by=referrer.id)
    delayed = client.campaign.participant.trigger_referral(
        friend.id, id=campaign_id, delay_in_days=7
    )

    canceled = client.campaign.participant.cancel_delayed_referral(PLUS, id=campaign_id)
    again = client.campaign.participant.cancel_delayed_referral(PLUS, id=campaign_id)

    assert delayed.success is True
    assert delayed.message
    assert canceled.success is True
    assert again.success is False
    read = client.campaign.participant.retrieve(friend.id, id=campaign_id)
    assert read.referral_status == "CREDIT_PENDING"
