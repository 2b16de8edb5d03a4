"""POST /v2/campaign/{id}/participant/{participant}/ref: credits the referrer, now or later."""

from grapevine.engine import credit
from grapevine.http.endpoint import Nothing, Request
from grapevine.http.growsurf import endpoint
from grapevine.http.models.referrals import TriggerReferral, TriggerResult


@endpoint(
    "POST /v2/campaign/{id}/participant/{participant}/ref",
    scope="participant:write",
    body=TriggerReferral,
    response=TriggerResult,
)
def handler(request: Request[TriggerReferral, Nothing]) -> TriggerResult:
    outcome = credit.trigger(request.campaign, request.located, request.body.delay_in_days)
    return TriggerResult.of(outcome)
