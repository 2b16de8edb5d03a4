"""POST /unsubscribe/{token}: ends the e-mails, by one click of a person or of a mail program."""

from grapevine.engine.mail.unsubscribing import unsubscribe
from grapevine.http.endpoint import Nothing, Response
from grapevine.http.public import PublicRequest, public_endpoint
from grapevine.http.unsubscribe_page import done


@public_endpoint("POST /unsubscribe/{token}", refusals=(404, 409))
def handler(request: PublicRequest[Nothing, Nothing]) -> Response:
    return done(unsubscribe(request.path["token"]))
