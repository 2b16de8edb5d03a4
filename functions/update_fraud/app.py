"""POST /v2/campaign/{id}/participant/{participant}/fraud: an operator decides on the level."""

from grapevine.engine.fraud.reviewing import override
from grapevine.http.endpoint import Nothing, Request
from grapevine.http.growsurf import endpoint
from grapevine.http.models.fraud import Fraud, UpdateFraud


@endpoint(
    "POST /v2/campaign/{id}/participant/{participant}/fraud",
    scope="participant:write",
    body=UpdateFraud,
    response=Fraud,
)
def handler(request: Request[UpdateFraud, Nothing]) -> Fraud:
    asked = request.body
    return Fraud.of(override(request.campaign, request.located, asked.fraud_risk_level, asked.note))
