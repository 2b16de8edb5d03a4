"""The e-mail as it goes out: headers, both parts, and the foot that every one has."""

from __future__ import annotations

import html
from email.message import EmailMessage
from email.policy import SMTP

from grapevine.engine.mail import headers
from grapevine.engine.mail.content import Content, Occasion
from grapevine.engine.mail.templates.plain import plain_text

_LONGEST_SUBJECT = 255


def raw_message(occasion: Occasion, recipient: str, content: Content) -> bytes:
    """The message for `recipient`, an address in ASCII. SES adds date and Message-ID."""
    settings = occasion.settings
    subject = headers.one_line(content.subject) or headers.one_line(occasion.campaign.name)
    lines = [
        headers.unfolded("From", sender(occasion)),
        headers.unfolded("To", recipient),
        headers.folded("Subject", subject[:_LONGEST_SUBJECT]),
        headers.unfolded("List-Unsubscribe", f"<{occasion.unsubscribe_url}>"),
        headers.unfolded("List-Unsubscribe-Post", "List-Unsubscribe=One-Click"),
        headers.unfolded("Auto-Submitted", "auto-generated"),
    ]
    if settings.reply_to:
        lines.append(headers.unfolded("Reply-To", settings.reply_to))
    return b"".join([*lines, _body(occasion, content)])


def sender(occasion: Occasion) -> str:
    """Who it comes from, in ASCII; the campaign must have a From address."""
    settings = occasion.settings
    return headers.address(settings.from_name or "", settings.from_email or "")


def _body(occasion: Occasion, content: Content) -> bytes:
    """Both parts, with the headers that say so."""
    message = EmailMessage(policy=SMTP)
    text, shown = content.text, content.html
    if not content.has_foot:
        text = f"{text}\n\n-- \n{plain_text(foot(occasion))}"
        shown = f"{shown}\n{foot(occasion)}"
    message.set_content(headers.clean(text))
    message.add_alternative(headers.clean(_page(shown)), subtype="html")
    return message.as_bytes()


def foot(occasion: Occasion) -> str:
    """Who sent it and how to stop it, as HTML."""
    company, settings = occasion.campaign.company_name, occasion.settings
    told = [company or "", *(settings.company_address or "").split("\n")]
    lines = [html.escape(line) for line in told if line]
    lines.append(f'<a href="{html.escape(occasion.unsubscribe_url)}">Unsubscribe</a>')
    return f'<hr>\n<p style="color: gray; font-size: 80%">{"<br>".join(lines)}</p>'


def _page(body: str) -> str:
    return (
        '<!doctype html>\n<html>\n<head><meta charset="utf-8"></head>\n'
        '<body style="font-family: sans-serif; line-height: 1.5">\n'
        f"{body}\n</body>\n</html>\n"
    )
