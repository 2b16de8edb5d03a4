"""What a program e-mail's template is, which there are, and the words that may stand in them."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Literal, get_args

TemplateKey = Literal[
    "welcomeNonReferred",
    "welcomeReferred",
    "referredSignup",
    "referralLinkViewedFirstTime",
    "referralLinkUsed",
    "goalAchieved",
    "campaignEndedWinners",
    "campaignEndedNonWinners",
    "progressUpdateMonthly",
]
"""Of a referral program (growsurf)."""

TEMPLATE_KEYS: tuple[TemplateKey, ...] = get_args(TemplateKey)

MOST_CHARACTERS: Mapping[str, int] = {
    "subject": 255,
    "preheader": 255,
    "body": 50_000,
    "text": 20_000,
}
"""Of a template, field by field. Together they fit into one item of the table."""

VARIABLES: Mapping[str, str] = {
    "firstName": "first name of who gets the e-mail",
    "lastName": "last name of who gets it",
    "email": "the address that it goes to",
    "shareUrl": "the participant's share link",
    "referralCount": "credited referrals, all time",
    "monthlyReferralCount": "credited referrals of this month",
    "prevMonthlyReferralCount": "credited referrals of last month",
    "month": "the month that a monthly update tells of, for example October 2026",
    "referrerFirstName": "first name of who referred the participant",
    "referrerLastName": "last name of who referred the participant",
    "referredFirstName": "first name of the friend that the e-mail is about",
    "referredLastName": "last name of the friend that the e-mail is about",
    "rewardTitle": "title of the reward that was earned",
    "rewardDescription": "its description, for a referred friend the one for friends",
    "couponCode": "its coupon code, for a referred friend the one for friends",
    "campaignName": "the campaign's name",
    "companyName": "the company's name",
    "unsubscribeUrl": "the link that ends all e-mails to the participant",
    "emailHeader": "the company's logo",
    "emailFooter": "the company's name and address, and the link to unsubscribe",
}
"""Every word that a template may use; one that has no value in an e-mail is empty there."""

MARKUP = frozenset({"emailHeader", "emailFooter"})
"""Those that are HTML and made by us: nothing in them is escaped once more."""

FOOTER = "emailFooter"
"""Stands in every body: an e-mail says who sent it and how to stop it (growsurf)."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Template:
    """`body` is HTML. Without a `text` of its own, the text part is made of the body."""

    subject: str
    preheader: str = ""
    body: str
    text: str | None = None
