"""The data that the sample events in `events/` speak of: one small campaign with fixed ids."""

from __future__ import annotations

from dataclasses import replace

from grapevine import runtime
from grapevine.engine import accounts, referrals
from grapevine.engine.mail import inviting
from grapevine.engine.month_end.calendar import opened
from grapevine.engine.program import installation_of
from grapevine.engine.salts import address_hash
from grapevine.months import DAY_MS, month_at
from grapevine.table import store
from grapevine.table.accounts import Account, SenderIdentity
from grapevine.table.campaigns import AccountCampaign, Campaign, CampaignSlug, next_join_sequence
from grapevine.table.inbox import InboxEvent
from grapevine.table.invitations import Invitations
from grapevine.table.invites import Invite
from grapevine.table.ledger import LedgerLine, PlayerEvent
from grapevine.table.mail import MailText
from grapevine.table.month_end import MonthClosing, MonthSnapshot
from grapevine.table.participants import Profile
from grapevine.table.player_counts import one_more_player
from grapevine.table.players import new_player
from grapevine.table.referrals import Referral
from grapevine.table.rewards import EarnedReward, Earnings, RewardConfig
from grapevine.table.salts import Salt
from grapevine.table.standings import Standing
from grapevine.table.webhooks import Delivery, Webhook, health_of, packed
from grapevine.table.writes import ABSENT, Put
from local import sample_game

ACCOUNT_ID = "acct_sample"
API_KEY = "sample-key"
CAMPAIGN_ID = "sample"
SLUG = "sample-campaign"
REFERRER_ID = "gavin1"
PENDING_ID = "jared1"
DELAYED_ID = "monica"
USER_ID = "user_12345"
REWARD_ID = "crew_shirt"
WEBHOOK_ID = "primary"
EVENT_ID = "evt_0123456789abcdef01234567"
EVENT_AT_MS = 1_795_338_000_000
INBOX_ID = "inb_sample"
SETTLED_MONTH = 2026 * 12 + 7
CLOSED_MONTH = 2026 * 12 + 8
SALT = "salt-of-the-sample"
INVITED_AT_MS = EVENT_AT_MS
NOWHERE = "https://hooks.example.invalid/grapevine"
"""No name under `.invalid` has an address: nobody is called."""


def write() -> None:
    """Writes the sample into the runtime's empty table: a referrer with two friends, one whose
    credit is pending and one whose credit is delayed by a week; two rewards of the referrer, one
    pending and one approved; a webhook with an event that has not been delivered yet; a month that
    has been closed but not settled, and one that is settled; an invite whose e-mail has not been
    sent yet; mechanics that say nothing, a player with an event, a code; an event in the inbox, for
    which no campaign listens."""
    now = runtime.now_ms()
    account = Account(account_id=ACCOUNT_ID, name="Sample", created_at=now)
    campaign = Campaign(
        campaign_id=CAMPAIGN_ID,
        account_id=ACCOUNT_ID,
        name="Sample campaign",
        slug=SLUG,
        currency_iso="USD",
        status="IN_PROGRESS",
        created_at=now,
        started_at=now,
        installation={"shareUrl": "https://example.com/join"},
        emails={"fromEmail": "friends@example.com", "fromName": "Sample"},
        trait_secret="what the sample is recognised by",
    )
    installation_of(campaign)
    listed = AccountCampaign(account_id=ACCOUNT_ID, campaign_id=CAMPAIGN_ID)
    slug = CampaignSlug(account_id=ACCOUNT_ID, slug=SLUG, campaign_id=CAMPAIGN_ID)
    sender = SenderIdentity(account_id=ACCOUNT_ID, identity="example.com")
    made = (account, campaign, listed, slug, sender)
    store.transact([Put(entity.to_item(), ABSENT) for entity in made])
    accounts.create_key(ACCOUNT_ID, name="sample", secret=API_KEY)
    _participant(REFERRER_ID, "gavin@example.com", "Gavin", now)
    pending = _referral(PENDING_ID, "jared@example.com", "Jared", now)
    _participant(PENDING_ID, "jared@example.com", "Jared", now, pending)
    undelayed = _referral(DELAYED_ID, "monica@example.com", "Monica", now)
    delayed = referrals.delayed(undelayed, now + 7 * DAY_MS)
    _participant(DELAYED_ID, "monica@example.com", "Monica", now, delayed)
    _player(now)
    sample_game.write(ACCOUNT_ID, CAMPAIGN_ID, now)
    _inbox(now)
    _rewards(now)
    _webhook(now)
    _months(now)
    _mail(now)


def _referral(referred_id: str, email: str, first_name: str, now: int) -> Referral:
    return Referral(
        campaign_id=CAMPAIGN_ID,
        referrer_id=REFERRER_ID,
        referred_id=referred_id,
        email=email,
        first_name=first_name,
        status="CREDIT_PENDING",
        created_at=now,
        updated_at=now,
        pending_since=now,
    )


def _participant(
    participant_id: str, email: str, first_name: str, now: int, referral: Referral | None = None
) -> None:
    profile = Profile(
        campaign_id=CAMPAIGN_ID,
        participant_id=participant_id,
        email=email,
        first_name=first_name,
        created_at=now,
        referral_source="PARTICIPANT" if referral else "DIRECT",
        referrer_id=REFERRER_ID if referral else None,
    )
    standing = Standing(
        campaign_id=CAMPAIGN_ID,
        participant_id=participant_id,
        join_sequence=next_join_sequence(CAMPAIGN_ID),
        joined_month=month_at(now),
    )
    entities = [profile, standing, *profile.companions]
    written = [*entities, referral] if referral else entities
    store.transact([Put(entity.to_item(), ABSENT) for entity in written])


def _player(now: int) -> None:
    """Somebody whose first event gave ten points."""
    event = PlayerEvent(
        campaign_id=CAMPAIGN_ID,
        user_id=USER_ID,
        event_id=EVENT_ID,
        event_type="purchase",
        metadata={"amount": 49},
        at=now,
        trust="server",
        source="gamifyhost",
        config_version=1,
        points_earned=10,
        total_points=10,
    )
    line = LedgerLine(
        campaign_id=CAMPAIGN_ID,
        user_id=USER_ID,
        at=now,
        event_id=EVENT_ID,
        number=0,
        points=10,
        balance_after=10,
        reason="rule",
        source_id="purchase-flat",
        event_type="purchase",
    )
    player = replace(
        new_player(CAMPAIGN_ID, USER_ID, now), version=1, total_points=10, events_count=1
    )
    entities = (event, line, player)
    counted = one_more_player(CAMPAIGN_ID, USER_ID)
    store.transact([*(Put(entity.to_item(), ABSENT) for entity in entities), counted])


def _inbox(now: int) -> None:
    event = InboxEvent(
        account_id=ACCOUNT_ID,
        inbox_id=INBOX_ID,
        user_id="player123",
        event_type="review",
        trust="server",
        at=now,
        expires_at=(now + 30 * DAY_MS) // 1000,
    )
    store.transact([Put(event.to_item(), ABSENT)])


def _rewards(now: int) -> None:
    config = RewardConfig(
        campaign_id=CAMPAIGN_ID,
        reward_id=REWARD_ID,
        reward_type="SINGLE_SIDED",
        created_at=now,
        title="T-shirt",
    )
    earned = [
        EarnedReward(
            campaign_id=CAMPAIGN_ID,
            participant_id=REFERRER_ID,
            number=number,
            reward_id=REWARD_ID,
            is_referrer=True,
            referrer_id=REFERRER_ID,
            referred_id=PENDING_ID,
            created_at=now,
            approved_at=approved_at,
        )
        for number, approved_at in ((1, None), (2, now))
    ]
    earnings = Earnings(
        campaign_id=CAMPAIGN_ID, participant_id=REFERRER_ID, version=1, earned=2, approved=1
    )
    store.transact([Put(entity.to_item(), ABSENT) for entity in (config, *earned, earnings)])


def _webhook(now: int) -> None:
    webhook = Webhook(
        campaign_id=CAMPAIGN_ID,
        webhook_id=WEBHOOK_ID,
        created_at=now,
        payload_url=NOWHERE,
        events=("NEW_PARTICIPANT_ADDED", "PARTICIPANT_REACHED_A_GOAL"),
    )
    expires_at = (now + 30 * DAY_MS) // 1000
    event, _ = packed(
        CAMPAIGN_ID,
        EVENT_ID,
        name="NEW_PARTICIPANT_ADDED",
        created_at=EVENT_AT_MS,
        body=b"{}",
        expires_at=expires_at,
    )
    delivery = Delivery(
        campaign_id=CAMPAIGN_ID,
        webhook_id=WEBHOOK_ID,
        webhook_created_at=now,
        event_id=EVENT_ID,
        event_name=event.name,
        created_at=EVENT_AT_MS,
        next_attempt_at=now,
        expires_at=expires_at,
    )
    store.transact(
        [Put(entity.to_item(), ABSENT) for entity in (webhook, health_of(webhook), event, delivery)]
    )


def _months(now: int) -> None:
    calendar = opened(None, CAMPAIGN_ID, month_at(now))
    closing = MonthClosing(campaign_id=CAMPAIGN_ID, month=CLOSED_MONTH, closed_at=now)
    snapshot = MonthSnapshot(
        campaign_id=CAMPAIGN_ID,
        month=SETTLED_MONTH,
        taken_at=now,
        participant_ids=(REFERRER_ID,),
        counts=(2,),
    )
    store.transact([Put(entity.to_item(), ABSENT) for entity in (calendar, closing, snapshot)])


def _mail(now: int) -> None:
    email = "richard@example.com"
    invite = Invite(
        campaign_id=CAMPAIGN_ID,
        referrer_id=REFERRER_ID,
        address_hash=address_hash(SALT, email),
        email=email,
        request_hash="0" * 32,
        message_id="text_sample",
        created_at=INVITED_AT_MS,
    )
    text = MailText(
        campaign_id=CAMPAIGN_ID,
        text_id=invite.message_id,
        subject="{{referrerFirstName}} invites you",
        message="{{referrerMessage}}\n\n{{referrerShareUrl}}",
        expires_at=(now + 30 * DAY_MS) // 1000,
    )
    count = Invitations(
        campaign_id=CAMPAIGN_ID, participant_id=REFERRER_ID, version=1, invite_count=1
    )
    salt = Salt(campaign_id=CAMPAIGN_ID, salt=SALT)
    mail = inviting.mail_of(invite)
    store.transact([Put(entity.to_item(), ABSENT) for entity in (salt, invite, text, count, mail)])
