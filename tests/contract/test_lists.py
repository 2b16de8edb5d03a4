"""Lists of referrals and invites with the official SDK."""

from __future__ import annotations

import pytest
from growsurf import BadRequestError, Growsurf

from local.stack import Stack
from tests.api import unique_email
from tests.scenarios import invited

pytestmark = pytest.mark.both_engines


def test_referrals_and_invites_are_paged_through_with_the_official_sdk(
    stack: Stack, client: Growsurf, campaign_id: str
) -> None:
    referrer = client.campaign.participant.add(campaign_id, email=unique_email("gavin"))
    friends = [
        client.campaign.participant.add(
            campaign_id,
            email=unique_email(f"friend{number}"),
            first_name="Richard",
            referred_by=referrer.id,
        )
        for number in range(4)
    ]
    client.campaign.participant.trigger_referral(friends[0].id, id=campaign_id)
    [invite] = invited(stack, campaign_id, referrer.id, unique_email())

    first = client.campaign.list_referrals(campaign_id, limit=3, sort_by="createdAt", desc=False)
    assert first.more
    assert first.next_id
    assert (first.limit, first.next_offset) == (3, 3)
    second = client.campaign.participant.list_referrals(
        referrer.email,
        id=campaign_id,
        limit=3,
        sort_by="createdAt",
        desc=False,
        next_id=first.next_id,
    )
    by_offset = client.campaign.list_referrals(
        campaign_id, limit=3, sort_by="createdAt", desc=False, offset=3
    )

    rows = [*first.referrals, *second.referrals]
    assert by_offset.referrals == second.referrals
    assert {row.id for row in rows} == {invite, *(friend.id for friend in friends)}
    assert (second.more, second.next_id, second.next_offset) == (False, None, None)
    statuses = {row.id: row.referral_status for row in rows}
    assert statuses[friends[0].id] == "CREDIT_AWARDED"
    assert statuses[friends[1].id] == "CREDIT_PENDING"
    [masked] = [row for row in rows if row.referral_status == "INVITE_SENT"]
    assert (masked.id, masked.email, masked.first_name) == (invite, "*" * 15, None)
    assert {row.referred_by for row in rows} == {referrer.id}

    found = client.campaign.list_referrals(campaign_id, email=friends[2].email).referrals
    assert [row.id for row in found] == [friends[2].id]
    named = client.campaign.list_referrals(
        campaign_id, first_name="richard", referral_status="CREDIT_AWARDED"
    ).referrals
    assert [row.id for row in named] == [friends[0].id]


def test_lists_of_nobody_and_of_too_much_are_refused(client: Growsurf, campaign_id: str) -> None:
    with pytest.raises(BadRequestError):
        client.campaign.participant.list_referrals("nobody", id=campaign_id)
    with pytest.raises(BadRequestError):
        client.campaign.list_referrals(campaign_id, limit=101)


def test_the_activity_log_is_paged_through_with_the_official_sdk(
    stack: Stack, client: Growsurf, campaign_id: str
) -> None:
    referrer = client.campaign.participant.add(campaign_id, email=unique_email("gavin"))
    friend = client.campaign.participant.add(
        campaign_id, email=unique_email("jared"), referred_by=referrer.id
    )
    client.campaign.participant.trigger_referral(friend.id, id=campaign_id)
    stack.drain()

    first = client.campaign.participant.list_activity_logs(referrer.id, id=campaign_id, limit=2)
    assert first.offset is not None
    assert (first.limit, first.offset) == (2, 2)
    second = client.campaign.participant.list_activity_logs(
        referrer.email, id=campaign_id, limit=2, offset=first.offset
    )

    assert second.offset is None
    lines = [*first.activity_logs, *second.activity_logs]
    assert [(line.type, line.text) for line in lines] == [
        ("REFERRAL", f"Got a referral credit for participant {friend.id}."),
        ("REFERRAL", f"Referred participant {friend.id}."),
        ("COMMON", "Joined."),
    ]
