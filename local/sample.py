"""The data that the sample events in `events/` speak of: one small campaign with fixed ids."""

from __future__ import annotations

from grapevine import runtime
from grapevine.engine import accounts, referrals
from grapevine.engine.program import installation_of
from grapevine.months import DAY_MS, month_at
from grapevine.table import store
from grapevine.table.accounts import Account
from grapevine.table.campaigns import AccountCampaign, Campaign, next_join_sequence
from grapevine.table.participants import Profile
from grapevine.table.referrals import Referral
from grapevine.table.standings import Standing
from grapevine.table.store import ABSENT, Put

ACCOUNT_ID = "acct_sample"
API_KEY = "sample-key"
CAMPAIGN_ID = "sample"
REFERRER_ID = "gavin1"
PENDING_ID = "jared1"
DELAYED_ID = "monica"


def write() -> None:
    """Writes the sample into the runtime's empty table: a referrer with two friends, one whose
    credit is pending and one whose credit is delayed by a week."""
    now = runtime.now_ms()
    account = Account(account_id=ACCOUNT_ID, name="Sample", created_at=now)
    campaign = Campaign(
        campaign_id=CAMPAIGN_ID,
        account_id=ACCOUNT_ID,
        name="Sample campaign",
        currency_iso="USD",
        status="IN_PROGRESS",
        created_at=now,
        started_at=now,
        installation={"shareUrl": "https://example.com/join"},
    )
    installation_of(campaign)
    listed = AccountCampaign(account_id=ACCOUNT_ID, campaign_id=CAMPAIGN_ID)
    store.transact([Put(entity.to_item(), ABSENT) for entity in (account, campaign, listed)])
    accounts.create_key(ACCOUNT_ID, name="sample", secret=API_KEY)
    _participant(REFERRER_ID, "gavin@example.com", "Gavin", now)
    _participant(PENDING_ID, "jared@example.com", "Jared", now, _referral(PENDING_ID, now))
    delayed = referrals.delayed(_referral(DELAYED_ID, now), now + 7 * DAY_MS)
    _participant(DELAYED_ID, "monica@example.com", "Monica", now, delayed)


def _referral(referred_id: str, now: int) -> Referral:
    return Referral(
        campaign_id=CAMPAIGN_ID,
        referrer_id=REFERRER_ID,
        referred_id=referred_id,
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
