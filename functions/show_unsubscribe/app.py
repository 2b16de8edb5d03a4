"""GET /unsubscribe/{token}: a page that asks whether to end the e-mails."""

from grapevine.engine.mail.unsubscribing import subscriber_of
from grapevine.http.endpoint import Nothing, Response
from grapevine.http.public import PublicRequest, public_endpoint
from grapevine.http.unsubscribe_page import question


@public_endpoint("GET /unsubscribe/{token}", refusals=(404,))
def handler(request: PublicRequest[Nothing, Nothing]) -> Response:
    return question(subscriber_of(request.path["token"]))
