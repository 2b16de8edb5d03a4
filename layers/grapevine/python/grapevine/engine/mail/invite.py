"""The e-mail that invites somebody: the inviter's subject and message with five tokens replaced.

Tokens are replaced once, in one pass, by plain text: nothing that a name or a message holds is ever
taken for a token, a template or markup.
"""

from __future__ import annotations

import html
import re
from collections.abc import Mapping

from grapevine.engine.mail.content import Content, Occasion
from grapevine.engine.participants.share import share_url

_TOKEN = re.compile(r"\{\{\s*(referrer(?:FirstName|LastName|Email|Message|ShareUrl))\s*\}\}")
_LINK = re.compile(r"https?://[^\s<>\"']+")


def compose(occasion: Occasion) -> Content | None:
    """None when the text is gone."""
    if occasion.text is None:
        return None
    values = _values(occasion)
    message = _replaced(occasion.text.message, values)
    subject = " ".join(_replaced(occasion.text.subject, values).split())
    return Content(subject=subject, html=_markup(message), text=message)


def _values(occasion: Occasion) -> dict[str, str]:
    profile = occasion.profile
    return {
        "referrerFirstName": profile.first_name or "",
        "referrerLastName": profile.last_name or "",
        "referrerEmail": profile.email,
        "referrerMessage": occasion.settings.referrer_message,
        "referrerShareUrl": share_url(occasion.campaign, profile),
    }


def _replaced(text: str, values: Mapping[str, str]) -> str:
    return _TOKEN.sub(lambda token: values[token[1]], text)


def _markup(message: str) -> str:
    """Paragraphs and lines as they stand, addresses of pages as links, all else escaped."""
    paragraphs = re.split(r"\n\s*\n", message.replace("\r\n", "\n").replace("\r", "\n").strip())
    return "\n".join(
        f"<p>{'<br>'.join(_line(line) for line in paragraph.split(chr(10)))}</p>"
        for paragraph in paragraphs
    )


def _line(line: str) -> str:
    parts: list[str] = []
    end = 0
    for link in _LINK.finditer(line):
        address = html.escape(link[0])
        parts.append(html.escape(line[end : link.start()]))
        parts.append(f'<a href="{address}">{address}</a>')
        end = link.end()
    return "".join([*parts, html.escape(line[end:])])
