"""DELETE /v2/campaign/{id}/participant/{participant}/ref: takes back a delayed trigger."""

from grapevine.engine import credit
from grapevine.http.endpoint import Nothing, Request
from grapevine.http.growsurf import endpoint
from grapevine.http.models.referrals import TriggerResult


@endpoint(
    "DELETE /v2/campaign/{id}/participant/{participant}/ref",
    scope="participant:write",
    response=TriggerResult,
)
def handler(request: Request[Nothing, Nothing]) -> TriggerResult:
    return TriggerResult.of(credit.cancel(request.campaign, request.located))
