"""A campaign's e-mails, as the GrowSurf API shows and takes them."""

from __future__ import annotations

from collections.abc import Callable
from typing import Annotated, Any, Literal

from pydantic import AfterValidator, Field
from pydantic_core import PydanticCustomError

from grapevine.engine.mail.configuration import TEXTS, EmailChanges, Emails, TemplateChanges
from grapevine.engine.mail.settings import (
    DailyLimit,
    Line,
    MailAddress,
    ReferrerMessage,
    SenderName,
)
from grapevine.engine.mail.templates.sandbox import UnsafeTemplate, check, check_body
from grapevine.engine.mail.templates.template import (
    MOST_CHARACTERS,
    TEMPLATE_KEYS,
    Template,
    TemplateKey,
)
from grapevine.http.models.fields import Input, Name, Output, when_sent


def template(checked: Callable[[str], object]) -> Callable[[str], str]:
    def validated(source: str) -> str:
        try:
            checked(source)
        except UnsafeTemplate as refused:
            raise PydanticCustomError("template", "{reason}", {"reason": str(refused)}) from None
        return source

    return validated


def _line(source: str) -> str:
    if not source.strip() or not source.isprintable():
        raise PydanticCustomError("line", "Must be one line, and not empty.")
    return source


Subject = Annotated[
    str,
    Field(max_length=MOST_CHARACTERS["subject"]),
    AfterValidator(_line),
    AfterValidator(template(check)),
]
Preheader = Annotated[
    str, Field(max_length=MOST_CHARACTERS["preheader"]), AfterValidator(template(check))
]
_Body = Annotated[
    str, Field(max_length=MOST_CHARACTERS["body"]), AfterValidator(template(check_body))
]
_Text = Annotated[
    str, Field(max_length=MOST_CHARACTERS["text"]), AfterValidator(template(check_body))
]


class UpdateTemplate(Input):
    """Only what is sent changes; null takes the default again. `body` is HTML. `text` is the plain
    text of the same e-mail; without it, it is made of the body. Both must contain
    `{{emailFooter}}`."""

    is_enabled: bool = when_sent()
    subject: Subject | None = when_sent()
    preheader: Preheader | None = when_sent()
    body: _Body | None = when_sent()
    text: _Text | None = when_sent()

    def to_engine(self) -> TemplateChanges:
        sent = self.model_dump(exclude_unset=True)
        is_enabled = sent.pop("is_enabled", None)
        return TemplateChanges(is_enabled, sent)


class UpdateSender(Input):
    """`fromEmail` must be verified with Amazon SES, itself or its domain; null ends all e-mail."""

    from_email: MailAddress | None = when_sent()
    from_name: SenderName | None = when_sent()
    reply_to_email: MailAddress | None = when_sent()


class UpdateContact(Input):
    """The postal address at the foot of every e-mail. `companyName` is the campaign's."""

    company_name: Name | None = when_sent()
    address_line1: Line | None = when_sent()
    address_line2: Line | None = when_sent()
    city: Line | None = when_sent()
    state: Line | None = when_sent()
    postal_code: Line | None = when_sent()
    country: Line | None = when_sent()


class UpdateDesign(Input):
    """`layoutMode` cannot be changed."""

    layout_mode: Literal["INLINE"] = when_sent()


class UpdateInvites(Input):
    """`referrerMessage` stands in invites for `{{referrerMessage}}`; the limits are per UTC day."""

    referrer_message: ReferrerMessage | None = when_sent()
    daily_limit: DailyLimit | None = when_sent()
    daily_limit_per_participant: DailyLimit | None = when_sent()


class UpdateSettings(Input):
    sender: UpdateSender = when_sent()
    contact: UpdateContact = when_sent()
    design: UpdateDesign = when_sent()
    invites: UpdateInvites = when_sent()


_STORED = {
    "from_email": "fromEmail",
    "from_name": "fromName",
    "reply_to_email": "replyTo",
    "referrer_message": "referrerMessage",
    "daily_limit": "dailyInvites",
    "daily_limit_per_participant": "dailyInvitesPerParticipant",
}


class UpdateEmails(Input):
    """Only what is sent changes. A template that is null has its default texts again."""

    settings: UpdateSettings = when_sent()
    welcome_non_referred: UpdateTemplate | None = when_sent()
    welcome_referred: UpdateTemplate | None = when_sent()
    referred_signup: UpdateTemplate | None = when_sent()
    referral_link_viewed_first_time: UpdateTemplate | None = when_sent()
    referral_link_used: UpdateTemplate | None = when_sent()
    goal_achieved: UpdateTemplate | None = when_sent()
    campaign_ended_winners: UpdateTemplate | None = when_sent()
    campaign_ended_non_winners: UpdateTemplate | None = when_sent()
    progress_update_monthly: UpdateTemplate | None = when_sent()

    def to_engine(self) -> EmailChanges:
        was_sent = "settings" in self.model_fields_set
        sent = self.settings.model_dump(exclude_unset=True) if was_sent else {}
        contact = sent.get("contact", {})
        company = {"company_name": contact.pop("company_name")} if "company_name" in contact else {}
        plain = {**sent.get("sender", {}), **sent.get("invites", {})}
        return EmailChanges(
            settings={_STORED[name]: value for name, value in plain.items()},
            contact=_by_alias(UpdateContact, contact),
            company=company,
            templates={
                _key_of(name): one.to_engine() if one else TemplateChanges(None, _DEFAULT_TEXTS)
                for name in self.model_fields_set - {"settings"}
                for one in [getattr(self, name)]
            },
        )


_DEFAULT_TEXTS: dict[str, None] = dict.fromkeys(TEXTS)


def _by_alias(model: type[Input], values: dict[str, Any]) -> dict[str, Any]:
    return {str(model.model_fields[name].alias): value for name, value in values.items()}


def _key_of(name: str) -> TemplateKey:
    alias = UpdateEmails.model_fields[name].alias
    return next(key for key in TEMPLATE_KEYS if key == alias)


class EmailTemplate(Output):
    """`text` is null where the plain text is made of the body."""

    is_enabled: bool
    subject: str
    preheader: str
    body: str
    text: str | None

    @classmethod
    def of(cls, template: Template, *, is_enabled: bool) -> EmailTemplate:
        return cls(
            is_enabled=is_enabled,
            subject=template.subject,
            preheader=template.preheader,
            body=template.body,
            text=template.text,
        )


class Sender(Output):
    from_email: str | None
    from_name: str | None
    reply_to_email: str | None


class Contact(Output):
    company_name: str | None
    address_line1: str | None
    address_line2: str | None
    city: str | None
    state: str | None
    postal_code: str | None
    country: str | None


class Design(Output):
    layout_mode: Literal["INLINE"]


class Invites(Output):
    referrer_message: str
    daily_limit: int
    daily_limit_per_participant: int


class Settings(Output):
    sender: Sender
    contact: Contact
    design: Design
    invites: Invites


class CampaignEmails(Output):
    """`isEnabled` says whether an e-mail goes out by itself; none does without a `fromEmail`."""

    settings: Settings
    welcome_non_referred: EmailTemplate
    welcome_referred: EmailTemplate
    referred_signup: EmailTemplate
    referral_link_viewed_first_time: EmailTemplate
    referral_link_used: EmailTemplate
    goal_achieved: EmailTemplate
    campaign_ended_winners: EmailTemplate
    campaign_ended_non_winners: EmailTemplate
    progress_update_monthly: EmailTemplate

    @classmethod
    def of(cls, emails: Emails) -> CampaignEmails:
        disabled = emails.settings.disabled_templates
        templates = {
            key: EmailTemplate.of(template, is_enabled=key not in disabled)
            for key, template in emails.templates.items()
        }
        return cls.model_validate({"settings": _settings(emails), **templates})


def _settings(emails: Emails) -> Settings:
    given = emails.settings
    return Settings(
        sender=Sender(
            from_email=given.from_email,
            from_name=given.from_name,
            reply_to_email=given.reply_to,
        ),
        contact=Contact(company_name=emails.campaign.company_name, **given.contact.model_dump()),
        design=Design(layout_mode="INLINE"),
        invites=Invites(
            referrer_message=given.referrer_message,
            daily_limit=given.daily_invites,
            daily_limit_per_participant=given.daily_invites_per_participant,
        ),
    )
