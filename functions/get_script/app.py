"""GET /grapevine.js: the script for a campaign's pages."""

from grapevine.http.endpoint import Nothing, Response
from grapevine.http.public import PublicRequest, javascript, public_endpoint
from grapevine.http.script import script_for


@public_endpoint("GET /grapevine.js")
def handler(request: PublicRequest[Nothing]) -> Response:
    return javascript(script_for(request.query.get("campaign")), request)
