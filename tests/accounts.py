"""Further accounts and keys for tests, made as `grapevine account create` makes them."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from contextlib import contextmanager

from grapevine import ids, runtime
from grapevine.engine import accounts
from grapevine.engine.accounts import NewKey
from grapevine.table import keys, store
from grapevine.table.accounts import ApiKey, Environment
from local.stack import Stack
from tests.api import Api


def new_key(stack: Stack, account_id: str, scopes: Iterable[str] = accounts.ALL_SCOPES) -> NewKey:
    with runtime.using(stack.runtime()):
        return accounts.create_key(account_id, name="Test", scopes=scopes)


def new_public_key(stack: Stack, account_id: str) -> NewKey:
    with runtime.using(stack.runtime()):
        return accounts.create_key(account_id, name="App", is_public=True)


def new_account(stack: Stack, environment: Environment = "live") -> str:
    with runtime.using(stack.runtime()):
        return accounts.create_account("Somebody", environment).account_id


def revoke(stack: Stack, account_id: str, key: NewKey) -> None:
    with runtime.using(stack.runtime()):
        accounts.revoke_key(account_id, key.key_id)


def rotate(stack: Stack, account_id: str, key: NewKey, grace_ms: int) -> NewKey:
    with runtime.using(stack.runtime()):
        return accounts.rotate_key(account_id, key.key_id, grace_ms=grace_ms)


def allow_sender(stack: Stack, account_id: str, identity: str) -> None:
    with runtime.using(stack.runtime()):
        accounts.allow_sender(account_id, identity)


def disallow_sender(stack: Stack, account_id: str, identity: str) -> None:
    with runtime.using(stack.runtime()):
        accounts.disallow_sender(account_id, identity)


@contextmanager
def another_account(stack: Stack) -> Iterator[Api]:
    """A client with the full-access key of an account of its own."""
    key = new_key(stack, new_account(stack))
    with Api(stack.url, key.secret) as client:
        yield client


def account_of(stack: Stack, client: Api) -> str:
    """The account whose key the client has."""
    secret = client.http.headers["authorization"].removeprefix("Bearer ")
    with runtime.using(stack.runtime()):
        item = store.get(keys.api_key(ids.hash_of_key(secret)))
    assert item is not None
    return ApiKey.from_item(item).account_id
