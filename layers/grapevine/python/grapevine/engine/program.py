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
    `enforce_gdpr_compliance`: the IP address, fingerprint and instance id are not stored."""

    require_manual_reward_approval: bool = False
    auto_fulfill_rewards: bool = False
    enforce_gdpr_compliance: bool = False
    attribution_model: Literal["LAST_CLICK", "FIRST_CLICK"] = "LAST_CLICK"
    referral_cookie_window_days: CookieWindowDays = 365
    referral_credit_window_days: CreditWindowDays | None = None

    @model_validator(mode="after")
    def _approval_modes_exclude_each_other(self) -> Self:
        if self.require_manual_reward_approval and self.auto_fulfill_rewards:
            raise PydanticCustomError(
                "conflict",
                "requireManualRewardApproval and autoFulfillRewards exclude each other.",
            )
        return self


def installation_of(campaign: Campaign) -> Installation:
    return Installation.model_validate(campaign.installation)


def options_of(campaign: Campaign) -> Options:
    return Options.model_validate(campaign.options)
