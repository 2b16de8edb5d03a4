"""A campaign that sends e-mails, and what came of them: read from the stack's stand-in for SES."""

from __future__ import annotations

from email import message_from_bytes, policy
from email.message import EmailMessage
from typing import Any

from grapevine.table.mail import Mail
from local.stack import Stack
from tests import visitors
from tests.api import Api, Json, unique_email
from tests.invariants import table_of

FROM = "friends@hooli.example"
TEMPLATES = (
    "welcomeNonReferred",
    "welcomeReferred",
    "referredSignup",
    "referralLinkViewedFirstTime",
    "referralLinkUsed",
    "goalAchieved",
    "campaignEndedWinners",
    "campaignEndedNonWinners",
    "progressUpdateMonthly",
)


class Mailing:
    """One campaign of a stack, with a From address; only the templates in `on` are on."""

    def __init__(self, stack: Stack, api: Api, *on: str, **campaign: Any) -> None:
        self.stack, self.api = stack, api
        installation = {"shareUrl": visitors.ORIGIN, **campaign.pop("installation", {})}
        self.id = api.campaign(live=False, installation=installation, **campaign)
        switches = {key: {"isEnabled": key in on} for key in TEMPLATES}
        self.configure(settings={"sender": {"fromEmail": FROM}}, **switches)
        api.set_status(self.id, "IN_PROGRESS")

    def configure(self, **changes: Any) -> Json:
        return self.api.ok("PATCH", f"/v2/campaign/{self.id}/emails", changes)

    def joins(self, name: str = "someone", **fields: Any) -> Json:
        """A new participant, with an address that nobody else has."""
        return self.api.add(self.id, unique_email(name), **fields)

    def credited(self, referrer: Json, **fields: Any) -> Json:
        """A friend of the referrer's who has been credited."""
        friend = self.joins("friend", referredBy=referrer["id"], **fields)
        self.api.trigger(self.id, friend["id"])
        return friend

    def ask(self, participant: str, **body: Any) -> Any:
        """The answer to a request to write to a participant."""
        return self.api.call(
            "POST", f"/v2/campaign/{self.id}/participant/{participant}/email", body
        )

    def to(self, participant: Json) -> list[EmailMessage]:
        """What came to the participant, oldest first, when everything is done."""
        self.stack.drain()
        return self.came(participant["email"])

    def came(self, address: str) -> list[EmailMessage]:
        return [_parsed(one.source) for one in self.stack.mail.sent(address)]

    def only(self, participant: Json) -> EmailMessage:
        (message,) = self.to(participant)
        return message

    def subjects(self, participant: Json) -> list[str]:
        return [str(message["subject"]) for message in self.to(participant)]

    def mails(self) -> list[Mail]:
        """The campaign's mails in the table."""
        items = table_of(self.stack).values()
        found = [Mail.from_item(dict(item)) for item in items if item["type"] == Mail.TYPE]
        return [mail for mail in found if mail.campaign_id == self.id]


def _parsed(source: bytes) -> EmailMessage:
    message = message_from_bytes(source, policy=policy.default)
    assert isinstance(message, EmailMessage)
    return message


def part(message: EmailMessage, kind: str) -> str:
    """The `plain` or `html` part, with line breaks as they are here."""
    body = message.get_body((kind,))
    assert body is not None
    content: str = body.get_content()
    return content.replace("\r\n", "\n")
