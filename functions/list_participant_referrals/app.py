"""GET /v2/campaign/{id}/participant/{participant}/referrals: a page of those of one participant."""

from grapevine.engine.referral_lists.listing import of_participant
from grapevine.http.endpoint import Nothing, Request
from grapevine.http.growsurf import endpoint
from grapevine.http.models.referral_lists import ListReferrals, ReferralList


@endpoint(
    "GET /v2/campaign/{id}/participant/{participant}/referrals",
    scope="participant:read",
    query=ListReferrals,
    response=ReferralList,
)
def handler(request: Request[Nothing, ListReferrals]) -> ReferralList:
    found = of_participant(request.located.load(), request.query.to_engine())
    return ReferralList.of(found, request.query.limit)
