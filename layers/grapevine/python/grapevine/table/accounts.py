"""Accounts, their API keys, and the addresses that they may send e-mail from.

A key is found by the hash of its secret (one read per request); a second, small item under the
account lists it by its id, for the operator who revokes or rotates it.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar, Literal

from grapevine.table import email_keys, keys, store
from grapevine.table.entity import Entity
from grapevine.table.keys import Key

Environment = Literal["live", "test"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Account(Entity):
    """`environment` says what its data is: the two share nothing, as no two accounts do."""

    TYPE: ClassVar[str] = "Account"

    account_id: str
    name: str
    created_at: int
    environment: Environment = "live"

    @property
    def key(self) -> Key:
        return keys.account(self.account_id)


@dataclass(frozen=True, slots=True, kw_only=True)
class ApiKey(Entity):
    """`valid_until` (ms) is set when the key has been revoked or rotated away. A public key may
    be in an app that anybody can take apart: it reports events, and that is all."""

    TYPE: ClassVar[str] = "ApiKey"

    key_hash: str
    key_id: str
    account_id: str
    name: str
    scopes: tuple[str, ...]
    created_at: int
    is_public: bool = False
    version: int = 0
    valid_until: int | None = None

    @property
    def key(self) -> Key:
        return keys.api_key(self.key_hash)

    def is_valid_at(self, time_ms: int) -> bool:
        return self.valid_until is None or time_ms < self.valid_until


@dataclass(frozen=True, slots=True, kw_only=True)
class AccountApiKey(Entity):
    TYPE: ClassVar[str] = "AccountApiKey"

    account_id: str
    key_id: str
    key_hash: str

    @property
    def key(self) -> Key:
        return keys.account_api_key(self.account_id, self.key_id)


@dataclass(frozen=True, slots=True, kw_only=True)
class SenderIdentity(Entity):
    """That the account's e-mails may come from `identity`: an address, or any address of a domain
    and of the domains below it."""

    TYPE: ClassVar[str] = "SenderIdentity"

    account_id: str
    identity: str

    @property
    def key(self) -> Key:
        return email_keys.sender_identity(self.account_id, self.identity)


def senders_of(account_id: str) -> list[str]:
    """The identities that the account may send from, in the order of the alphabet."""
    partition = keys.account(account_id).partition
    found = store.query(None, partition, prefix=email_keys.SENDER_PREFIX)
    return [SenderIdentity.from_item(item).identity for item in found]


def key_hashes_of(account_id: str) -> list[str]:
    """The hashes of all keys of the account, in no particular order."""
    listed = store.query(None, keys.account(account_id).partition, prefix=keys.API_KEY_PREFIX)
    return [AccountApiKey.from_item(item).key_hash for item in listed]
