"""Whether SES lets an address send: it, its domain or a domain above that is verified."""

from __future__ import annotations

from botocore.exceptions import BotoCoreError, ClientError

from grapevine import runtime
from grapevine.errors import Busy

KEPT_MS = 10 * 60 * 1000
"""How long a container believes that an address is verified. That it is not is asked every time."""


def is_verified(address: str, *, remembered: bool = True) -> bool:
    """`remembered`: an answer of the last ten minutes will do.

    Raises:
        Busy: SES does not say. It answers about one such question a second.
    """
    cache = runtime.current().cache
    name = f"identity:{address.lower()}"
    if remembered and runtime.now_ms() - cache.get(name, -KEPT_MS) < KEPT_MS:
        return True
    verified = any(_may_send(identity) for identity in _identities(address))
    if verified:
        cache[name] = runtime.now_ms()
    return verified


def _identities(address: str) -> list[str]:
    """The address, its domain, and the domains above it that are not top-level ones."""
    labels = address.rpartition("@")[2].lower().split(".")
    domains = [".".join(labels[start:]) for start in range(max(len(labels) - 1, 1))]
    return [address, *domains]


def _may_send(identity: str) -> bool:
    try:
        answer = runtime.ses().get_email_identity(EmailIdentity=identity)
    except ClientError as error:
        if error.response["Error"]["Code"] == "NotFoundException":
            return False
        raise Busy from None
    except BotoCoreError:
        raise Busy from None
    return bool(answer.get("VerifiedForSendingStatus"))
