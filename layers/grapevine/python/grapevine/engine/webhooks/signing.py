"""The headers by which a receiver knows that an event came from this account, in two schemes.

`GrowSurf-Signature: ts=<ms>,v=<hex>` is what GrowSurf's own verifiers read: HMAC-SHA256 over
`<ts>.<body>`, keyed with the secret's text (growsurf E.7). They read it by position and know one
signature only, so the newest secret makes it.

`webhook-id`, `webhook-timestamp` and `webhook-signature` are Standard Webhooks: HMAC-SHA256 over
`<id>.<seconds>.<body>`, and one signature per secret, so that old and new secrets both verify
while a secret is being rotated.
"""

from __future__ import annotations

import base64
import binascii
import hashlib
import hmac
import re
from collections.abc import Sequence

_BASE64_SECRET = re.compile(r"whsec_([A-Za-z0-9+/]+)={0,2}", re.ASCII)


def headers(message_id: str, now_ms: int, body: bytes, secrets: Sequence[str]) -> dict[str, str]:
    """The headers of one attempt; `secrets` are those in force, the newest first.

    The id stays the same over all attempts and has no full stop in it; the time is that of the
    attempt, since receivers refuse what was signed long ago. Without a secret nothing is signed.
    """
    timestamp = now_ms // 1000
    identity = {"webhook-id": message_id, "webhook-timestamp": str(timestamp)}
    if not secrets:
        return identity
    signatures = [_standard_signature(message_id, timestamp, body, secret) for secret in secrets]
    return {
        **identity,
        "webhook-signature": " ".join(signatures),
        "GrowSurf-Signature": _growsurf_signature(now_ms, body, secrets[0]),
    }


def standard_key(secret: str) -> bytes:
    """The key that a secret stands for in the Standard Webhooks scheme.

    `whsec_` followed by base64, padded or not, is the key in the form that their libraries take.
    Any other text is free text and its UTF-8 bytes are the key: a receiver gives its library the
    base64 of the text.
    """
    form = _BASE64_SECRET.fullmatch(secret)
    if form:
        try:
            return base64.b64decode(form[1] + "==")
        except binascii.Error:
            pass
    return _text_key(secret)


def _text_key(secret: str) -> bytes:
    return secret.encode("utf-8", "surrogatepass")


def _growsurf_signature(now_ms: int, body: bytes, secret: str) -> str:
    return f"ts={now_ms},v={_hmac(_text_key(secret), f'{now_ms}.', body).hex()}"


def _standard_signature(message_id: str, timestamp: int, body: bytes, secret: str) -> str:
    signature = _hmac(standard_key(secret), f"{message_id}.{timestamp}.", body)
    return f"v1,{base64.b64encode(signature).decode()}"


def _hmac(key: bytes, prefix: str, body: bytes) -> bytes:
    return hmac.digest(key, prefix.encode() + body, hashlib.sha256)
