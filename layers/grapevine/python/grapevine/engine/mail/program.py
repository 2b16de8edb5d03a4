"""The program e-mails, and those that are written for one participant, filled in as they go out.

An e-mail says what is true when it is sent: names and counts are read then, and whoever has been
deleted since is not named.
"""

from __future__ import annotations

import html
from collections.abc import Mapping
from dataclasses import replace
from typing import Any

from grapevine import runtime
from grapevine.engine.mail import envelope
from grapevine.engine.mail.configuration import completed
from grapevine.engine.mail.content import Content, Occasion
from grapevine.engine.mail.preparing import Stopped
from grapevine.engine.mail.templates.rendering import TooLong, render
from grapevine.engine.mail.templates.sandbox import shows_footer
from grapevine.engine.mail.templates.template import TEMPLATE_KEYS, Template
from grapevine.engine.participants.share import share_url
from grapevine.months import in_words, month_at
from grapevine.table import email_keys, keys, store
from grapevine.table.attributes import Item
from grapevine.table.email_templates import EmailTemplate
from grapevine.table.keys import Key
from grapevine.table.participants import Profile
from grapevine.table.rewards import RewardConfig
from grapevine.table.standings import Standing

_Found = Mapping[Key, Item]


def compose(occasion: Occasion) -> Content | None:
    """A program e-mail. None when the month that it tells of has no credit left in it.

    Raises:
        Stopped: it became too long.
    """
    found = store.get_many(_keys(occasion))
    if "month" in occasion.mail.data and not _month_of(occasion, found)[1]:
        return None
    return _content(occasion, _template(occasion, found), found)


def compose_freeform(occasion: Occasion) -> Content | None:
    """What was written for this participant alone; None when the text is gone.

    Raises:
        Stopped: it became too long.
    """
    written = occasion.text
    if written is None:
        return None
    template = Template(
        subject=written.subject, preheader=written.preheader or "", body=written.message
    )
    if not shows_footer(template.body):
        # Whoever writes no footer gets ours: an e-mail says who sent it and how to stop it.
        template = replace(template, body=f"{template.body}\n{{{{emailFooter}}}}")
    return _content(occasion, template, store.get_many(_keys(occasion)))


def _keys(occasion: Occasion) -> list[Key]:
    mail, profile = occasion.mail, occasion.profile
    campaign_id = mail.campaign_id
    wanted = [keys.standing(campaign_id, profile.participant_id)]
    people = (profile.referrer_id, mail.data.get("friendId"))
    wanted += [keys.profile(campaign_id, one) for one in people if one]
    if "rewardId" in mail.data:
        wanted.append(keys.reward_config(campaign_id, mail.data["rewardId"]))
    if mail.template:
        wanted.append(email_keys.email_template(campaign_id, mail.template))
    return wanted


def _template(occasion: Occasion, found: _Found) -> Template:
    name = occasion.mail.template
    key = next(one for one in TEMPLATE_KEYS if one == name)
    own = found.get(email_keys.email_template(occasion.mail.campaign_id, key))
    return completed(key, EmailTemplate.from_item(own) if own else None)


def _content(occasion: Occasion, template: Template, found: _Found) -> Content:
    try:
        made = render(template, _values(occasion, found))
    except TooLong:
        raise Stopped("FAILED", "too long") from None
    body = made.html
    if made.preheader:
        # What mail programs show beside the subject, at the beginning and hidden.
        style = "display:none;max-height:0;overflow:hidden"
        body = f'<div style="{style}">{html.escape(made.preheader)}</div>\n{body}'
    return Content(subject=made.subject, html=body, text=made.text, has_foot=True)


def _values(occasion: Occasion, found: _Found) -> dict[str, str]:
    campaign, profile = occasion.campaign, occasion.profile
    campaign_id = campaign.campaign_id
    referrer = _profile(found, campaign_id, profile.referrer_id)
    friend = _profile(found, campaign_id, occasion.mail.data.get("friendId"))
    told: dict[str, Any] = {
        "firstName": profile.first_name,
        "lastName": profile.last_name,
        "email": profile.email,
        "shareUrl": share_url(campaign, profile),
        "referrerFirstName": referrer.first_name if referrer else None,
        "referrerLastName": referrer.last_name if referrer else None,
        "referredFirstName": friend.first_name if friend else None,
        "referredLastName": friend.last_name if friend else None,
        **_counts(occasion, found),
        **_reward(occasion, found),
        "campaignName": campaign.name,
        "companyName": campaign.company_name,
        "unsubscribeUrl": occasion.unsubscribe_url,
        "emailHeader": _header(occasion),
        "emailFooter": envelope.foot(occasion),
    }
    return {name: str(value) for name, value in told.items() if value is not None}


def _profile(found: _Found, campaign_id: str, participant_id: str | None) -> Profile | None:
    item = found.get(keys.profile(campaign_id, participant_id)) if participant_id else None
    return Profile.from_item(item) if item else None


def _standing(occasion: Occasion, found: _Found) -> Standing | None:
    item = found.get(keys.standing(occasion.mail.campaign_id, occasion.profile.participant_id))
    return Standing.from_item(item) if item else None


def _counts(occasion: Occasion, found: _Found) -> dict[str, Any]:
    standing = _standing(occasion, found)
    if standing is None:
        return {}
    now = month_at(runtime.now_ms())
    month, of_month = _month_of(occasion, found)
    return {
        "referralCount": standing.referral_count,
        "monthlyReferralCount": standing.count_in(now),
        "prevMonthlyReferralCount": of_month,
        "month": in_words(month),
    }


def _month_of(occasion: Occasion, found: _Found) -> tuple[int, int]:
    """The month that is told of, by default the last one, and the credits in it: as its run found
    them, where a later month has overwritten them."""
    now = month_at(runtime.now_ms())
    month: int = occasion.mail.data.get("month", now - 1)
    standing = _standing(occasion, found)
    if standing is not None and now < month + 2:
        return month, standing.count_in(month)
    return month, occasion.mail.data.get("count", 0)


def _reward(occasion: Occasion, found: _Found) -> dict[str, Any]:
    """What the campaign says of the reward; the friend's side has the friend's texts."""
    data = occasion.mail.data
    if "rewardId" not in data:
        return {}
    item = found.get(keys.reward_config(occasion.mail.campaign_id, data["rewardId"]))
    if item is None:
        return {}
    config = RewardConfig.from_item(item)
    description, coupon = config.description, config.coupon_code
    if not data.get("isReferrer"):
        description = config.referral_description or description
        coupon = config.referral_coupon_code or coupon
    return {
        "rewardTitle": config.title,
        "rewardDescription": description,
        "couponCode": coupon,
    }


def _header(occasion: Occasion) -> str:
    campaign = occasion.campaign
    if not campaign.company_logo_image_url:
        return ""
    source = html.escape(campaign.company_logo_image_url)
    return (
        f'<p><img src="{source}" alt="{html.escape(campaign.company_name or "")}" height="40"></p>'
    )
