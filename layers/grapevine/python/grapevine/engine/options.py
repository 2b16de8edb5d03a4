"""A campaign's installation and options changed, and the anti-fraud lists that go with them.

The lists are items beside the campaign, written in the transaction that changes the campaign."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from functools import partial
from typing import Any

from pydantic.alias_generators import to_camel

from grapevine.engine.campaigns import changed
from grapevine.engine.fraud.settings import (
    LIST_NAMES,
    entries_in,
    list_keys,
    list_writes,
    naming_lists,
)
from grapevine.engine.program import (
    EXCLUDE_EACH_OTHER,
    Installation,
    Options,
    conflict_of,
    options_of,
)
from grapevine.errors import InvalidRequest, Problem
from grapevine.table import fraud_keys, store
from grapevine.table.campaigns import Campaign
from grapevine.table.fraud import ListName
from grapevine.table.writes import Write


def update_installation(campaign: Campaign, changes: Installation) -> Installation:
    """The installation after the fields that were sent have changed; lists are replaced.

    Raises:
        Busy: nothing was written.
    """
    after = changed(
        campaign,
        lambda before: replace(
            before, installation={**before.installation, **changes.set_fields()}
        ),
    )
    return Installation.model_validate(after.installation)


def full_options_of(campaign: Campaign) -> Options:
    """The options with the lists of the anti-fraud options."""
    options, wanted = options_of(campaign), list_keys(campaign)
    if not wanted:
        return options
    return _with_entries(options, entries_in(store.get_many(wanted), campaign.campaign_id))


def _with_entries(options: Options, entries: Mapping[ListName, tuple[str, ...]]) -> Options:
    fraud: dict[str, Any] = {**options.fraud.model_dump(by_alias=True)}
    fraud.update({name: entries[name] for name in entries})
    return Options.model_validate({**options.model_dump(by_alias=True), "fraud": fraud})


def update_options(campaign: Campaign, changes: Options) -> Options:
    """The options after the fields that were sent have changed; lists are replaced.

    Raises:
        InvalidRequest: the result contradicts itself.
        Busy: nothing was written.
    """
    sent = changes.set_fields()
    lists: dict[ListName, tuple[str, ...]] = {
        name: tuple(sent["fraud"].pop(name)) for name in LIST_NAMES if name in sent.get("fraud", {})
    }
    after = changed(
        campaign,
        lambda before: _with_options(before, sent, lists),
        partial(_list_writes, lists),
        even_if_equal=bool(lists),
    )
    return full_options_of(after)


def _list_writes(lists: Mapping[ListName, tuple[str, ...]], after: Campaign) -> list[Write]:
    if not lists:
        return []
    stored = store.get_many(fraud_keys.fraud_list(after.campaign_id, name) for name in lists)
    return list_writes(after, lists, stored)


def _with_options(
    before: Campaign, sent: Mapping[str, Any], lists: Mapping[ListName, tuple[str, ...]]
) -> Campaign:
    together = {**before.options, **sent}
    if "fraud" in sent:
        together["fraud"] = {**before.options.get("fraud", {}), **sent["fraud"]}
    together = naming_lists(together, lists)
    after = replace(before, options=together)
    try:
        options_of(after)
    except ValueError:
        conflicts = [
            (to_camel(other), conflict_of(one, other))
            for one, other in EXCLUDE_EACH_OTHER
            if together.get(to_camel(one)) and together.get(to_camel(other))
        ]
        problems = [Problem("body", field, "conflict", text) for field, text in conflicts]
        raise InvalidRequest(problems[0].message, *problems) from None
    return after
