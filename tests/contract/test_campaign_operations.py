from __future__ import annotations

from growsurf import Growsurf

from local.stack import Stack


def test_create_makes_a_draft_with_everything_that_was_said(client: Growsurf) -> None:
    created = client.campaign.create(
        type="REFERRAL",
        name="Autumn",
        company_name="Example Ltd",
        company_logo_image_url="https://example.com/logo.png",
        currency_iso="EUR",
        goal="SUBSCRIBERS",
    )

    assert created.name == "Autumn"
    assert created.type == "REFERRAL"
    assert created.status == "DRAFT"
    assert created.currency_iso == "EUR"
    assert created.rewards == []
    counts = (
        created.participant_count,
        created.referral_count,
        created.impression_count,
        created.invite_count,
        created.winner_count,
    )
    assert counts == (0, 0, 0, 0, 0)


def test_create_needs_no_more_than_a_type(client: Growsurf) -> None:
    created = client.campaign.create(type="REFERRAL")

    assert created.name
    assert created.currency_iso == "USD"


def test_retrieve_reads_the_campaign_that_was_made(client: Growsurf) -> None:
    created = client.campaign.create(type="REFERRAL", name="To read")

    read = client.campaign.retrieve(created.id)

    assert read == created


def test_list_holds_every_campaign_of_the_account(client: Growsurf) -> None:
    made = [client.campaign.create(type="REFERRAL", name=f"Listed {n}") for n in range(3)]

    listed = client.campaign.list().campaigns

    assert [one for one in listed if one.name.startswith("Listed")] == made


def test_update_renames_and_publishes(client: Growsurf) -> None:
    created = client.campaign.create(type="REFERRAL", name="Before")

    updated = client.campaign.update(
        created.id,
        name="After",
        company_name="Example Ltd",
        company_logo_image_url="https://example.com/logo.png",
        status="IN_PROGRESS",
    )

    assert (updated.id, updated.name, updated.status) == (created.id, "After", "IN_PROGRESS")
    assert client.campaign.retrieve(created.id) == updated


def test_clone_makes_a_draft_of_its_own(client: Growsurf, campaign_id: str) -> None:
    client.campaign.participant.add(campaign_id, email="stays@example.com")

    cloned = client.campaign.clone(campaign_id)

    assert cloned.id != campaign_id
    assert cloned.status == "DRAFT"
    assert cloned.participant_count == 0
    assert client.campaign.list_participants(cloned.id).participants == []
    assert client.campaign.installation.retrieve(cloned.id) == (
        client.campaign.installation.retrieve(campaign_id)
    )


def test_options_are_read_with_their_defaults(client: Growsurf, campaign_id: str) -> None:
    options = client.campaign.options.retrieve(campaign_id)

    assert options == {
        "requireManualRewardApproval": False,
        "autoFulfillRewards": False,
        "autoBlockFraud": False,
        "requireManualFraudApproval": False,
        "enforceGdprCompliance": False,
        "attributionModel": "LAST_CLICK",
        "referralCookieWindowDays": 365,
        "referralCreditWindowDays": None,
        "fraud": {
            "blockedEmails": [],
            "allowedEmails": [],
            "blockedIps": [],
            "allowedIps": [],
            "blockBurnerEmails": False,
            "blockHighRiskReferrers": False,
            "maxSignupsPerIp2Min": None,
            "maxSignupsPerIp10Min": None,
        },
    }


def test_options_are_changed_one_by_one(client: Growsurf, campaign_id: str) -> None:
    client.campaign.options.update(campaign_id, body={"referralCreditWindowDays": 30})

    updated = client.campaign.options.update(campaign_id, body={"enforceGdprCompliance": True})

    assert updated["referralCreditWindowDays"] == 30
    assert updated["enforceGdprCompliance"] is True
    assert client.campaign.options.retrieve(campaign_id) == updated


def test_the_installation_is_read_with_its_defaults(client: Growsurf) -> None:
    created = client.campaign.create(type="REFERRAL")

    installation = client.campaign.installation.retrieve(created.id)

    assert installation["referralTrigger"] == "CUSTOM"
    assert installation["shareUrl"] is None
    assert installation["allowedUrls"] == []


def test_the_installation_is_changed_one_field_at_a_time(
    client: Growsurf, campaign_id: str
) -> None:
    updated = client.campaign.installation.update(
        campaign_id,
        body={"referralTrigger": "ON_SIGNUP", "allowedUrls": ["https://shop.example.com"]},
    )

    assert updated["referralTrigger"] == "ON_SIGNUP"
    assert updated["allowedUrls"] == ["https://shop.example.com"]
    assert updated["shareUrl"] == "https://example.com/join"
    assert client.campaign.installation.retrieve(campaign_id) == updated


def test_counts_of_a_campaign_follow_its_participants(
    stack: Stack, client: Growsurf, campaign_id: str
) -> None:
    referrer = client.campaign.participant.add(campaign_id, email="r@example.com")
    client.campaign.participant.add(
        campaign_id,
        email="f@example.com",
        referred_by=referrer.id,
        referral_status="CREDIT_AWARDED",
    )

    stack.drain()

    read = client.campaign.retrieve(campaign_id)
    assert (read.participant_count, read.referral_count) == (2, 1)


def test_emails_are_configured_and_sent(client: Growsurf, campaign_id: str) -> None:
    sender = {"fromEmail": "friends@hooli.example", "fromName": "Hooli"}
    changed = client.campaign.emails.update(
        campaign_id,
        body={"settings": {"sender": sender}, "goalAchieved": {"subject": "Well done"}},
    )
    participant = client.campaign.participant.add(campaign_id, email="written@example.com")

    answers = [
        client.campaign.participant.email(
            participant.id, id=campaign_id, email_type="welcomeNonReferred"
        ),
        client.campaign.participant.email(
            "written@example.com", id=campaign_id, subject="Hello", body="<p>{{firstName}}</p>"
        ),
    ]

    assert changed == client.campaign.emails.retrieve(campaign_id)
    assert changed["goalAchieved"]["subject"] == "Well done"  # type: ignore[index]
    assert [(answer.success, answer.status) for answer in answers] == [(True, "queued")] * 2
