"""POST /v1/campaigns/{slug}/redeem: gives a user what a code is worth, once."""

from grapevine.engine.mechanics.campaign import played
from grapevine.engine.mechanics.redeeming import Redeemed, Redemption, redeem
from grapevine.http.endpoint import Nothing, Request, Response
from grapevine.http.gamifyhost import body_of, of_events
from grapevine.http.idempotency import as_kept
from grapevine.http.models.codes import RedeemCode, RedeemedCode


@of_events.endpoint(
    "POST /v1/campaigns/{slug}/redeem",
    scope="event:write",
    body=RedeemCode,
    response=RedeemedCode,
    refusals=(404, 409, 422, 429),
)
def handler(request: Request[RedeemCode, Nothing]) -> Response:
    sent = request.body
    wanted = Redemption(user_id=sent.user_id, code=sent.code, key=request.repetition_key)
    game = played(request.campaign, may_be_remembered=True)
    recorded = redeem(game, request.caller, wanted, _body)
    return as_kept(recorded.body, is_replay=recorded.is_replay)


def _body(redeemed: Redeemed) -> str:
    return body_of(RedeemedCode.of(redeemed))
