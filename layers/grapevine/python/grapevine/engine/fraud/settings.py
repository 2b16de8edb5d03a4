"""A campaign's anti-fraud options: lists, switches and caps, by the API's names.

What is small is a part of the campaign's options. The lists are items of their own beside the
campaign, which every request reads; `fraudLists` among the stored options names those that have
entries, so that nobody reads one that is empty.
"""

from __future__ import annotations

import functools
from collections.abc import Iterable, Mapping
from dataclasses import replace
from typing import Annotated, Any, get_args

from pydantic import AfterValidator, BaseModel, BeforeValidator, ConfigDict, Field
from pydantic.alias_generators import to_camel
from pydantic_core import PydanticCustomError

from grapevine.engine.fraud.evidence import Policy
from grapevine.engine.fraud.patterns import (
    LONGEST_ENTRY,
    MOST_ENTRIES,
    EmailList,
    IpList,
    Lists,
    email_pattern,
    ip_pattern,
)
from grapevine.engine.values import whole_number
from grapevine.table import fraud_keys
from grapevine.table.attributes import Item
from grapevine.table.campaigns import Campaign
from grapevine.table.fraud import FraudList, ListName
from grapevine.table.keys import Key
from grapevine.table.writes import ABSENT, Put, Write, version

STORED_LISTS = "fraudLists"
LIST_NAMES: tuple[ListName, ...] = get_args(ListName)

LONGEST_LIST_BYTES = 300_000
"""Of all entries of a list together: an item of the table holds 400 KB. It is met by ten thousand
entries of thirty characters each."""


def _email_entry(text: str) -> str:
    try:
        return email_pattern(text)
    except ValueError as error:
        raise PydanticCustomError("pattern", "{reason}", {"reason": str(error)}) from None


def _ip_entry(text: str) -> str:
    try:
        return ip_pattern(text)
    except ValueError as error:
        raise PydanticCustomError("pattern", "{reason}", {"reason": str(error)}) from None


def _once_each(entries: tuple[str, ...]) -> tuple[str, ...]:
    once = tuple(dict.fromkeys(entries))
    if sum(len(entry.encode("utf-8", "replace")) + 3 for entry in once) > LONGEST_LIST_BYTES:
        raise PydanticCustomError(
            "too_long", "The entries of a list may take 300000 bytes together."
        )
    return once


_Emails = Annotated[
    tuple[Annotated[str, Field(max_length=LONGEST_ENTRY), AfterValidator(_email_entry)], ...],
    Field(max_length=MOST_ENTRIES),
    AfterValidator(_once_each),
]
_Ips = Annotated[
    tuple[Annotated[str, Field(max_length=LONGEST_ENTRY), AfterValidator(_ip_entry)], ...],
    Field(max_length=MOST_ENTRIES),
    AfterValidator(_once_each),
]
_Cap = Annotated[int, Field(ge=1, le=100), BeforeValidator(whole_number)]


class FraudOptions(BaseModel):
    """Caps of None are no caps. A list that is sent replaces the one that is there."""

    model_config = ConfigDict(frozen=True, extra="forbid", alias_generator=to_camel)

    blocked_emails: _Emails = ()
    allowed_emails: _Emails = ()
    blocked_ips: _Ips = ()
    allowed_ips: _Ips = ()
    block_burner_emails: bool = False
    block_high_risk_referrers: bool = False
    max_signups_per_ip_2_min: Annotated[_Cap | None, Field(alias="maxSignupsPerIp2Min")] = None
    max_signups_per_ip_10_min: Annotated[_Cap | None, Field(alias="maxSignupsPerIp10Min")] = None

    @property
    def policy(self) -> Policy:
        return Policy(
            block_burner_emails=self.block_burner_emails,
            block_high_risk_referrers=self.block_high_risk_referrers,
            max_signups_per_ip_2_min=self.max_signups_per_ip_2_min,
            max_signups_per_ip_10_min=self.max_signups_per_ip_10_min,
        )


def list_keys(campaign: Campaign) -> list[Key]:
    """Where the lists are that have entries."""
    names: Iterable[Any] = campaign.options.get(STORED_LISTS, ())
    return [fraud_keys.fraud_list(campaign.campaign_id, name) for name in names]


def entries_in(found: Mapping[Key, Item], campaign_id: str) -> dict[ListName, tuple[str, ...]]:
    """The entries of each list among items already read at `list_keys`."""
    entries: dict[ListName, tuple[str, ...]] = {}
    for name in LIST_NAMES:
        item = found.get(fraud_keys.fraud_list(campaign_id, name))
        if item is not None:
            entries[name] = FraudList.from_item(item).entries
    return entries


def lists_in(found: Mapping[Key, Item], campaign_id: str) -> Lists:
    """The lists made ready for matching; a warm container remembers those it has made ready."""
    entries = entries_in(found, campaign_id)
    return Lists(
        blocked_emails=_email_list(entries.get("blockedEmails", ())),
        allowed_emails=_email_list(entries.get("allowedEmails", ())),
        blocked_ips=_ip_list(entries.get("blockedIps", ())),
        allowed_ips=_ip_list(entries.get("allowedIps", ())),
    )


# They are known by their entries, so that one can never stand for another. Ten thousand are made
# ready in up to a tenth of a second, and compared in a millisecond.
@functools.lru_cache(maxsize=8)
def _email_list(entries: tuple[str, ...]) -> EmailList:
    return EmailList.of(entries)


@functools.lru_cache(maxsize=8)
def _ip_list(entries: tuple[str, ...]) -> IpList:
    return IpList.of(entries)


def naming_lists(
    options: Mapping[str, Any], sent: Mapping[ListName, tuple[str, ...]]
) -> dict[str, Any]:
    """Stored options that name the lists with entries once those that were sent are written."""
    named = set(options.get(STORED_LISTS, ())) - sent.keys()
    named |= {name for name, entries in sent.items() if entries}
    others = {name: value for name, value in options.items() if name != STORED_LISTS}
    return {**others, STORED_LISTS: sorted(named)} if named else others


def list_writes(
    after: Campaign, sent: Mapping[ListName, tuple[str, ...]], found: Mapping[Key, Item]
) -> list[Write]:
    """The lists that were sent, to be written with the campaign; `found` has those there are."""
    writes: list[Write] = []
    for name, entries in sent.items():
        changed = FraudList(
            campaign_id=after.campaign_id, name=name, version=after.version, entries=entries
        )
        item = found.get(changed.key)
        condition = version(FraudList.from_item(item).version) if item else ABSENT
        writes.append(Put(changed.to_item(), condition))
    return writes


def copied_lists(found: Mapping[Key, Item], campaign_id: str) -> list[FraudList]:
    """The lists for another campaign."""
    return [
        replace(FraudList.from_item(item), campaign_id=campaign_id, version=0)
        for item in found.values()
    ]
