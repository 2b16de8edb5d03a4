"""A campaign's installation and options: every switch that the engine honours, its default and
its limits (growsurf option names; windows in days).

A switch of the GrowSurf API that is not here is refused, so that nobody relies on one that does
nothing.
"""

from __future__ import annotations

from typing import Annotated, Any, Literal, Self

from pydantic import BaseModel, BeforeValidator, ConfigDict, Field, model_validator
from pydantic.alias_generators import to_camel
from pydantic_core import PydanticCustomError

from grapevine.engine.fraud.settings import STORED_LISTS, FraudOptions
from grapevine.engine.values import WebAddress, whole_number
from grapevine.table.campaigns import Campaign

CreditWindowDays = Annotated[
    Literal[1, 3, 7, 14, 30, 60, 90, 180, 365], BeforeValidator(whole_number)
]
CookieWindowDays = Annotated[
    Literal[1, 3, 7, 14, 30, 60, 90, 180, 365, 400], BeforeValidator(whole_number)
]


class _Switches(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid", alias_generator=to_camel)

    def set_fields(self) -> dict[str, Any]:
        """What was given, by its API name: defaults are left out."""
        return self.model_dump(mode="json", by_alias=True, exclude_unset=True)

    def complete(self) -> Self:
        """The same with every default spelled out, as an answer shows it."""
        return self.model_validate(self.model_dump(by_alias=True))


class Installation(_Switches):
    """`referral_trigger`: credit at sign-up, or at a later qualifying action (`CUSTOM`).
    `share_url`: the page that share links lead to."""

    referral_trigger: Literal["ON_SIGNUP", "CUSTOM"] = "CUSTOM"
    share_url: WebAddress | None = None
    allowed_urls: Annotated[tuple[WebAddress, ...], Field(max_length=25)] = ()


class Options(_Switches):
    """`referral_credit_window_days`: a pending referral can be credited for so long after the
    friend joined (None: for ever); it matters with the CUSTOM trigger only.
    `enforce_gdpr_compliance`: the IP address, fingerprint and instance id are not stored.
    `auto_block_fraud`: sign-ups of a HIGH fraud risk are refused. `require_manual_fraud_approval`:
    the credit for a friend of MEDIUM or HIGH risk is held back until somebody has decided."""

    require_manual_reward_approval: bool = False
    auto_fulfill_rewards: bool = False
    auto_block_fraud: bool = False
    require_manual_fraud_approval: bool = False
    enforce_gdpr_compliance: bool = False
    attribution_model: Literal["LAST_CLICK", "FIRST_CLICK"] = "LAST_CLICK"
    referral_cookie_window_days: CookieWindowDays = 365
    referral_credit_window_days: CreditWindowDays | None = None
    fraud: FraudOptions = FraudOptions()

    @model_validator(mode="after")
    def _modes_exclude_each_other(self) -> Self:
        for one, other in EXCLUDE_EACH_OTHER:
            if getattr(self, one) and getattr(self, other):
                raise PydanticCustomError(
                    "conflict", "{reason}", {"reason": conflict_of(one, other)}
                )
        return self


EXCLUDE_EACH_OTHER = (
    ("require_manual_reward_approval", "auto_fulfill_rewards"),
    ("require_manual_fraud_approval", "auto_block_fraud"),
)


def conflict_of(one: str, other: str) -> str:
    return f"{to_camel(one)} and {to_camel(other)} exclude each other."


def installation_of(campaign: Campaign) -> Installation:
    return Installation.model_validate(campaign.installation)


def options_of(campaign: Campaign) -> Options:
    """All but the lists of the anti-fraud options, which are items of their own."""
    stored = {name: value for name, value in campaign.options.items() if name != STORED_LISTS}
    return Options.model_validate(stored)
