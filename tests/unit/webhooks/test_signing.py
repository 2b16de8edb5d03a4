from __future__ import annotations

import base64
import time

import pytest
from standardwebhooks import Webhook, WebhookVerificationError

from grapevine.engine.webhooks import payload, signing
from tests.unit.webhooks.conftest import NodeReceiver
from tests.unit.webhooks.events import AWKWARD

MESSAGE = "evt_2f8c1d"
SECRETS = {
    "free text": "correct horse battery staple",
    "non-ASCII": "tajné heslo 🔑",
    "Standard Webhooks": "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw",
    "unpadded": "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaS",
    "only looks like it": "whsec_not base64!",
    "prefix alone": "whsec_",
    "impossible length": "whsec_AAAAA",
}


def library_secret(secret: str) -> str:
    """What a receiver gives its library, as the docs tell it to."""
    if signing.standard_key(secret) == secret.encode():
        return base64.b64encode(secret.encode()).decode()
    return secret


def now_ms() -> int:
    return time.time_ns() // 1_000_000


@pytest.mark.parametrize("secret", SECRETS.values(), ids=SECRETS)
@pytest.mark.parametrize("name", AWKWARD)
def test_both_signatures_verify(node: NodeReceiver, name: str, secret: str) -> None:
    body = payload.to_bytes(AWKWARD[name])

    headers = signing.headers(MESSAGE, now_ms(), body, [secret])

    Webhook(library_secret(secret)).verify(body, headers)
    assert node.verifies(headers["GrowSurf-Signature"], secret, body)


def test_a_changed_body_verifies_in_neither_scheme(node: NodeReceiver) -> None:
    secret = SECRETS["free text"]
    headers = signing.headers(MESSAGE, now_ms(), b'{"a":1}', [secret])

    assert not node.verifies(headers["GrowSurf-Signature"], secret, b'{"a":2}')
    with pytest.raises(WebhookVerificationError):
        Webhook(library_secret(secret)).verify(b'{"a":2}', headers)


def test_old_and_new_secret_verify_while_a_secret_is_rotated(node: NodeReceiver) -> None:
    new, old = SECRETS["free text"], SECRETS["Standard Webhooks"]

    headers = signing.headers(MESSAGE, now_ms(), b"{}", [new, old])

    for secret in (new, old):
        Webhook(library_secret(secret)).verify(b"{}", headers)
    assert len(headers["webhook-signature"].split(" ")) == 2
    assert node.verifies(headers["GrowSurf-Signature"], new, b"{}")


def test_the_headers_are_those_of_the_two_schemes() -> None:
    headers = signing.headers("evt_1", 1_700_000_000_123, b'{"a":1}', ["secret"])

    assert headers == {
        "webhook-id": "evt_1",
        "webhook-timestamp": "1700000000",
        "webhook-signature": "v1,YrKHdjs/ZmkKdPXXFLsyEwjK1O/KdKJA+gpL5VtDUsY=",
        "GrowSurf-Signature": "ts=1700000000123,"
        "v=d24a79557be8aaedc4e968ebe232194743ae3aeb70cde075bc72312c90fe2fb4",
    }


def test_each_attempt_has_the_same_id_and_its_own_time() -> None:
    first = signing.headers(MESSAGE, 1_700_000_000_000, b"{}", ["secret"])
    second = signing.headers(MESSAGE, 1_700_000_005_000, b"{}", ["secret"])

    assert first["webhook-id"] == second["webhook-id"]
    assert first["webhook-timestamp"] != second["webhook-timestamp"]
    assert first["GrowSurf-Signature"] != second["GrowSurf-Signature"]


def test_without_a_secret_nothing_is_signed() -> None:
    headers = signing.headers(MESSAGE, 1_700_000_000_000, b"{}", [])

    assert headers == {"webhook-id": MESSAGE, "webhook-timestamp": "1700000000"}


@pytest.mark.parametrize(
    ("secret", "key"),
    [
        ("whsec_c2VjcmV0", b"secret"),
        ("whsec_c2VjcmV0cw==", b"secrets"),
        ("whsec_c2VjcmV0cw", b"secrets"),
        ("whsec_c2VjcmV0-_", b"whsec_c2VjcmV0-_"),
        ("whsec_", b"whsec_"),
        ("whsec_A", b"whsec_A"),
        ("c2VjcmV0", b"c2VjcmV0"),
        ("heslo š", "heslo š".encode()),
    ],
)
def test_a_secret_stands_for_a_key(secret: str, key: bytes) -> None:
    assert signing.standard_key(secret) == key
