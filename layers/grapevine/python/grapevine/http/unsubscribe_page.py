"""The pages behind the unsubscribe link of an e-mail: a button, and that it is done.

Opening the link changes nothing: programs that look at links in e-mails open them, too.
"""

from __future__ import annotations

import html

from grapevine.engine.mail.unsubscribing import Subscriber
from grapevine.http.endpoint import Response

_HEADERS = {
    "content-type": "text/html; charset=utf-8",
    "cache-control": "no-store",
    "content-security-policy": "default-src 'none'; form-action 'self'; frame-ancestors 'none'",
    "referrer-policy": "no-referrer",
    "x-robots-tag": "noindex",
}


def question(subscriber: Subscriber) -> Response:
    """Asks; the button sends the same address a POST."""
    name = _name(subscriber)
    return _page(
        "Unsubscribe",
        f"<p>Do you want no more e-mails of {name}?</p>\n"
        '<form method="post"><button type="submit">Unsubscribe</button></form>',
    )


def done(subscriber: Subscriber) -> Response:
    name = _name(subscriber)
    return _page("Unsubscribed", f"<p>You will get no more e-mails of {name}.</p>")


def _name(subscriber: Subscriber) -> str:
    campaign = subscriber.campaign
    return html.escape(campaign.company_name or campaign.name)


def _page(title: str, content: str) -> Response:
    page = (
        '<!doctype html>\n<html lang="en">\n<head><meta charset="utf-8">'
        '<meta name="viewport" content="width=device-width">'
        f"<title>{title}</title></head>\n<body>\n<h1>{title}</h1>\n{content}\n</body>\n</html>\n"
    )
    return Response(200, page, _HEADERS)
