"""A campaign's e-mails as its owner configures them: settings, and a template for each.

Settings are a part of the campaign; what was written of a template is an item of its own beside it,
so that the campaign, which every request reads, stays small.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace
from typing import Any

from grapevine.engine.attempts import attempts
from grapevine.engine.mail import identities
from grapevine.engine.mail.settings import EmailSettings, settings_of
from grapevine.engine.mail.templates.defaults import DEFAULTS
from grapevine.engine.mail.templates.template import TEMPLATE_KEYS, Template, TemplateKey
from grapevine.engine.salts import drawn
from grapevine.errors import InvalidRequest, Problem
from grapevine.table import store
from grapevine.table.campaigns import Campaign
from grapevine.table.email_templates import EmailTemplate, templates_of
from grapevine.table.store import TransactionCanceled
from grapevine.table.writes import ABSENT, Delete, Put, Write, version

TEXTS = ("subject", "preheader", "body", "text")
"""The fields of a template that can be written."""


@dataclass(frozen=True, slots=True)
class Emails:
    """A campaign's e-mails, complete with all defaults."""

    campaign: Campaign
    settings: EmailSettings
    templates: Mapping[TemplateKey, Template]


@dataclass(frozen=True, slots=True)
class TemplateChanges:
    """`texts` are the fields that were sent, by name; None takes the default again."""

    is_enabled: bool | None = None
    texts: Mapping[str, str | None] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class EmailChanges:
    """What was sent. `settings` by the names that they are stored under; None takes the default
    again."""

    settings: Mapping[str, Any] = field(default_factory=dict)
    contact: Mapping[str, Any] = field(default_factory=dict)
    company: Mapping[str, Any] = field(default_factory=dict)
    templates: Mapping[TemplateKey, TemplateChanges] = field(default_factory=dict)


def emails_of(campaign: Campaign) -> Emails:
    return _emails(campaign, templates_of(campaign.campaign_id))


def update(campaign: Campaign, changes: EmailChanges) -> Emails:
    """The e-mails after the change; what was not sent stays as it is.

    Raises:
        InvalidRequest: the account may not send from this address, or SES does not.
        Busy: nothing was written.
    """
    _require_identity(campaign, changes.settings.get("fromEmail"))
    campaign_id = campaign.campaign_id
    for attempt in attempts():
        if attempt:
            item = store.get(campaign.key)
            campaign = Campaign.from_item(item) if item else campaign
        stored = {one.template: one for one in templates_of(campaign_id)}
        after = _configured(campaign, changes)
        written: dict[str, EmailTemplate] = {
            key: _written(campaign_id, key, stored, changes) for key in changes.templates
        }
        writes = [write for key in written for write in _writes(stored.get(key), written[key])]
        if after != campaign:
            after = replace(after, version=campaign.version + 1)
            writes.append(Put(after.to_item(), version(campaign.version)))
        if "fromEmail" in changes.settings and after.sends_mail:
            writes += _salt_writes(campaign_id)
        try:
            if writes:
                store.transact(writes)
        except TransactionCanceled:
            continue
        return _emails(after, {**stored, **written}.values())
    raise AssertionError("attempts() ends by raising Busy")


def _require_identity(campaign: Campaign, address: str | None) -> None:
    if address is None or address == settings_of(campaign).from_email:
        return
    # In this order: nobody is to learn what SES knows for other accounts.
    if not identities.is_allowed(campaign.account_id, address, remembered=False):
        message = "This account may not send from this address: the operator has not allowed it."
        raise _refused("not_allowed", message, address)
    if not identities.is_verified(address):
        message = "Amazon SES has not verified this address, nor its domain."
        raise _refused("not_verified", message, address)


def _refused(code: str, message: str, address: str) -> InvalidRequest:
    return InvalidRequest(
        message, Problem("body", "settings.sender.fromEmail", code, message, address)
    )


def _salt_writes(campaign_id: str) -> list[Write]:
    """Whoever joins a campaign that can send invites looks for one of theirs, by a salted hash: no
    sign-up is to make the salt, or to meet others on its absence."""
    salt = drawn(campaign_id)
    return [] if salt.key in store.get_many([salt.key]) else [Put(salt.to_item(), ABSENT)]


_NOTHING: Mapping[str, Any] = {}


def _configured(before: Campaign, changes: EmailChanges) -> Campaign:
    contact = _changed(before.emails.get("contact", _NOTHING), changes.contact)
    switches = {key: one.is_enabled for key, one in changes.templates.items()}
    switched = {key: is_on for key, is_on in switches.items() if is_on is not None}
    default = EmailSettings().model_dump(mode="json", by_alias=True)
    own: dict[str, Any] = {
        name: None if value == default[name] else value for name, value in changes.settings.items()
    }
    if changes.contact:
        own["contact"] = contact or None
    if switched:
        off = {*before.emails.get("disabledTemplates", ())} - switched.keys()
        off |= {key for key, is_on in switched.items() if not is_on}
        own["disabledTemplates"] = sorted(off) or None
    return replace(before, emails=_changed(before.emails, own), **changes.company)


def _changed(before: Mapping[str, Any], sent: Mapping[str, Any]) -> dict[str, Any]:
    return {name: value for name, value in {**before, **sent}.items() if value is not None}


def _written(
    campaign_id: str,
    key: TemplateKey,
    stored: Mapping[str, EmailTemplate],
    changes: EmailChanges,
) -> EmailTemplate:
    before = stored.get(key) or EmailTemplate(campaign_id=campaign_id, template=key)
    sent = changes.templates[key].texts
    # Whoever sends back what was shown has written nothing of their own.
    own: Any = {
        name: None if text == getattr(DEFAULTS[key], name) else text for name, text in sent.items()
    }
    return replace(before, **own)


def _writes(before: EmailTemplate | None, after: EmailTemplate) -> list[Write]:
    if before is None:
        return [] if after.is_default else [Put(after.to_item(), ABSENT)]
    if after == before:
        return []
    if after.is_default:
        return [Delete(before.key, version(before.version))]
    changed = replace(after, version=before.version + 1)
    return [Put(changed.to_item(), version(before.version))]


def _emails(campaign: Campaign, written: Iterable[EmailTemplate]) -> Emails:
    own = {one.template: one for one in written}
    templates = {key: completed(key, own.get(key)) for key in TEMPLATE_KEYS}
    return Emails(campaign, settings_of(campaign), templates)


def completed(key: TemplateKey, own: EmailTemplate | None) -> Template:
    """The template with what its campaign has written itself."""
    default = DEFAULTS[key]
    texts = {name: getattr(own, name, None) for name in TEXTS}
    given: Any = {name: text for name, text in texts.items() if text is not None}
    return replace(default, **given)
