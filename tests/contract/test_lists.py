"""Lists of referrals and invites with the official SDK."""

from __future__ import annotations

import pytest
from growsurf import BadRequestError, Growsurf

from local.stack import Stack
from tests.api import unique_email
from tests.scenarios import invited


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
