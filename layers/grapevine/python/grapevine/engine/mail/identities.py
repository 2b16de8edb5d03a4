"""Whether an account may send from an address: the operator allows it, and SES lets it send.

SES knows one list of identities for all accounts of a stack. Without a list for each account,
whoever has an API key could write in the name of everybody else. Both lists work alike: what stands
there is the address, its domain or a domain above that.
"""

from __future__ import annotations

from botocore.exceptions import BotoCoreError, ClientError

from grapevine import runtime
from grapevine.errors import Busy
from grapevine.table import email_keys, store

KEPT_MS = 10 * 60 * 1000
"""How long a container believes that an address may send. That it may not is asked every time."""


def is_allowed(account_id: str, address: str, *, remembered: bool = True) -> bool:
    """Whether the operator lets the account send from the address. `remembered`: an answer of the
    last ten minutes will do."""
    cache = runtime.current().cache
    name = f"sender:{account_id}:{address}"
    if remembered and runtime.now_ms() - cache.get(name, -KEPT_MS) < KEPT_MS:
        return True
    wanted = [email_keys.sender_identity(account_id, one) for one in covering(address)]
    allowed = bool(store.get_many(wanted))
    if allowed:
        cache[name] = runtime.now_ms()
    return allowed


def is_verified(address: str, *, remembered: bool = True) -> bool:
    """`remembered`: an answer of the last ten minutes will do.

    Raises:
        Busy: SES does not say. It answers about one such question a second.
    """
    cache = runtime.current().cache
    name = f"identity:{address.lower()}"
    if remembered and runtime.now_ms() - cache.get(name, -KEPT_MS) < KEPT_MS:
        return True
    verified = any(_may_send(identity) for identity in covering(address))
    if verified:
        cache[name] = runtime.now_ms()
    return verified


def covering(address: str) -> list[str]:
    """The address, its domain, and the domains above it that are not top-level ones: to SES, each
    of them stands for the address. Case counts before the `@` alone."""
    name, _, domain = address.rpartition("@")
    labels = domain.lower().split(".")
    domains = [".".join(labels[start:]) for start in range(max(len(labels) - 1, 1))]
    return [f"{name}@{domain.lower()}", *domains]


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
