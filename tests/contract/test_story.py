"""A referral campaign from beginning to end, as a customer's backend runs it."""

from __future__ import annotations

import asyncio

import pytest
from growsurf import AsyncGrowsurf, Growsurf

from local.stack import Stack

pytestmark = pytest.mark.both_engines


def test_a_campaign_runs_end_to_end_with_the_official_sdk(stack: Stack, client: Growsurf) -> None:
    campaign = client.campaign.create(type="REFERRAL", name="Story")
    assert (campaign.status, campaign.participant_count) == ("DRAFT", 0)

    published = client.campaign.update(campaign.id, status="IN_PROGRESS")
    assert published.status == "IN_PROGRESS"

    referrer = client.campaign.participant.add(
        campaign.id, email="gavin@example.com", first_name="Gavin"
    )
    assert referrer.is_new
    assert (referrer.rank, referrer.referral_count) == (1, 0)

    friends = [
        client.campaign.participant.add(
            campaign.id, email=f"friend+{number}@example.com", referred_by=referrer.id
        )
        for number in range(3)
    ]
    assert {friend.referral_status for friend in friends} == {"CREDIT_PENDING"}

    for friend in friends[:2]:
        outcome = client.campaign.participant.trigger_referral(friend.id, id=campaign.id)
        assert outcome.success
    again = client.campaign.participant.trigger_referral(friends[0].email, id=campaign.id)
    assert not again.success

    stack.drain()

    credited = client.campaign.participant.retrieve("gavin@example.com", id=campaign.id)
    assert credited.referral_count == credited.monthly_referral_count == 2
    assert credited.referrals == [friends[1].id, friends[0].id]
    ended = client.campaign.update(campaign.id, status="COMPLETE")
    assert (ended.participant_count, ended.referral_count) == (4, 2)
    everybody = client.campaign.list_participants(campaign.id).participants
    assert [one.email for one in everybody] == [
        "friend+2@example.com",
        "friend+1@example.com",
        "friend+0@example.com",
        "gavin@example.com",
    ]
    assert {one.email: one.rank for one in everybody} == {
        "gavin@example.com": 1,
        "friend+0@example.com": 2,
        "friend+1@example.com": 3,
        "friend+2@example.com": 4,
    }


def test_the_same_story_runs_with_the_asynchronous_client(stack: Stack) -> None:
    async def story() -> None:
        async with AsyncGrowsurf(
            base_url=stack.url + "/v2",
            api_key=stack.api_key,
            max_retries=0,
            _strict_response_validation=True,
        ) as client:
            campaign = await client.campaign.create(type="REFERRAL", name="Async story")
            await client.campaign.update(campaign.id, status="IN_PROGRESS")
            referrer = await client.campaign.participant.add(campaign.id, email="gavin@example.com")
            friends = await asyncio.gather(
                *(
                    client.campaign.participant.add(
                        campaign.id, email=f"friend+{number}@example.com", referred_by=referrer.id
                    )
                    for number in range(3)
                )
            )

            outcomes = await asyncio.gather(
                *(
                    client.campaign.participant.trigger_referral(friend.email, id=campaign.id)
                    for friend in friends
                )
            )
            stack.drain()

            assert all(outcome.success for outcome in outcomes)
            credited = await client.campaign.participant.retrieve(referrer.id, id=campaign.id)
            assert credited.referral_count == credited.monthly_referral_count == 3
            assert set(credited.referrals or []) == {friend.id for friend in friends}
            read = await client.campaign.retrieve(campaign.id)
            assert (read.participant_count, read.referral_count) == (4, 3)

    asyncio.run(story())
