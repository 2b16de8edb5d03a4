"""The secret that an account's codes are made and hashed with."""

from __future__ import annotations

import secrets

from grapevine import runtime
from grapevine.engine.attempts import attempts
from grapevine.table import mechanics_keys, store
from grapevine.table.codes import CodeSecret
from grapevine.table.store import TransactionCanceled
from grapevine.table.writes import ABSENT


def code_secret(account_id: str) -> str:
    """Made by whoever needs it first, never changed; read once in a container.

    Raises:
        Busy
    """
    place = f"codes:{account_id}"
    kept: str | None = runtime.current().cache.get(place)
    if kept is not None:
        return kept
    for _ in attempts():
        item = store.get(mechanics_keys.code_secret(account_id))
        secret = CodeSecret.from_item(item).secret if item else _made(account_id)
        if secret is not None:
            runtime.current().cache[place] = secret
            return secret
    raise AssertionError("attempts() ends by raising Busy")


def _made(account_id: str) -> str | None:
    """None when somebody else was faster."""
    made = CodeSecret(account_id=account_id, secret=secrets.token_hex(32))
    try:
        return made.secret if store.put(made.to_item(), ABSENT) else None
    except TransactionCanceled:
        return None
