"""Triggering a referral credit, as the GrowSurf API shows and takes it."""

from __future__ import annotations

from typing import Annotated

from pydantic import Field

from grapevine.engine.triggers import Triggered
from grapevine.engine.values import WholeNumber
from grapevine.http.models.fields import Input, Output


class TriggerReferral(Input):
    """Without `delayInDays` the credit is given now."""

    delay_in_days: Annotated[WholeNumber, Field(ge=1, le=90)] | None = None


class TriggerResult(Output):
    """A conflict of state is an answer with `success` false, not an error."""

    success: bool
    message: str

    @classmethod
    def of(cls, outcome: Triggered) -> TriggerResult:
        return cls(success=outcome.success, message=outcome.message)
