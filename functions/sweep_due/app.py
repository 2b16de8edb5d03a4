"""Every minute: hands out delayed credits, ended credit windows and clean-ups that are due."""

from typing import Any

from grapevine.engine import due


def handler(event: dict[str, Any], context: object) -> dict[str, int]:
    return {"sent": due.sweep()}
