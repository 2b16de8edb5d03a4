"""GET /v2/campaign/{id}/participant/{participant}/fraud: why the participant has its level."""

from grapevine.engine.fraud.reviewing import review
from grapevine.http.endpoint import Nothing, Request
from grapevine.http.growsurf import endpoint
from grapevine.http.models.fraud import Fraud


@endpoint(
    "GET /v2/campaign/{id}/participant/{participant}/fraud",
    scope="participant:read",
    response=Fraud,
)
def handler(request: Request[Nothing, Nothing]) -> Fraud:
    return Fraud.of(review(request.located))
