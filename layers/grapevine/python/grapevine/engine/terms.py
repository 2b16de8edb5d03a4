"""What of a campaign, a referrer and a friend decides about a credit, as one value."""

from __future__ import annotations

from dataclasses import dataclass, replace

from grapevine.engine.program import installation_of, options_of
from grapevine.months import DAY_MS
from grapevine.table.campaigns import Campaign
from grapevine.table.participants import Profile


@dataclass(frozen=True, slots=True)
class Terms:
    """`window_ms` is None where no window applies.

    `refuses_high_risk`: referrers of a HIGH fraud risk get no credit; `is_referrer_refused` is
    whether this referrer is one of them. `holds_risky`: the credit for a friend whose risk is not
    LOW waits for a review; `is_friend_risky` is whether this friend is one of them."""

    credits_at_signup: bool
    is_live: bool
    window_ms: int | None
    refuses_high_risk: bool = False
    is_referrer_refused: bool = False
    holds_risky: bool = False
    is_friend_risky: bool = False

    @property
    def gives_credit(self) -> bool:
        return self.is_live and not self.is_referrer_refused

    @property
    def holds(self) -> bool:
        """Whether a referral of this friend that begins, or begins anew, is held back."""
        return self.holds_risky and self.is_friend_risky

    def towards(self, referrer: Profile) -> Terms:
        """The terms for one referrer."""
        is_refused = self.refuses_high_risk and referrer.fraud_risk_level == "HIGH"
        return replace(self, is_referrer_refused=is_refused)

    def about(self, friend: Profile) -> Terms:
        """The terms for one friend."""
        return replace(self, is_friend_risky=friend.fraud_risk_level != "LOW")


def terms_of(campaign: Campaign) -> Terms:
    at_signup = installation_of(campaign).referral_trigger == "ON_SIGNUP"
    options = options_of(campaign)
    days = None if at_signup else options.referral_credit_window_days
    return Terms(
        at_signup,
        campaign.is_in_progress,
        days * DAY_MS if days else None,
        refuses_high_risk=options.fraud.block_high_risk_referrers,
        holds_risky=options.require_manual_fraud_approval,
    )
