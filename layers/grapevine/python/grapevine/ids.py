"""New ids and secrets, from the operating system's randomness (safe after a SnapStart restore)."""

from __future__ import annotations

import hashlib
import secrets
from typing import Literal

_ALPHABET = "0123456789abcdefghijklmnopqrstuvwxyz"


def _word(length: int) -> str:
    return "".join(secrets.choice(_ALPHABET) for _ in range(length))


def campaign_id() -> str:
    return _word(6)


def participant_id() -> str:
    """Six characters, as the API's clients expect; the caller retries when it is taken."""
    return _word(6)


def account_id() -> str:
    return f"acct_{_word(12)}"


def key_id() -> str:
    return f"key_{_word(12)}"


def reward_id() -> str:
    return f"crew_{_word(8)}"


def save_id() -> str:
    """Of a try to save mechanics: 62 bits, so that no two ever meet."""
    return _word(12)


def api_key(environment: Literal["live", "test"], *, is_public: bool) -> str:
    """A new API key: 190 bits, behind a prefix that says what it is, to people and to secret
    scanners: `sk_live_`, `sk_test_`, `pk_live_` or `pk_test_`."""
    kind = "pk" if is_public else "sk"
    return f"{kind}_{environment}_{secrets.token_urlsafe(24)}"


def hashing_secret() -> str:
    """What hashes of guessable things are keyed with: 256 bits."""
    return secrets.token_urlsafe(32)


def hash_of_key(secret: str) -> str:
    """What is stored of an API key: a plain SHA-256, since the key itself has full entropy."""
    return hashlib.sha256(secret.encode("utf-8", "surrogatepass")).hexdigest()
