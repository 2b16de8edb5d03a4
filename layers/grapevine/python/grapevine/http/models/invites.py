"""Inviting people by e-mail, as the GrowSurf API shows and takes it."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import AfterValidator, Field
from pydantic_core import PydanticCustomError

from grapevine.engine.mail.addresses import deliverable
from grapevine.engine.mail.inviting import MOST_ADDRESSES, Invitation
from grapevine.http.models.fields import Email, Input, Name, Output, Text


def _deliverable(email: str) -> str:
    if deliverable(email) is None:
        raise PydanticCustomError("email", "Must be plain ASCII before the @.")
    return email


def _not_blank(text: str) -> str:
    if not text.strip():
        raise PydanticCustomError("blank", "Must not be blank.")
    return text


class SendInvites(Input):
    """Subject and message may hold `{{referrerFirstName}}`, `{{referrerLastName}}`,
    `{{referrerEmail}}`, `{{referrerMessage}}` and `{{referrerShareUrl}}`."""

    email_addresses: Annotated[
        list[Annotated[Email, AfterValidator(_deliverable)]],
        Field(min_length=1, max_length=MOST_ADDRESSES),
    ]
    subject_text: Annotated[Name, AfterValidator(_not_blank)]
    message_text: Annotated[Text, Field(max_length=10_000), AfterValidator(_not_blank)]

    def invitation(self) -> Invitation:
        return Invitation(self.email_addresses, self.subject_text, self.message_text)


class InvitesSent(Output):
    """`invitesSent` counts the addresses that were accepted."""

    success: Literal[True] = True
    message_type: Literal["sent"] = "sent"
    invites_sent: int

    @classmethod
    def of(cls, accepted: int) -> InvitesSent:
        return cls(success=True, message_type="sent", invites_sent=accepted)
