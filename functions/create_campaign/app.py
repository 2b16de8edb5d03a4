"""POST /v2/campaigns: creates a campaign in DRAFT."""

from grapevine.engine import campaigns
from grapevine.http.endpoint import Nothing, Request
from grapevine.http.growsurf import endpoint
from grapevine.http.models.campaigns import Campaign, CreateCampaign


@endpoint(
    "POST /v2/campaigns",
    scope="program:write",
    body=CreateCampaign,
    response=Campaign,
    refusals=(422,),
)
def handler(request: Request[CreateCampaign, Nothing]) -> Campaign:
    return Campaign.of(campaigns.create(request.caller.account_id, request.body.to_engine()))
