"""The script for the customer's pages, with the settings of the campaign that it is asked for."""

from __future__ import annotations

import functools
import json
from importlib import resources

from grapevine.engine.tracking.links import page_settings
from grapevine.errors import NotFound

_PLACE = "__SETTINGS__"


@functools.cache
def _source() -> str:
    return resources.files(__package__ or "grapevine.http").joinpath("grapevine.js").read_text()


def script_for(campaign_id: str) -> str:
    """For a campaign that is not there the script is harmless and says so on the console."""
    try:
        settings = page_settings(campaign_id)
    except NotFound:
        return _source().replace(_PLACE, "null")
    given = {
        "campaignId": settings.campaign_id,
        "attributionModel": settings.attribution_model,
        "cookieWindowDays": settings.cookie_window_days,
    }
    return _source().replace(_PLACE, json.dumps(given))
