"""GET /r/{campaignId}/{key}: a participant's short link; counts the visit and sends it on."""

from grapevine.engine.tracking.links import follow
from grapevine.http.endpoint import Nothing, Response
from grapevine.http.public import PublicRequest, public_endpoint, redirect


@public_endpoint("GET /r/{campaignId}/{key}", status=302, refusals=(404,))
def handler(request: PublicRequest[Nothing, Nothing]) -> Response:
    followed = follow(request.path["campaignId"], request.path["key"], request.visit)
    return redirect(followed, request)
