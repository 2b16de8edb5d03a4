"""A campaign's e-mail settings: who its e-mails come from, which program e-mails go out by
themselves, and how many invites a day.

No e-mail is sent until there is a `fromEmail`, which Amazon SES must have verified.
"""

from __future__ import annotations

import unicodedata
from typing import Annotated, Any, Self

from pydantic import AfterValidator, BaseModel, ConfigDict, Field
from pydantic.alias_generators import to_camel
from pydantic_core import PydanticCustomError

from grapevine.engine.mail.templates.template import TemplateKey
from grapevine.engine.values import WholeNumber
from grapevine.table.campaigns import Campaign

MOST_INVITES_A_DAY = 1_000_000


def _mail_address(text: str) -> str:
    # Loaded on first use: most functions never validate an address.
    from email_validator import EmailNotValidError, validate_email

    address = text.strip()
    try:
        validate_email(address, check_deliverability=False, test_environment=True)
    except EmailNotValidError:
        raise PydanticCustomError("email", "Must be a valid email address.") from None
    # Quoted local parts and addresses beyond ASCII cannot be told to every mail server.
    if not address.isascii() or '"' in address:
        raise PydanticCustomError("email", "Must be an address in plain ASCII.")
    return address


def _one_line(text: str) -> str:
    if any(unicodedata.category(one) in {"Cc", "Cs", "Zl", "Zp"} for one in text):
        raise PydanticCustomError("control_character", "Must not contain control characters.")
    return text.strip()


def _lines(text: str) -> str:
    _one_line(text.translate({9: None, 10: None, 13: None}))
    return text.strip()


MailAddress = Annotated[str, Field(max_length=254), AfterValidator(_mail_address)]
SenderName = Annotated[str, Field(max_length=100), AfterValidator(_one_line)]
ReferrerMessage = Annotated[str, Field(max_length=1000), AfterValidator(_lines)]
DailyLimit = Annotated[WholeNumber, Field(ge=0, le=MOST_INVITES_A_DAY)]


Line = Annotated[str, Field(max_length=200), AfterValidator(_one_line)]


class Contact(BaseModel):
    """The company's postal address, which stands at the foot of every e-mail: laws ask for one."""

    model_config = ConfigDict(frozen=True, extra="forbid", alias_generator=to_camel)

    address_line1: Line | None = None
    address_line2: Line | None = None
    city: Line | None = None
    state: Line | None = None
    postal_code: Line | None = None
    country: Line | None = None

    @property
    def lines(self) -> list[str]:
        """As they stand on an envelope; empty ones are left out."""
        town = " ".join(filter(None, (self.city, self.state, self.postal_code)))
        lines = (self.address_line1, self.address_line2, town, self.country)
        return [line for line in lines if line]


class EmailSettings(BaseModel):
    """`disabled_templates` are the program e-mails that are not sent by themselves.
    `referrer_message` stands in invites for `{{referrerMessage}}`. The limits are per UTC day."""

    model_config = ConfigDict(frozen=True, extra="forbid", alias_generator=to_camel)

    from_email: MailAddress | None = None
    from_name: SenderName | None = None
    reply_to: MailAddress | None = None
    contact: Contact = Contact()
    disabled_templates: tuple[TemplateKey, ...] = ()
    referrer_message: ReferrerMessage = "I thought you might like this."
    daily_invites_per_participant: DailyLimit = 100
    daily_invites: DailyLimit = 10_000

    @property
    def company_address(self) -> str | None:
        """The postal address, a line each."""
        return "\n".join(self.contact.lines) or None

    def sends_itself(self, template: TemplateKey) -> bool:
        """Whether the program e-mail goes out when its time has come."""
        return self.from_email is not None and template not in self.disabled_templates

    def set_fields(self) -> dict[str, Any]:
        """What was given, by its API name: defaults are left out."""
        return self.model_dump(mode="json", by_alias=True, exclude_unset=True)

    def complete(self) -> Self:
        """The same with every default spelled out, as an answer shows it."""
        return self.model_validate(self.model_dump(by_alias=True))


def settings_of(campaign: Campaign) -> EmailSettings:
    return EmailSettings.model_validate(campaign.emails)
