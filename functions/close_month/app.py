"""Twice a day: closes, for each campaign, the months that have ended since the last run."""

from dataclasses import asdict
from typing import Any

from grapevine.engine.month_end.close import close_months


def handler(event: dict[str, Any], context: object) -> dict[str, int]:
    return asdict(close_months())
