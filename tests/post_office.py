"""A campaign that can send e-mail, and the e-mails that arrive from it."""

from __future__ import annotations

import re
from collections import Counter
from dataclasses import replace
from email import message_from_bytes, policy
from email.message import EmailMessage
from typing import Any

from grapevine import runtime
from grapevine.engine.mail.unsubscribing import token_of
from grapevine.table import keys, store
from grapevine.table.attributes import unmarshal
from grapevine.table.campaigns import Campaign
from grapevine.table.mail import Mail
from grapevine.table.salts import Salt
from grapevine.table.writes import Put, version
from local.mail_service import Accepted
from local.stack import Stack
from tests.api import Api, Json, unique_email
from tests.mailing import TEMPLATES

SEND, RECORD, RELAY, SWEEP = (
    "SendMailFunction",
    "RecordMailEventFunction",
    "RelayChangesFunction",
    "SweepDueFunction",
)
FROM = "friends@example.com"
JOIN = "https://example.com/join"
SUBJECT = "{{referrerFirstName}} invites you"
MESSAGE = "{{referrerMessage}}\n\n{{referrerShareUrl}}"

_UNSUBSCRIBE = re.compile(r"/unsubscribe/[A-Za-z0-9._-]+")


def give_settings(stack: Stack, campaign_id: str, **changes: Any) -> None:
    """Gives a campaign its e-mail settings, past the API. It sends nothing by itself."""
    with runtime.using(stack.runtime()):
        item = store.get(keys.campaign(campaign_id))
        assert item is not None
        campaign = Campaign.from_item(item)
        given = {"fromEmail": FROM, "fromName": "Vineyard", "disabledTemplates": TEMPLATES}
        emails = {**given, **campaign.emails, **changes}
        changed = replace(campaign, version=campaign.version + 1, emails=emails)
        store.transact([Put(changed.to_item(), version(campaign.version))])


def parsed(sent: Accepted) -> EmailMessage:
    message = message_from_bytes(sent.source, policy=policy.SMTP)
    assert isinstance(message, EmailMessage)
    assert not message.defects
    return message


def part(sent: Accepted, kind: str) -> str:
    """The text of the `plain` or the `html` part."""
    body = parsed(sent).get_body((kind,))
    assert body is not None
    assert not body.defects
    text: str = body.get_content()
    return text


def unsubscribe_path(sent: Accepted) -> str:
    found = _UNSUBSCRIBE.search(str(parsed(sent)["List-Unsubscribe"]))
    assert found is not None
    return found[0]


def token_of_participant(stack: Stack, campaign_id: str, participant_id: str) -> str:
    """What the unsubscribe link in an e-mail to a participant ends in."""
    with runtime.using(stack.runtime()):
        item = store.get(keys.salt(campaign_id))
    assert item is not None
    return token_of(campaign_id, Salt.from_item(item).salt, "p", participant_id)


class PostOffice:
    """One campaign of a stack, in progress and able to send."""

    def __init__(self, stack: Stack, api: Api, **settings: Any) -> None:
        self.stack, self.api = stack, api
        self.campaign_id = api.campaign(installation={"shareUrl": JOIN})
        give_settings(stack, self.campaign_id, **settings)
        self.inviter = self.join("Gavin")

    def join(self, name: str, **fields: Any) -> str:
        added = self.api.add(self.campaign_id, firstName=name, **fields)
        participant_id: str = added["id"]
        return participant_id

    def path(self, participant: str | None = None) -> str:
        inviter = participant or self.inviter
        return f"/v2/campaign/{self.campaign_id}/participant/{inviter}/invites"

    def body(self, emails: list[str], **changes: Any) -> Json:
        return {
            "emailAddresses": emails,
            "subjectText": SUBJECT,
            "messageText": MESSAGE,
            **changes,
        }

    def invite(self, *emails: str, participant: str | None = None, **changes: Any) -> int:
        """How many were accepted."""
        answer = self.api.ok("POST", self.path(participant), self.body([*emails], **changes))
        assert (answer["success"], answer["messageType"]) == (True, "sent")
        sent: int = answer["invitesSent"]
        return sent

    def addresses(self, number: int) -> list[str]:
        return [unique_email("invited") for _ in range(number)]

    def sent_to(self, *emails: str) -> Counter[str]:
        """How many e-mails of this campaign went to each of these addresses."""
        return Counter({email: len(self.mails(email)) for email in emails})

    def mails(self, email: str) -> list[Accepted]:
        return [
            one for one in self.stack.mail.sent(email) if one.tags["campaign"] == self.campaign_id
        ]

    def mail(self, email: str) -> Accepted:
        """The only one."""
        (sent,) = self.mails(email)
        return sent

    def items(self) -> list[Mail]:
        """The campaign's mails as they are stored."""
        pages = self.stack.dynamodb.get_paginator("scan").paginate(
            TableName=self.stack.table_name,
            ConsistentRead=True,
            FilterExpression="#type = :mail AND campaignId = :campaign",
            ExpressionAttributeNames={"#type": "type"},
            ExpressionAttributeValues={
                ":mail": {"S": "Mail"},
                ":campaign": {"S": self.campaign_id},
            },
        )
        return [Mail.from_item(unmarshal(item)) for page in pages for item in page["Items"]]

    def states(self) -> Counter[str]:
        return Counter(each.state for each in self.items())

    def item(self) -> Mail:
        """The only one."""
        (mail,) = self.items()
        return mail
