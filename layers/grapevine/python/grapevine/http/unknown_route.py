"""The answer to a route that does not exist, in the words of the API that it seems to be of."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from grapevine.errors import NotFound
from grapevine.http.endpoint import Dialect
from grapevine.http.gamifyhost import gamifyhost
from grapevine.http.growsurf import growsurf
from grapevine.http.referd import referd

_DIALECTS: dict[str, Dialect] = {"v1": gamifyhost, "integrations": referd, "api": referd}
"""By the first part of the path; GrowSurf's is all else."""


def answer(event: Mapping[str, Any], _context: object) -> dict[str, Any]:
    """The Lambda handler of `$default`: no route matches, whoever asks."""
    first = str(event.get("rawPath", "")).strip("/").partition("/")[0]
    dialect = _DIALECTS.get(first, growsurf)
    return dialect.refusal(NotFound("There is no such endpoint.")).to_event()
