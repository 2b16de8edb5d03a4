"""GET /grapevine.js: the script for a campaign's pages."""

from grapevine.http.endpoint import Nothing, Response
from grapevine.http.models.tracking import AskScript
from grapevine.http.public import PublicRequest, javascript, public_endpoint
from grapevine.http.script import script_for


@public_endpoint("GET /grapevine.js", query=AskScript)
def handler(request: PublicRequest[Nothing, AskScript]) -> Response:
    return javascript(script_for(request.query.campaign), request)
