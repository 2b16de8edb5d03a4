"""GET /v2/campaign/{id}/referrals: a page of a campaign's referrals and invites."""

from grapevine.engine.referral_lists.listing import of_campaign
from grapevine.http.endpoint import Nothing, Request
from grapevine.http.growsurf import endpoint
from grapevine.http.models.referral_lists import ListReferrals, ReferralList


@endpoint(
    "GET /v2/campaign/{id}/referrals",
    scope="participant:read",
    query=ListReferrals,
    response=ReferralList,
)
def handler(request: Request[Nothing, ListReferrals]) -> ReferralList:
    found = of_campaign(request.campaign, request.query.to_engine())
    return ReferralList.of(found, request.query.limit)
