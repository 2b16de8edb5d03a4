from __future__ import annotations

from dataclasses import replace
from typing import Literal

import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, rule

from grapevine.engine import referrals, triggers
from grapevine.engine.terms import Terms, terms_of
from grapevine.months import DAY_MS, month_at
from grapevine.table.campaigns import Campaign
from grapevine.table.participants import Profile
from grapevine.table.referrals import Referral, ReferralStatus

NOW = 1_800_000_000_000
WINDOW_DAYS = 30
WINDOW_MS = WINDOW_DAYS * DAY_MS

LIVE = Terms(credits_at_signup=False, is_live=True, window_ms=None)
AT_SIGNUP = Terms(credits_at_signup=True, is_live=True, window_ms=None)
WINDOWED = Terms(credits_at_signup=False, is_live=True, window_ms=WINDOW_MS)
ENDED = Terms(credits_at_signup=False, is_live=False, window_ms=None)
ENDED_AT_SIGNUP = Terms(credits_at_signup=True, is_live=False, window_ms=None)


def opened(
    terms: Terms = LIVE, requested: ReferralStatus | None = None, joined_at: int = NOW
) -> Referral:
    friend = Profile(
        campaign_id="camp01",
        participant_id="friend",
        email="richard@example.com",
        created_at=joined_at,
    )
    return referrals.opened(
        friend,
        "referrer",
        requested=requested,
        terms=terms,
        now=NOW,
    )


def campaign(
    trigger: str | None = None, window: int | None = None, status: str = "IN_PROGRESS"
) -> Campaign:
    state: Literal["DRAFT", "IN_PROGRESS", "COMPLETE"]
    state = "IN_PROGRESS" if status == "IN_PROGRESS" else "DRAFT"
    return Campaign(
        campaign_id="camp01",
        account_id="acct_1",
        name="Any",
        currency_iso="USD",
        created_at=0,
        status=state,
        installation={"referralTrigger": trigger} if trigger else {},
        options={"referralCreditWindowDays": window} if window else {},
    )


# On entry (D.1)


@pytest.mark.parametrize(
    ("terms", "requested", "status"),
    [
        (AT_SIGNUP, "CREDIT_AWARDED", "CREDIT_AWARDED"),
        (LIVE, "CREDIT_AWARDED", "CREDIT_AWARDED"),
        (AT_SIGNUP, "CREDIT_PENDING", "CREDIT_PENDING"),
        (LIVE, "CREDIT_PENDING", "CREDIT_PENDING"),
        (LIVE, "CREDIT_EXPIRED", "CREDIT_EXPIRED"),
        (AT_SIGNUP, None, "CREDIT_AWARDED"),
        (LIVE, None, "CREDIT_PENDING"),
        (ENDED, "CREDIT_AWARDED", "CREDIT_PENDING"),
        (ENDED_AT_SIGNUP, None, "CREDIT_PENDING"),
        (ENDED, "CREDIT_EXPIRED", "CREDIT_EXPIRED"),
    ],
)
def test_the_status_on_entry_comes_from_the_body_else_from_the_trigger(
    terms: Terms, requested: ReferralStatus | None, status: ReferralStatus
) -> None:
    assert opened(terms, requested).status == status


@pytest.mark.parametrize(
    ("age_ms", "status"),
    [
        (0, "CREDIT_PENDING"),
        (WINDOW_MS - 1, "CREDIT_PENDING"),
        (WINDOW_MS, "CREDIT_EXPIRED"),
        (10 * WINDOW_MS, "CREDIT_EXPIRED"),
    ],
)
def test_somebody_who_joined_before_the_window_gets_a_referrer_too_late(
    age_ms: int, status: ReferralStatus
) -> None:
    assert opened(WINDOWED, joined_at=NOW - age_ms).status == status


def test_an_explicit_pending_starts_the_window_anew_for_an_old_participant() -> None:
    referral = opened(WINDOWED, "CREDIT_PENDING", joined_at=NOW - 2 * WINDOW_MS)

    assert referrals.status_at(referral, WINDOWED, NOW) == "CREDIT_PENDING"
    assert referrals.status_at(referral, WINDOWED, NOW + WINDOW_MS) == "CREDIT_EXPIRED"


def test_a_credit_given_on_entry_knows_its_time_and_month() -> None:
    referral = opened(AT_SIGNUP)

    assert referral.credited_at == NOW
    assert referral.credited_month == month_at(NOW)
    assert referral.due_at is None
    assert referral.due_shard is None


def test_a_pending_referral_without_a_window_is_never_due() -> None:
    assert opened(LIVE).due_at is None


def test_a_pending_referral_is_due_when_its_window_ends() -> None:
    referral = opened(WINDOWED)

    assert referral.due_at == NOW + WINDOW_MS
    assert referral.due_shard is not None


# The campaign's terms


def test_the_window_does_not_matter_when_credit_is_given_at_signup() -> None:
    assert terms_of(campaign("ON_SIGNUP", window=30)).window_ms is None
    assert terms_of(campaign("CUSTOM", window=30)).window_ms == 30 * DAY_MS


def test_without_an_installation_a_qualifying_action_is_needed_and_no_window_applies() -> None:
    assert terms_of(campaign()) == Terms(credits_at_signup=False, is_live=True, window_ms=None)


def test_only_a_campaign_in_progress_is_live() -> None:
    assert not terms_of(campaign(status="DRAFT")).is_live


# The trigger (D.2)


def test_a_trigger_awards_a_pending_credit() -> None:
    outcome = triggers.triggered(opened(), None, LIVE, NOW + 5)

    assert outcome.success
    assert outcome.message == "Successfully awarded referral credit."
    assert outcome.referral is not None
    assert outcome.referral.status == "CREDIT_AWARDED"
    assert outcome.referral.credited_at == NOW + 5


def test_a_second_trigger_awards_nothing() -> None:
    outcome = triggers.triggered(opened(AT_SIGNUP), None, LIVE, NOW)

    assert outcome == triggers.Triggered(
        None, success=False, message="Referral credit has already been awarded"
    )


def test_a_trigger_past_the_window_succeeds_without_credit_and_writes_the_expiry() -> None:
    outcome = triggers.triggered(opened(WINDOWED), None, WINDOWED, NOW + WINDOW_MS)

    assert outcome.success
    assert outcome.referral is not None
    assert outcome.referral.status == "CREDIT_EXPIRED"
    assert outcome.referral.credited_at is None


def test_a_trigger_in_the_last_moment_of_the_window_still_awards() -> None:
    outcome = triggers.triggered(opened(WINDOWED), None, WINDOWED, NOW + WINDOW_MS - 1)

    assert outcome.referral is not None
    assert outcome.referral.status == "CREDIT_AWARDED"


def test_a_trigger_of_an_expired_credit_fails() -> None:
    expired = opened(LIVE, "CREDIT_EXPIRED")

    outcome = triggers.triggered(expired, None, LIVE, NOW)

    assert (outcome.referral, outcome.success) == (None, False)


@pytest.mark.parametrize("delay", [None, 7])
def test_a_trigger_gives_nothing_while_the_campaign_is_not_in_progress(delay: int | None) -> None:
    outcome = triggers.triggered(opened(ENDED), delay, ENDED, NOW)

    assert (outcome.referral, outcome.success) == (None, False)


def test_a_delayed_trigger_stays_pending_until_its_date() -> None:
    outcome = triggers.triggered(opened(), 7, LIVE, NOW)

    assert outcome.success
    assert outcome.referral is not None
    assert outcome.referral.status == "CREDIT_PENDING"
    assert outcome.referral.award_at == outcome.referral.due_at == NOW + 7 * DAY_MS
    assert outcome.referral.due_shard is not None


def test_a_second_trigger_with_a_delay_moves_the_date() -> None:
    first = triggers.triggered(opened(), 7, LIVE, NOW).referral
    assert first is not None

    second = triggers.triggered(first, 3, LIVE, NOW + DAY_MS).referral

    assert second is not None
    assert second.award_at == NOW + 4 * DAY_MS


def test_a_second_trigger_without_a_delay_awards_now() -> None:
    first = triggers.triggered(opened(), 7, LIVE, NOW).referral
    assert first is not None

    second = triggers.triggered(first, None, LIVE, NOW + DAY_MS).referral

    assert second is not None
    assert second.status == "CREDIT_AWARDED"
    assert (second.award_at, second.due_at, second.due_shard) == (None, None, None)


def test_a_delay_beyond_the_window_was_in_time_when_it_was_asked_for() -> None:
    delayed = triggers.triggered(opened(WINDOWED), 60, WINDOWED, NOW).referral
    assert delayed is not None

    after_the_window = NOW + WINDOW_MS + DAY_MS

    assert referrals.status_at(delayed, WINDOWED, after_the_window) == "CREDIT_PENDING"
    settled = referrals.settled(delayed, WINDOWED, NOW + 60 * DAY_MS)
    assert settled is not None
    assert settled.status == "CREDIT_AWARDED"


# What falls due


def test_a_delayed_credit_is_not_given_before_its_date() -> None:
    delayed = referrals.delayed(opened(), NOW + DAY_MS)

    assert referrals.settled(delayed, LIVE, NOW + DAY_MS - 1) is None


def test_a_claimed_delayed_credit_gets_its_date_back_when_it_is_early() -> None:
    claimed = replace(referrals.delayed(opened(), NOW + DAY_MS), due_at=NOW + 20)

    settled = referrals.settled(claimed, LIVE, NOW)

    assert settled is not None
    assert settled.due_at == NOW + DAY_MS


def test_a_delayed_credit_that_falls_due_after_the_campaign_ended_loses_its_date() -> None:
    delayed = referrals.delayed(opened(), NOW + DAY_MS)

    settled = referrals.settled(delayed, ENDED, NOW + DAY_MS)

    assert settled is not None
    assert settled.status == "CREDIT_PENDING"
    assert settled.award_at is None
    assert settled.due_at is None


def test_a_referral_whose_window_has_ended_is_written_down_as_expired() -> None:
    settled = referrals.settled(opened(WINDOWED), WINDOWED, NOW + WINDOW_MS)

    assert settled is not None
    assert settled.status == "CREDIT_EXPIRED"
    assert settled.due_at is None


def test_a_window_made_longer_meanwhile_moves_the_due_time() -> None:
    longer = replace(WINDOWED, window_ms=2 * WINDOW_MS)

    settled = referrals.settled(opened(WINDOWED), longer, NOW + WINDOW_MS)

    assert settled is not None
    assert settled.status == "CREDIT_PENDING"
    assert settled.due_at == NOW + 2 * WINDOW_MS


@pytest.mark.parametrize("requested", ["CREDIT_AWARDED", "CREDIT_EXPIRED"])
def test_nothing_falls_due_for_a_referral_that_is_decided(requested: ReferralStatus) -> None:
    decided = opened(LIVE, requested)

    assert referrals.settled(decided, WINDOWED, NOW + 10 * WINDOW_MS) is None


# Changes by an operator


def test_an_update_to_awarded_overrides_an_expired_window() -> None:
    late = NOW + 2 * WINDOW_MS

    changed = referrals.changed_by_operator(opened(WINDOWED), "CREDIT_AWARDED", WINDOWED, late)

    assert changed.status == "CREDIT_AWARDED"
    assert changed.credited_month == month_at(late)


def test_an_update_to_awarded_changes_nothing_while_the_campaign_is_not_in_progress() -> None:
    referral = opened(ENDED)

    assert referrals.changed_by_operator(referral, "CREDIT_AWARDED", ENDED, NOW) == referral


def test_an_expired_credit_can_be_pending_again_with_a_new_window() -> None:
    expired = opened(WINDOWED, "CREDIT_EXPIRED")
    later = NOW + 3 * WINDOW_MS

    reopened = referrals.changed_by_operator(expired, "CREDIT_PENDING", WINDOWED, later)

    assert reopened.status == "CREDIT_PENDING"
    assert reopened.due_at == later + WINDOW_MS
    assert referrals.status_at(reopened, WINDOWED, later + WINDOW_MS - 1) == "CREDIT_PENDING"
    assert referrals.status_at(reopened, WINDOWED, later + WINDOW_MS) == "CREDIT_EXPIRED"


def test_pending_to_pending_changes_nothing_and_keeps_a_delay() -> None:
    delayed = referrals.delayed(opened(), NOW + DAY_MS)

    assert referrals.changed_by_operator(delayed, "CREDIT_PENDING", LIVE, NOW) == delayed


def test_an_update_to_expired_takes_a_delay_back() -> None:
    delayed = referrals.delayed(opened(), NOW + DAY_MS)

    expired = referrals.changed_by_operator(delayed, "CREDIT_EXPIRED", LIVE, NOW)

    assert expired.status == "CREDIT_EXPIRED"
    assert (expired.award_at, expired.due_at, expired.due_shard) == (None, None, None)


class LifeOfAReferral(RuleBasedStateMachine):
    """Whatever happens in whatever order: an award is for good, and what is due has a shard."""

    def __init__(self) -> None:
        super().__init__()
        self.now = NOW
        self.terms = WINDOWED
        self.referral = opened(WINDOWED)
        self.award: int | None = None

    def becomes(self, after: Referral | None) -> None:
        if after is None:
            return
        if self.award is not None:
            assert after == self.referral
        if after.status == "CREDIT_AWARDED" and self.award is None:
            assert self.terms.gives_credit
            assert not (self.referral.held and self.terms.is_friend_risky)
            self.award = after.credited_at
        self.referral = after

    @rule(days=st.integers(min_value=0, max_value=120))
    def time_passes(self, days: int) -> None:
        self.now += days * DAY_MS

    @rule(is_live=st.booleans(), window=st.sampled_from([None, WINDOW_MS, 3 * WINDOW_MS]))
    def terms_change(self, is_live: bool, window: int | None) -> None:
        self.terms = replace(self.terms, is_live=is_live, window_ms=window)

    @rule(is_refused=st.booleans(), is_risky=st.booleans())
    def risk_changes(self, is_refused: bool, is_risky: bool) -> None:
        self.terms = replace(
            self.terms,
            holds_risky=True,
            is_referrer_refused=is_refused,
            is_friend_risky=is_risky,
        )
        if not is_risky:
            self.becomes(referrals.released(self.referral, self.terms, self.now))

    @rule()
    def cancelled(self) -> None:
        self.becomes(triggers.cancelled(self.referral, self.terms))

    @rule(delay=st.one_of(st.none(), st.integers(min_value=1, max_value=90)))
    def triggered(self, delay: int | None) -> None:
        self.becomes(triggers.triggered(self.referral, delay, self.terms, self.now).referral)

    @rule()
    def falls_due(self) -> None:
        self.becomes(referrals.settled(self.referral, self.terms, self.now))

    @rule(requested=st.sampled_from(["CREDIT_PENDING", "CREDIT_AWARDED", "CREDIT_EXPIRED"]))
    def updated(self, requested: ReferralStatus) -> None:
        if self.referral.status != "CREDIT_AWARDED":
            self.becomes(
                referrals.changed_by_operator(self.referral, requested, self.terms, self.now)
            )

    @invariant()
    def an_award_is_for_good(self) -> None:
        shown = referrals.status_at(self.referral, self.terms, self.now)
        assert (shown == "CREDIT_AWARDED") == (self.award is not None)
        assert self.referral.credited_at == self.award

    @invariant()
    def the_due_index_holds_only_what_is_pending(self) -> None:
        assert (self.referral.due_at is None) == (self.referral.due_shard is None)
        assert self.referral.due_at is None or self.referral.status == "CREDIT_PENDING"
        assert self.referral.due_at is None or self.referral.held is None
        assert self.referral.held is None or self.referral.status == "CREDIT_PENDING"

    @invariant()
    def settling_comes_to_rest_and_changes_nothing_that_is_shown_again(self) -> None:
        """A delay that ends after the campaign and after the window takes two steps: the date is
        given up, then the expiry written down, which is what has been shown since the first."""
        once = referrals.settled(self.referral, self.terms, self.now)
        twice = referrals.settled(once, self.terms, self.now) if once else None
        if once and twice:
            assert referrals.settled(twice, self.terms, self.now) is None
            shown = [referrals.status_at(one, self.terms, self.now) for one in (once, twice)]
            assert shown[0] == shown[1]


TestLifeOfAReferral = LifeOfAReferral.TestCase


@given(delay=st.integers(min_value=1, max_value=90), window=st.sampled_from([1, 3, 7, 365]))
def test_cancelling_a_delay_leads_back_to_the_state_before_it(delay: int, window: int) -> None:
    terms = replace(WINDOWED, window_ms=window * DAY_MS)
    before = opened(terms)
    delayed = triggers.triggered(before, delay, terms, NOW).referral
    assert delayed is not None

    canceled = referrals.scheduled(delayed, terms)

    assert canceled == replace(before, updated_at=canceled.updated_at)


# Held back


MANUAL = replace(WINDOWED, holds_risky=True)
RISKY = replace(MANUAL, is_friend_risky=True)


def held(requested: ReferralStatus = "CREDIT_PENDING", terms: Terms = MANUAL) -> Referral:
    friend = Profile(
        campaign_id="camp01",
        participant_id="friend",
        email="richard@example.com",
        created_at=NOW,
        fraud_risk_level="HIGH",
    )
    return referrals.opened(friend, "referrer", requested=requested, terms=terms, now=NOW)


REFUSED = replace(MANUAL, is_referrer_refused=True)
OVER = replace(MANUAL, is_live=False)


def test_what_is_held_back_waits_without_a_date_whatever_the_window() -> None:
    later = NOW + 10 * WINDOW_MS

    for waiting, becomes in ((held(), "PENDING"), (held("CREDIT_AWARDED"), "AWARD")):
        assert (waiting.status, waiting.held, waiting.due_at) == ("CREDIT_PENDING", becomes, None)
        assert (waiting.credited_at, waiting.credited_month) == (None, None)
        assert referrals.status_at(waiting, RISKY, later) == "CREDIT_PENDING"
        assert referrals.settled(waiting, RISKY, later) is None


def test_an_operator_who_asks_for_pending_takes_the_remembered_award_back() -> None:
    asked = referrals.changed_by_operator(held("CREDIT_AWARDED"), "CREDIT_PENDING", RISKY, NOW)

    assert (asked.status, asked.held) == ("CREDIT_PENDING", "PENDING")


def test_an_expired_referral_is_not_held_back() -> None:
    assert held("CREDIT_EXPIRED").held is None


def test_what_is_owed_on_entry_does_not_depend_on_the_referrer_but_on_the_campaign() -> None:
    assert held("CREDIT_AWARDED", REFUSED).held == "AWARD"
    assert held("CREDIT_AWARDED", OVER).held == "PENDING"


@pytest.mark.parametrize("hindered", [REFUSED, OVER])
def test_a_credit_that_cannot_be_given_at_its_release_stays_owed_until_it_can(
    hindered: Terms,
) -> None:
    owed = referrals.released(held("CREDIT_AWARDED"), hindered, NOW + 1)
    assert owed == held("CREDIT_AWARDED")

    given = referrals.released(owed, MANUAL, NOW + 2)

    assert (given.status, given.held, given.owes_signup) == ("CREDIT_AWARDED", None, None)


def test_what_joining_earns_is_owed_until_it_can_be_given() -> None:
    pending = referrals.released(held(), OVER, NOW + 1)
    assert (pending.status, pending.held, pending.owes_signup) == ("CREDIT_PENDING", None, True)

    assert referrals.released(pending, MANUAL, NOW + 2) == replace(pending, owes_signup=None)
    outcome = triggers.triggered(pending, None, MANUAL, NOW + 2)
    assert outcome.referral is not None
    assert outcome.referral.owes_signup is None


@pytest.mark.parametrize(("days_later", "status"), [(6, "CREDIT_PENDING"), (7, "CREDIT_AWARDED")])
def test_a_delayed_trigger_of_what_is_held_keeps_its_date(days_later: int, status: str) -> None:
    remembered = triggers.triggered(held(), 7, RISKY, NOW).referral
    assert remembered is not None
    assert (remembered.held, remembered.due_at) == ("AWARD", None)

    free = referrals.released(remembered, MANUAL, NOW + days_later * DAY_MS)

    assert (free.status, free.held) == (status, None)
    if status == "CREDIT_PENDING":
        assert (free.award_at, free.due_at) == (NOW + 7 * DAY_MS, NOW + 7 * DAY_MS)


def test_a_cancelled_delay_of_what_is_held_leads_back_to_the_state_before_it() -> None:
    remembered = triggers.triggered(held(), 7, RISKY, NOW).referral
    assert remembered is not None

    assert triggers.cancelled(remembered, RISKY) == held()
    assert triggers.cancelled(held("CREDIT_AWARDED"), RISKY) is None


def test_a_credit_that_is_owed_at_once_is_not_put_off_by_a_later_trigger() -> None:
    owed = held("CREDIT_AWARDED")

    assert triggers.triggered(owed, 7, RISKY, NOW).referral is None


@pytest.mark.parametrize(
    ("requested", "becomes"), [("CREDIT_PENDING", "PENDING"), ("CREDIT_AWARDED", "AWARD")]
)
@pytest.mark.parametrize("was_held", [True, False])
def test_a_risky_friend_who_leaves_expired_is_held_back(
    requested: ReferralStatus, becomes: str, was_held: bool
) -> None:
    before = held() if was_held else opened(WINDOWED, "CREDIT_PENDING")
    ended = referrals.changed_by_operator(before, "CREDIT_EXPIRED", RISKY, NOW + 1)
    assert (ended.status, ended.held) == ("CREDIT_EXPIRED", None)

    again = referrals.changed_by_operator(ended, requested, RISKY, NOW + 2)

    assert (again.status, again.held, again.due_at) == ("CREDIT_PENDING", becomes, None)
    assert again.owes_signup is before.owes_signup


def test_a_harmless_friend_who_leaves_expired_gets_what_joining_earns() -> None:
    ended = referrals.changed_by_operator(held(), "CREDIT_EXPIRED", RISKY, NOW + 1)

    again = referrals.changed_by_operator(ended, "CREDIT_PENDING", MANUAL, NOW + 2)

    assert (ended.owes_signup, again.owes_signup, again.held) == (True, None, None)


def test_an_award_of_what_is_held_is_not_remembered_while_the_campaign_is_over() -> None:
    over = replace(OVER, is_friend_risky=True)

    assert referrals.changed_by_operator(held(), "CREDIT_AWARDED", over, NOW) == held()
