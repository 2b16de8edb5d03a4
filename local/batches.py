"""What a consumer's answer says about its batch, by Lambda's rules."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any


class WholeBatchFailed(Exception):
    """The answer names a record that is not in the batch, or is not of the documented shape."""


def failed_positions(answer: Any, identifiers: Sequence[str]) -> list[int]:
    """Where in the batch the reported failures are, in order.

    Nothing, or an object without `batchItemFailures`, is a complete success: Lambda takes a
    misspelt answer for one, too.
    """
    reported = answer.get("batchItemFailures") if isinstance(answer, dict) else None
    if not reported:
        return []
    positions = {identifier: position for position, identifier in enumerate(identifiers)}
    try:
        return sorted({positions[each["itemIdentifier"]] for each in reported})
    except (KeyError, TypeError):
        raise WholeBatchFailed from None
