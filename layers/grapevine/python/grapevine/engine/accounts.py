"""Accounts and their API keys: made, listed, rotated and revoked; and who may send as whom.

The secret of a key is shown once, when it is made; only its hash is stored. A warm container may
accept a key for `grapevine.engine.access.KEY_CACHE_MS` after its revocation.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass, replace

from grapevine import ids, runtime
from grapevine.engine.attempts import attempts
from grapevine.errors import InvalidRequest, NotFound
from grapevine.table import keys, store
from grapevine.table.accounts import (
    Account,
    AccountApiKey,
    ApiKey,
    Environment,
    SenderIdentity,
    key_hashes_of,
    senders_of,
)
from grapevine.table.store import TransactionCanceled
from grapevine.table.writes import ABSENT, Put, version

ALL_SCOPES = frozenset(
    {
        "team:read",
        "team:write",
        "api_key:rotate",
        "program:read",
        "program:write",
        "participant:read",
        "participant:write",
        "participant:delete",
        "reward:read",
        "reward:write",
        "reward:delete",
        "reward:fulfill",
        "analytics:read",
        "event:write",
        "gamification:read",
        "gamification:write",
    }
)
"""The scopes that the GrowSurf API names, and those of events and of what they earn."""

PUBLIC_SCOPES = frozenset({"event:write"})
"""All that a public key can hold."""


_DOMAIN = re.compile(r"(?=.{1,253}$)([a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?\.)+[a-z0-9-]{2,63}")
_NAME = re.compile(r"[!-?A-~]{1,64}")
"""What stands before the `@`: printable ASCII without a space."""


@dataclass(frozen=True, slots=True)
class NewKey:
    """A key just made: the only time that `secret` can be seen."""

    key_id: str
    secret: str
    scopes: frozenset[str]
    is_public: bool


def create_account(name: str, environment: Environment = "live") -> Account:
    """A new account, without a key. What is tried out is kept from what is real by accounts of
    their own, whose keys say `test`."""
    if not name.strip():
        raise InvalidRequest("An account needs a name.")
    account = Account(
        account_id=ids.account_id(),
        name=name,
        created_at=runtime.now_ms(),
        environment=environment,
    )
    store.transact([Put(account.to_item(), ABSENT)])
    return account


def allow_sender(account_id: str, identity: str) -> list[str]:
    """Lets the account's e-mails come from an address, or from all addresses of a domain and of
    those below it, as far as SES has verified them; gives all identities that it may send from.
    Allowing one again changes nothing.

    Raises:
        NotFound: there is no such account.
        InvalidRequest: it is neither an address nor a domain.
    """
    _required_account(account_id)
    store.put(SenderIdentity(account_id=account_id, identity=_identity(identity)).to_item(), ABSENT)
    return senders_of(account_id)


def disallow_sender(account_id: str, identity: str) -> list[str]:
    """Takes that away; gives what is left. What still waits to be sent from there is not sent, by a
    warm container after `grapevine.engine.mail.identities.KEPT_MS` at the latest.

    Raises:
        NotFound: there is no such account, or it had no such identity.
    """
    senders = list_senders(account_id)
    gone = SenderIdentity(account_id=account_id, identity=_identity(identity))
    if gone.identity not in senders:
        raise NotFound("The account has no such sender.")
    store.remove([gone.key])
    return [one for one in senders if one != gone.identity]


def list_senders(account_id: str) -> list[str]:
    """The identities that the account may send from.

    Raises:
        NotFound: there is no such account.
    """
    _required_account(account_id)
    return senders_of(account_id)


def _identity(text: str) -> str:
    """As addresses are compared with it: a domain in small letters."""
    name, at, domain = text.strip().rpartition("@")
    domain = domain.lower()
    if not _DOMAIN.fullmatch(domain) or (at and not _NAME.fullmatch(name)):
        raise InvalidRequest("A sender is an address or a domain, such as shop.example.com.")
    return f"{name}{at}{domain}"


def create_key(
    account_id: str,
    *,
    name: str,
    scopes: Iterable[str] | None = None,
    is_public: bool = False,
    secret: str | None = None,
) -> NewKey:
    """A new key of the account, with every scope that it can hold unless `scopes` are given;
    `secret` sets it instead of drawing one.

    Raises:
        NotFound: there is no such account.
        InvalidRequest: an unknown scope, one that a public key must not hold, or the secret is
            already somebody's key.
    """
    account = _required_account(account_id)
    if scopes is None:
        scopes = PUBLIC_SCOPES if is_public else ALL_SCOPES
    new_key, writes = _new_key(account, name, frozenset(scopes), secret, is_public=is_public)
    try:
        store.transact(writes)
    except TransactionCanceled:
        raise InvalidRequest("This key is already in use.") from None
    return new_key


def list_keys(account_id: str) -> list[ApiKey]:
    """All keys that the account ever had, oldest first.

    Raises:
        NotFound: there is no such account.
    """
    _required_account(account_id)
    found = store.get_many(keys.api_key(key_hash) for key_hash in key_hashes_of(account_id))
    return sorted(map(ApiKey.from_item, found.values()), key=lambda key: key.created_at)


def revoke_key(account_id: str, key_id: str) -> None:
    """Ends the key now; revoking it again changes nothing.

    Raises:
        NotFound: the account has no such key.
    """
    for _ in attempts():
        now = runtime.now_ms()
        key = _key_of(account_id, key_id)
        if not key.is_valid_at(now):
            return
        try:
            store.transact([_ending(key, now)])
        except TransactionCanceled:
            continue
        return


def rotate_key(account_id: str, key_id: str, *, grace_ms: int = 0) -> NewKey:
    """A new key of the same kind, name and scopes; the old one ends after `grace_ms`.

    Raises:
        NotFound: there is no such account, or it has no such key.
        InvalidRequest: the key has ended already.
    """
    account = _required_account(account_id)
    for _ in attempts():
        now = runtime.now_ms()
        old = _key_of(account_id, key_id)
        if not old.is_valid_at(now) or old.valid_until is not None:
            raise InvalidRequest("This key has been rotated or revoked already.")
        new_key, writes = _new_key(
            account, old.name, frozenset(old.scopes), None, is_public=old.is_public
        )
        try:
            store.transact([_ending(old, now + grace_ms), *writes])
        except TransactionCanceled:
            continue
        return new_key
    raise AssertionError("attempts() ends by raising Busy")


def _required_account(account_id: str) -> Account:
    item = store.get(keys.account(account_id)) if keys.is_id(account_id) else None
    if item is None:
        raise NotFound("There is no such account.")
    return Account.from_item(item)


def _key_of(account_id: str, key_id: str) -> ApiKey:
    listed = None
    if keys.is_id(account_id) and keys.is_id(key_id):
        listed = store.get(keys.account_api_key(account_id, key_id))
    if listed is None:
        raise NotFound("The account has no such key.")
    item = store.get(keys.api_key(AccountApiKey.from_item(listed).key_hash))
    if item is None:
        raise NotFound("The account has no such key.")
    return ApiKey.from_item(item)


def _new_key(
    account: Account, name: str, scopes: frozenset[str], secret: str | None, *, is_public: bool
) -> tuple[NewKey, list[Put]]:
    unknown = scopes - ALL_SCOPES
    if unknown or not scopes:
        raise InvalidRequest(f"Unknown or no scopes: {', '.join(sorted(unknown)) or 'none given'}")
    if is_public and scopes - PUBLIC_SCOPES:
        raise InvalidRequest("A public key can only have the scope event:write.")
    secret = secret or ids.api_key(account.environment, is_public=is_public)
    new_key = NewKey(ids.key_id(), secret, scopes, is_public)
    stored = ApiKey(
        key_hash=ids.hash_of_key(new_key.secret),
        key_id=new_key.key_id,
        account_id=account.account_id,
        name=name,
        scopes=tuple(sorted(scopes)),
        created_at=runtime.now_ms(),
        is_public=is_public,
    )
    listed = AccountApiKey(
        account_id=account.account_id, key_id=stored.key_id, key_hash=stored.key_hash
    )
    return new_key, [Put(stored.to_item(), ABSENT), Put(listed.to_item(), ABSENT)]


def _ending(key: ApiKey, at: int) -> Put:
    ended = replace(key, version=key.version + 1, valid_until=at)
    return Put(ended.to_item(), version(key.version))
