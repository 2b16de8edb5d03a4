from __future__ import annotations

from collections.abc import Callable
from decimal import Decimal
from typing import Any

import pytest
from boto3.dynamodb.types import TypeSerializer
from hypothesis import given
from hypothesis import strategies as st

from grapevine.table import exact_json
from grapevine.table.accounts import Account, AccountApiKey, ApiKey, SenderIdentity
from grapevine.table.activities import Activity
from grapevine.table.attributes import Item, change_in
from grapevine.table.campaigns import AccountCampaign, Campaign, CampaignSlug, Totals
from grapevine.table.codes import Code, CodeAttempts, CodeBatch, CodeCount, CodeSecret
from grapevine.table.counted import Counted
from grapevine.table.email_requests import EmailRequests
from grapevine.table.email_templates import EmailTemplate
from grapevine.table.entity import Entity
from grapevine.table.fraud import FraudList, FraudReport, Trait
from grapevine.table.impressions import Impressions, SourceHour, Visitor
from grapevine.table.inbox import InboxEvent, InboxReceipt
from grapevine.table.invitations import Invitations, InviteDay
from grapevine.table.invites import Invite
from grapevine.table.ledger import LedgerLine, MilestoneAward, PlayerEvent, Reversal, Win
from grapevine.table.mail import Mail, MailText, Suppression
from grapevine.table.mail_runs import MailPace, MailRun
from grapevine.table.mechanics import DrawSecret, Mechanics, MechanicsVersion, Stock
from grapevine.table.moments import HiddenPrize
from grapevine.table.month_end import Calendar, MonthClosing, MonthSnapshot
from grapevine.table.participants import EmailGuard, KeyGuard, MetadataEntry, Profile
from grapevine.table.player_keys import is_user_id
from grapevine.table.player_links import PlayerLink
from grapevine.table.player_periods import PlayerPeriod
from grapevine.table.players import Player
from grapevine.table.points_ranks import (
    PointsCounted,
    PointsHead,
    PointsJournal,
    PointsNode,
)
from grapevine.table.ranks import RankBlock, RankHead, RankJournal, RankNode
from grapevine.table.receipts import Receipt
from grapevine.table.referrals import Referral
from grapevine.table.rewards import EarnedReward, Earnings, RewardConfig
from grapevine.table.salts import Salt
from grapevine.table.standings import Standing
from grapevine.table.webhooks import (
    Delivery,
    Webhook,
    WebhookEvent,
    WebhookHealth,
    WebhookPayloadPart,
)

IDS = st.from_regex(r"[a-z0-9]{6}", fullmatch=True)
TIMES = st.integers(min_value=0, max_value=10**15)
MONTH_COUNTS = st.tuples(st.integers(1, 10**5), st.integers(1, 10**6))
METADATA = st.dictionaries(
    st.from_regex(r"[a-z]{1,8}", fullmatch=True),
    st.one_of(st.text(), st.booleans(), st.integers(-(2**53), 2**53), st.floats(-1e9, 1e9)),
)
CONTENTS = st.binary(max_size=50)
OPTIONAL_TEXT = st.one_of(st.none(), st.text())

NUMBERS = st.decimals(
    min_value="-999999999999999", max_value="999999999999999", allow_nan=False, places=6
)
VALUES = st.one_of(st.text(), st.booleans(), st.none(), st.integers(-(10**15), 10**15), NUMBERS)
EVENT_METADATA = st.dictionaries(st.text(max_size=8), st.one_of(VALUES, st.lists(VALUES)))

ENTITIES: dict[type[Entity], st.SearchStrategy[Any]] = {
    Mechanics: st.builds(
        Mechanics,
        campaign_id=IDS,
        version=TIMES,
        configuration=EVENT_METADATA,
        draw_secret=IDS,
        secret_number=TIMES,
        secret_at=TIMES,
        hiding=st.dictionaries(IDS, TIMES),
        changed_at=TIMES,
        changed_by=IDS,
    ),
    MechanicsVersion: st.builds(
        MechanicsVersion,
        campaign_id=IDS,
        version=TIMES,
        configuration=EVENT_METADATA,
        hidden=st.dictionaries(IDS, TIMES),
        hidden_from=st.one_of(st.none(), TIMES),
        hidden_until=st.one_of(st.none(), TIMES),
        changed_at=TIMES,
        changed_by=IDS,
    ),
    DrawSecret: st.builds(DrawSecret, campaign_id=IDS, number=TIMES, secret=IDS, until=TIMES),
    HiddenPrize: st.builds(
        HiddenPrize,
        campaign_id=IDS,
        save_id=IDS,
        version=TIMES,
        secret_number=TIMES,
        tier_id=IDS,
        number=TIMES,
        at=TIMES,
    ),
    Stock: st.builds(
        Stock, campaign_id=IDS, tier_id=IDS, inventory=TIMES, per_day=TIMES, awarded=TIMES
    ),
    Receipt: st.builds(
        Receipt,
        campaign_id=IDS,
        key_hash=IDS,
        event_id=IDS,
        fingerprint=OPTIONAL_TEXT,
        body=st.text(),
        created_at=TIMES,
    ),
    InboxEvent: st.builds(
        InboxEvent,
        account_id=IDS,
        inbox_id=IDS,
        user_id=st.text(),
        event_type=st.text(),
        metadata=EVENT_METADATA,
        display_name=OPTIONAL_TEXT,
        at=TIMES,
        expires_at=TIMES,
    ),
    PlayerLink: st.builds(
        PlayerLink, campaign_id=IDS, participant_id=IDS, user_id=st.text(), linked_at=TIMES
    ),
    InboxReceipt: st.builds(
        InboxReceipt, account_id=IDS, key_hash=IDS, fingerprint=IDS, expires_at=TIMES
    ),
    CodeSecret: st.builds(CodeSecret, account_id=IDS, secret=IDS),
    Code: st.builds(
        Code,
        account_id=IDS,
        code_hash=IDS,
        campaign_id=IDS,
        points_value=TIMES,
        created_at=TIMES,
        expires_at=st.one_of(st.none(), TIMES),
        user_id=OPTIONAL_TEXT,
        redeemed_by=OPTIONAL_TEXT,
    ),
    CodeBatch: st.builds(
        CodeBatch,
        campaign_id=IDS,
        batch_id=IDS,
        batch_size=TIMES,
        points_value=TIMES,
        label=OPTIONAL_TEXT,
        expires_at=st.one_of(st.none(), TIMES),
        created_at=TIMES,
        finished_at=st.one_of(st.none(), TIMES),
        taken=st.dictionaries(IDS, st.integers(1, 9)),
    ),
    CodeCount: st.builds(CodeCount, campaign_id=IDS, batch_id=IDS, part=st.integers(0, 15)),
    CodeAttempts: st.builds(
        CodeAttempts, account_id=IDS, subject=IDS, minute=st.integers(0, 10**9 - 1)
    ),
    Reversal: st.builds(
        Reversal, campaign_id=IDS, user_id=IDS, event_id=IDS, at=TIMES, code_status=OPTIONAL_TEXT
    ),
    Player: st.builds(
        Player,
        campaign_id=IDS,
        user_id=IDS,
        total_points=st.integers(0, 10**18),
        joined_at=TIMES,
        reached_at=TIMES,
        display_name=OPTIONAL_TEXT,
        counters=st.dictionaries(IDS, st.one_of(IDS, TIMES, st.lists(TIMES))),
    ),
    PlayerPeriod: st.builds(
        PlayerPeriod,
        campaign_id=IDS,
        user_id=IDS,
        period=st.sampled_from(["day", "week", "month"]),
        number=st.integers(0, 10**7 - 1),
        points=st.integers(0, 10**18),
        reached_at=TIMES,
        expires_at=TIMES,
    ),
    PlayerEvent: st.builds(
        PlayerEvent,
        counted_in=st.dictionaries(IDS, st.integers(0, 10**7)),
        campaign_id=IDS,
        user_id=IDS,
        event_id=IDS,
        event_type=st.text(),
        metadata=EVENT_METADATA,
        at=TIMES,
        config_version=TIMES,
        total_points=TIMES,
        draw_value=st.one_of(st.none(), st.integers(0, 999_999)),
        tier_hit=st.one_of(st.none(), IDS),
    ),
    LedgerLine: st.builds(
        LedgerLine,
        campaign_id=IDS,
        user_id=IDS,
        at=TIMES,
        event_id=IDS,
        number=st.integers(0, 99),
        points=st.integers(-(10**18), 10**18),
        balance_after=st.integers(0, 10**18),
        source_id=IDS,
        event_type=st.text(),
    ),
    MilestoneAward: st.builds(
        MilestoneAward,
        campaign_id=IDS,
        user_id=IDS,
        milestone_id=IDS,
        number=st.integers(1, 999_999),
        at=TIMES,
        event_id=IDS,
        badge=OPTIONAL_TEXT,
    ),
    Win: st.builds(
        Win,
        campaign_id=IDS,
        user_id=IDS,
        event_id=IDS,
        at=TIMES,
        tier_id=IDS,
        tier_name=st.text(),
        points=TIMES,
        code=IDS,
        expires_at=TIMES,
    ),
    Activity: st.builds(
        Activity,
        campaign_id=IDS,
        participant_id=IDS,
        at=TIMES,
        fact_hash=IDS,
        expires_at=TIMES,
    ),
    Account: st.builds(Account, account_id=IDS, created_at=TIMES),
    AccountApiKey: st.builds(AccountApiKey, account_id=IDS, key_id=IDS, key_hash=IDS),
    SenderIdentity: st.builds(SenderIdentity, account_id=IDS, identity=st.emails()),
    AccountCampaign: st.builds(AccountCampaign, account_id=IDS, campaign_id=IDS),
    CampaignSlug: st.builds(CampaignSlug, account_id=IDS, slug=IDS, campaign_id=IDS),
    ApiKey: st.builds(
        ApiKey,
        key_hash=IDS,
        key_id=IDS,
        account_id=IDS,
        created_at=TIMES,
        valid_until=st.one_of(st.none(), TIMES),
    ),
    Campaign: st.builds(
        Campaign,
        campaign_id=IDS,
        account_id=IDS,
        created_at=TIMES,
        slug=OPTIONAL_TEXT,
        company_name=OPTIONAL_TEXT,
        ended_at=st.one_of(st.none(), TIMES),
        options=METADATA,
        installation=METADATA,
        emails=METADATA,
    ),
    Invite: st.builds(
        Invite,
        campaign_id=IDS,
        referrer_id=IDS,
        address_hash=IDS,
        email=st.emails(),
        request_hash=IDS,
        message_id=IDS,
        created_at=TIMES,
    ),
    Invitations: st.builds(
        Invitations,
        campaign_id=IDS,
        participant_id=IDS,
        invite_count=st.integers(0, 10**6),
        day=st.integers(0, 10**6),
        deleted_at=st.one_of(st.none(), TIMES),
    ),
    InviteDay: st.builds(InviteDay, campaign_id=IDS, day=st.integers(0, 10**6), expires_at=TIMES),
    EmailRequests: st.builds(
        EmailRequests,
        campaign_id=IDS,
        participant_id=IDS,
        recent=st.dictionaries(IDS, TIMES),
    ),
    EmailTemplate: st.builds(
        EmailTemplate,
        campaign_id=IDS,
        template=IDS,
        subject=OPTIONAL_TEXT,
        preheader=OPTIONAL_TEXT,
        body=OPTIONAL_TEXT,
        text=OPTIONAL_TEXT,
    ),
    FraudList: st.builds(
        FraudList,
        campaign_id=IDS,
        name=st.sampled_from(["blockedEmails", "allowedIps"]),
        entries=st.lists(st.text()).map(tuple),
    ),
    FraudReport: st.builds(
        FraudReport,
        campaign_id=IDS,
        participant_id=IDS,
        screened_at=TIMES,
        findings=st.lists(st.fixed_dictionaries({"rule": IDS, "matched": st.lists(IDS)})).map(
            tuple
        ),
    ),
    Trait: st.builds(Trait, campaign_id=IDS, trait_hash=IDS, seen=st.lists(st.text()).map(tuple)),
    MailRun: st.builds(
        MailRun,
        campaign_id=IDS,
        number=TIMES,
        created_at=TIMES,
        cursor=st.one_of(st.none(), st.integers(0, 10**18)),
        due_at=st.one_of(st.none(), TIMES),
        expires_at=TIMES,
    ),
    MailPace: st.builds(MailPace, free_from=TIMES),
    Mail: st.builds(
        Mail,
        campaign_id=IDS,
        mail_id=IDS,
        template=OPTIONAL_TEXT,
        participant_id=IDS,
        data=METADATA,
        reason=OPTIONAL_TEXT,
        created_at=TIMES,
        next_attempt_at=TIMES,
        sent_at=st.one_of(st.none(), TIMES),
        due_at=st.one_of(st.none(), TIMES),
        due_shard=st.one_of(st.none(), st.just("DUE#3")),
        expires_at=TIMES,
    ),
    MailText: st.builds(
        MailText, campaign_id=IDS, text_id=IDS, preheader=OPTIONAL_TEXT, expires_at=TIMES
    ),
    Suppression: st.builds(Suppression, campaign_id=IDS, address_hash=IDS, at=TIMES),
    Calendar: st.builds(
        Calendar,
        campaign_id=IDS,
        months=st.lists(st.integers(1, 10**5), min_size=1).map(tuple),
        due_at=TIMES,
    ),
    MonthClosing: st.builds(
        MonthClosing,
        campaign_id=IDS,
        month=st.integers(1, 10**5),
        settled_at=st.one_of(st.none(), TIMES),
        due_at=st.one_of(st.none(), TIMES),
    ),
    MonthSnapshot: st.builds(
        MonthSnapshot,
        campaign_id=IDS,
        month=st.integers(1, 10**5),
        participant_ids=st.lists(IDS).map(tuple),
        counts=st.lists(st.integers(1, 10**6)).map(tuple),
        winners=st.dictionaries(IDS, st.integers(0, 1000)),
    ),
    Counted: st.builds(
        Counted,
        campaign_id=IDS,
        participant_id=IDS,
        source=IDS,
        amounts=st.dictionaries(IDS, st.integers(0, 10**6)),
    ),
    Delivery: st.builds(
        Delivery,
        campaign_id=IDS,
        webhook_id=IDS,
        webhook_created_at=TIMES,
        event_id=IDS,
        created_at=TIMES,
        attempts=st.just({"log": [{"at": 1, "status": None, "message": "refused"}]}),
        next_attempt_at=TIMES,
        expires_at=TIMES,
        due_at=st.one_of(st.none(), TIMES),
        due_shard=st.one_of(st.none(), st.just("DUE#3")),
    ),
    EarnedReward: st.builds(
        EarnedReward,
        campaign_id=IDS,
        participant_id=IDS,
        number=st.integers(1, 10**9),
        referred_id=st.one_of(st.none(), IDS),
        created_at=TIMES,
        approved_at=st.one_of(st.none(), TIMES),
    ),
    Earnings: st.builds(
        Earnings,
        campaign_id=IDS,
        participant_id=IDS,
        times=st.dictionaries(IDS, st.just([3, 24_322, 2, 2026, 3])),
    ),
    EmailGuard: st.builds(EmailGuard, campaign_id=IDS, participant_id=IDS),
    Impressions: st.builds(
        Impressions,
        campaign_id=IDS,
        participant_id=IDS,
        join_sequence=st.integers(1, 10**9),
        total=st.integers(0, 10**6),
        unique=st.integers(0, 10**6),
        shares=st.dictionaries(IDS, st.integers(1, 10**6)),
        last_share=st.one_of(st.none(), IDS),
        last_share_at=st.one_of(st.none(), TIMES),
        deleted_at=st.one_of(st.none(), TIMES),
    ),
    KeyGuard: st.builds(KeyGuard, campaign_id=IDS, share_key=IDS, participant_id=IDS),
    MetadataEntry: st.builds(MetadataEntry, campaign_id=IDS, pair_hash=IDS, participant_id=IDS),
    Profile: st.builds(
        Profile,
        campaign_id=IDS,
        participant_id=IDS,
        created_at=TIMES,
        first_name=OPTIONAL_TEXT,
        metadata=METADATA,
        vanity_keys=st.lists(IDS).map(tuple),
        notes=OPTIONAL_TEXT,
        unsubscribed=st.booleans(),
    ),
    PointsCounted: st.builds(
        PointsCounted,
        campaign_id=IDS,
        board=IDS,
        user_id=st.text(min_size=1, max_size=100).filter(is_user_id),
        content=CONTENTS,
        undo=CONTENTS,
        expires_at=st.one_of(st.none(), TIMES),
    ),
    PointsHead: st.builds(PointsHead, campaign_id=IDS, board=IDS, root=CONTENTS),
    PointsJournal: st.builds(
        PointsJournal,
        campaign_id=IDS,
        board=IDS,
        moves=st.dictionaries(st.text(), st.lists(st.integers(0, 10**30), min_size=4, max_size=4)),
    ),
    PointsNode: st.builds(
        PointsNode,
        campaign_id=IDS,
        board=IDS,
        digits=st.lists(st.integers(0, 300), min_size=1).map(tuple),
        content=CONTENTS,
        undo=CONTENTS,
    ),
    RankBlock: st.builds(RankBlock, campaign_id=IDS, content=CONTENTS, undo=CONTENTS),
    RankHead: st.builds(RankHead, campaign_id=IDS, histograms=CONTENTS),
    RankJournal: st.builds(RankJournal, campaign_id=IDS, before=CONTENTS, after=CONTENTS),
    RankNode: st.builds(RankNode, campaign_id=IDS, content=CONTENTS, undo=CONTENTS),
    Referral: st.builds(
        Referral,
        campaign_id=IDS,
        referrer_id=IDS,
        referred_id=IDS,
        first_name=OPTIONAL_TEXT,
        created_at=TIMES,
        updated_at=TIMES,
        pending_since=TIMES,
        credited_at=st.one_of(st.none(), TIMES),
        due_at=st.one_of(st.none(), TIMES),
        due_shard=st.one_of(st.none(), st.just("DUE#3")),
    ),
    RewardConfig: st.builds(
        RewardConfig,
        campaign_id=IDS,
        reward_id=IDS,
        created_at=TIMES,
        title=OPTIONAL_TEXT,
        metadata=st.dictionaries(IDS, st.text()),
        value=st.just({"fairMarketValueUSD": 12.5}),
        leaderboard_winners=st.one_of(st.none(), st.lists(IDS).map(tuple)),
    ),
    SourceHour: st.builds(SourceHour, campaign_id=IDS, source_hash=IDS, hour=st.integers(0, 10**6)),
    Standing: st.builds(
        Standing,
        campaign_id=IDS,
        participant_id=IDS,
        join_sequence=st.integers(1, 10**10 - 1),
        joined_month=st.integers(1, 10**5),
        referral_count=st.integers(0, 10**6),
        even_month=st.one_of(st.none(), MONTH_COUNTS),
        odd_month=st.one_of(st.none(), MONTH_COUNTS),
        deleted_at=st.one_of(st.none(), TIMES),
    ),
    Totals: st.builds(Totals, campaign_id=IDS),
    Visitor: st.builds(
        Visitor,
        campaign_id=IDS,
        visitor_hash=IDS,
        participant_id=IDS,
        seen_until=st.one_of(st.none(), TIMES),
        hour=st.integers(0, 10**6),
        recent_requests=st.lists(IDS, max_size=5).map(tuple),
    ),
    Salt: st.builds(Salt, campaign_id=IDS, salt=IDS),
    Webhook: st.builds(
        Webhook,
        campaign_id=IDS,
        webhook_id=IDS,
        created_at=TIMES,
        events=st.lists(IDS).map(tuple),
        secret=OPTIONAL_TEXT,
    ),
    WebhookEvent: st.builds(
        WebhookEvent, campaign_id=IDS, event_id=IDS, created_at=TIMES, expires_at=TIMES
    ),
    WebhookHealth: st.builds(
        WebhookHealth,
        campaign_id=IDS,
        webhook_id=IDS,
        webhook_created_at=TIMES,
        failing_since=st.one_of(st.none(), TIMES),
    ),
    WebhookPayloadPart: st.builds(
        WebhookPayloadPart,
        campaign_id=IDS,
        event_id=IDS,
        number=st.integers(1, 99),
        expires_at=TIMES,
    ),
}
# DynamoDB's numbers have 38 digits.
st.register_type_strategy(int, st.integers(-(10**15), 10**15))
KINDS = [pytest.param(kind, id=kind.__name__) for kind in ENTITIES]


def through_dynamodb(item: Item) -> Item:
    serialize: Callable[[Any], Any] = TypeSerializer().serialize
    image = {name: serialize(value) for name, value in item.items()}
    return change_in({"dynamodb": {"NewImage": image}}).new


def test_every_kind_of_item_is_looked_at_here() -> None:
    # By name: a dataclass with slots leaves the class that it was made from behind.
    named = {kind.__name__ for kind in Entity.__subclasses__()}

    assert named == {kind.__name__ for kind in ENTITIES}


@pytest.mark.parametrize("kind", KINDS)
@given(data=st.data())
def test_an_entity_comes_back_from_its_item_as_it_was(
    kind: type[Entity], data: st.DataObject
) -> None:
    entity = data.draw(ENTITIES[kind])

    item = through_dynamodb(entity.to_item())

    assert kind.from_item(item) == entity
    assert item["type"] == kind.TYPE
    assert (item["partition"], item["sort"]) == entity.key
    assert None not in item.values()


@pytest.mark.parametrize("kind", KINDS)
def test_an_item_of_another_type_is_refused(kind: type[Entity]) -> None:
    with pytest.raises(TypeError, match="expected"):
        kind.from_item({"type": "Something"})


def test_types_are_told_apart_by_name() -> None:
    names = [kind.TYPE for kind in ENTITIES]

    assert len(set(names)) == len(names)


def test_metadata_keeps_the_difference_between_one_and_true_and_one_point_zero() -> None:
    metadata: dict[str, Any] = {"a": 1, "b": True, "c": 1.0, "d": "1", "e": 0.1}
    profile = Profile(
        campaign_id="camp01",
        participant_id="f8g9nl",
        email="gavin@example.com",
        created_at=0,
        metadata=metadata,
    )

    kept = Profile.from_item(through_dynamodb(profile.to_item())).metadata

    assert kept == metadata
    assert [type(value) for value in kept.values()] == [int, bool, float, str, float]


def test_an_events_metadata_keeps_every_digit_and_every_kind_of_value() -> None:
    metadata: dict[str, Any] = {
        "amount": Decimal("49.90"),
        "tiny": Decimal("1E-30"),
        "long": Decimal("123456789012345.12345678901234567890123"),
        "count": 1,
        "flag": True,
        "nothing": None,
        "rooms": [1, Decimal("2.0"), "3"],
        "inside": {"a": [{"b": Decimal("0.1")}]},
    }
    event = PlayerEvent(
        campaign_id="camp01",
        user_id="user",
        event_id="evt_1",
        event_type="purchase",
        metadata=metadata,
        at=0,
        trust="server",
        source="gamifyhost",
        config_version=1,
        total_points=0,
    )

    kept = PlayerEvent.from_item(through_dynamodb(event.to_item())).metadata

    assert repr(kept) == repr(metadata)


@pytest.mark.parametrize("value", [Decimal("NaN"), Decimal("Infinity"), float("nan")])
def test_what_is_no_number_is_not_stored_as_one(value: Any) -> None:
    with pytest.raises(ValueError, match=r"finite|JSON"):
        exact_json.dumps({"a": [value]})
