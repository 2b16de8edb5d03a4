"""GET /v2/campaigns: all campaigns of the account."""

from grapevine.engine import campaigns
from grapevine.http.endpoint import Nothing, Request
from grapevine.http.growsurf import endpoint
from grapevine.http.models.campaigns import Campaign, CampaignList


@endpoint("GET /v2/campaigns", scope="program:read", response=CampaignList)
def handler(request: Request[Nothing, Nothing]) -> CampaignList:
    found = campaigns.of_account(request.caller.account_id)
    return CampaignList(campaigns=[Campaign.of(one) for one in found])
