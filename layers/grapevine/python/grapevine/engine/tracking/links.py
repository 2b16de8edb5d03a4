"""Share links and the reports of the pages they lead to: where a visitor goes, and what is counted.

Anybody may call this. What is answered about a campaign is its share URL and how long its pages
keep a referrer; what is answered about a participant is nothing.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Literal
from urllib.parse import quote, urlsplit, urlunsplit

from grapevine.engine.participants.lookup import referrer_id_in
from grapevine.engine.participants.share import with_query
from grapevine.engine.program import installation_of, options_of
from grapevine.engine.salts import new_salt, salt_in
from grapevine.engine.tracking.counting import count
from grapevine.engine.tracking.rules import Action
from grapevine.engine.tracking.visits import Identity, Visit, identify
from grapevine.errors import Busy, NotAuthorized, NotFound
from grapevine.months import DAY_MS
from grapevine.table import keys, store
from grapevine.table.attributes import Item
from grapevine.table.campaigns import Campaign
from grapevine.table.keys import Key

REFERRER = "grsf"
VISIT = "grsf_visit"
"""The parameter that tells the page: this view is counted, and this is the visitor."""

_REDIRECT_WITHIN_SECONDS = 3.0
_REPORT_WITHIN_SECONDS = 20.0
_URL_CHARACTERS = "%/:=&?~+!$,;'@()*[]"


@dataclass(frozen=True, slots=True)
class Followed:
    """Where to send the visitor, and the id to keep in its cookie for `cookie_days`; None for a
    machine and for a link of nobody."""

    location: str
    visitor_id: str | None
    cookie_days: int


@dataclass(frozen=True, slots=True)
class PageSettings:
    """What a page of the campaign has to know to keep a referrer."""

    campaign_id: str
    attribution_model: Literal["LAST_CLICK", "FIRST_CLICK"]
    cookie_window_days: int


@dataclass(frozen=True, slots=True)
class _Link:
    """A campaign with the participant that a key names, if there is one."""

    campaign: Campaign
    participant_id: str | None
    salt: str | None


def follow(campaign_id: str, share_key: str, visit: Visit) -> Followed:
    """What becomes of a visitor who follows a participant's short link.

    A view that could not be counted in time goes on without the mark that it is counted, so that
    the page reports it.

    Raises:
        NotFound: no such campaign, or it has no share URL.
    """
    link = _link(campaign_id, share_key)
    share_url = installation_of(link.campaign).share_url
    if share_url is None:
        raise NotFound("The campaign has no share URL.")
    days = options_of(link.campaign).referral_cookie_window_days
    if link.participant_id is None:
        return Followed(_as_location(share_url), None, days)
    share_url = with_query(share_url, REFERRER, share_key)
    if not visit.is_by_a_person:
        return Followed(_as_location(share_url), None, days)
    who = _identity(link, link.participant_id, visit)
    try:
        _count(link.campaign, link.participant_id, who, Action(), _REDIRECT_WITHIN_SECONDS)
    except Busy:
        return Followed(_as_location(share_url), who.visitor_id, days)
    share_url = with_query(share_url, VISIT, who.visitor_id)
    return Followed(_as_location(share_url), who.visitor_id, days)


def report(
    campaign_id: str, share_key: str, origin: str | None, visit: Visit, action: Action
) -> bool:
    """Whether a view or share that a page reports has been counted.

    Raises:
        NotFound: there is no such campaign.
        NotAuthorized: the page is none of the campaign's.
        Busy: it was not counted; a repetition is safe.
    """
    link = _link(campaign_id, share_key)
    _admit(link.campaign, origin)
    if link.participant_id is None or not visit.is_by_a_person:
        return False
    who = _identity(link, link.participant_id, visit)
    return _count(link.campaign, link.participant_id, who, action, _REPORT_WITHIN_SECONDS)


def admit(campaign_id: str, origin: str | None) -> None:
    """Lets pages of the campaign's own origins through.

    Raises:
        NotFound: there is no such campaign.
        NotAuthorized: the origin is none of the campaign's.
    """
    _admit(_campaign(campaign_id), origin)


def page_settings(campaign_id: str) -> PageSettings:
    """Raises NotFound when there is no such campaign."""
    options = options_of(_campaign(campaign_id))
    return PageSettings(campaign_id, options.attribution_model, options.referral_cookie_window_days)


def origin_of(url: str) -> str | None:
    """The origin as a browser names it: without a default port, the host in its ASCII form. None
    when no browser can be there."""
    parts = urlsplit(url)
    try:
        host = (parts.hostname or "").encode("idna").decode()
        port = parts.port
    except ValueError:
        return None
    if ":" in host:
        host = f"[{host}]"
    default = {"http": 80, "https": 443}.get(parts.scheme)
    return f"{parts.scheme}://{host}" + ("" if port in (None, default) else f":{port}")


def _admit(campaign: Campaign, origin: str | None) -> None:
    installation = installation_of(campaign)
    urls = [*installation.allowed_urls, *filter(None, [installation.share_url])]
    if origin is None or origin not in {origin_of(url) for url in urls}:
        raise NotAuthorized("This origin is none of the campaign's share URL and allowed URLs.")


def _campaign(campaign_id: str) -> Campaign:
    return _campaign_in(store.get_many(_campaign_keys(campaign_id)), campaign_id)


def _campaign_keys(campaign_id: str) -> list[Key]:
    return [keys.campaign(campaign_id)] if keys.is_id(campaign_id) else []


def _campaign_in(found: Mapping[Key, Item], campaign_id: str) -> Campaign:
    items = [found[key] for key in _campaign_keys(campaign_id) if key in found]
    campaign = Campaign.from_item(items[0]) if items else None
    if campaign is None or campaign.status == "DELETED":
        raise NotFound("There is no campaign with this id.")
    return campaign


def _link(campaign_id: str, share_key: str) -> _Link:
    wanted = _campaign_keys(campaign_id)
    if wanted:
        wanted.append(keys.salt(campaign_id))
    guard_key = keys.key_guard(campaign_id, share_key) if wanted and keys.is_id(share_key) else None
    found = store.get_many([*wanted, *filter(None, [guard_key])])
    campaign = _campaign_in(found, campaign_id)
    return _Link(
        campaign,
        referrer_id_in(found.get(guard_key) if guard_key else None),
        salt_in(found, campaign_id),
    )


def _identity(link: _Link, participant_id: str, visit: Visit) -> Identity:
    stores_addresses = not options_of(link.campaign).enforce_gdpr_compliance
    salt = link.salt or new_salt(link.campaign.campaign_id, _REDIRECT_WITHIN_SECONDS)
    return identify(visit, salt, participant_id, stores_addresses=stores_addresses)


def _count(
    campaign: Campaign, participant_id: str, who: Identity, action: Action, within_seconds: float
) -> bool:
    return count(
        campaign.campaign_id,
        participant_id,
        who,
        action,
        window_ms=options_of(campaign).referral_cookie_window_days * DAY_MS,
        within_seconds=within_seconds,
    )


def _as_location(url: str) -> str:
    """A header holds ASCII only."""
    parts = urlsplit(url)
    host = parts.netloc
    if not host.isascii():
        host = (origin_of(url) or "").partition("://")[2] or quote(host)
    path, query, fragment = (
        quote(each, safe=_URL_CHARACTERS) for each in (parts.path, parts.query, parts.fragment)
    )
    return urlunsplit((parts.scheme, host, path, query, fragment))
