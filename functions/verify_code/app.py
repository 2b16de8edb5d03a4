"""POST /v1/campaigns/codes/verify: whether a code can be redeemed, without redeeming it."""

from grapevine.engine.mechanics.verifying import verify
from grapevine.http.endpoint import Nothing, Request
from grapevine.http.gamifyhost import gamifyhost
from grapevine.http.models.codes import VerifiedCode, VerifyCode


@gamifyhost.endpoint(
    "POST /v1/campaigns/codes/verify",
    scope="event:write",
    body=VerifyCode,
    response=VerifiedCode,
    refusals=(429,),
)
def handler(request: Request[VerifyCode, Nothing]) -> VerifiedCode:
    return VerifiedCode.of(verify(request.caller, request.body.code))
