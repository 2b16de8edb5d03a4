"""Webhook secrets, encrypted at rest with a KMS key and bound to their campaign and webhook."""

from __future__ import annotations

import base64

from grapevine import runtime
from grapevine.table.webhooks import Webhook


def encrypt(campaign_id: str, webhook_id: str, secret: str) -> str:
    """The encrypted secret as text. A copy of it under another webhook decrypts to nothing."""
    answer = runtime.kms().encrypt(
        KeyId=runtime.settings().webhook_key_id,
        Plaintext=secret.encode(),
        EncryptionContext=_context(campaign_id, webhook_id),
    )
    return base64.b64encode(answer["CiphertextBlob"]).decode()


def in_force(webhook: Webhook) -> list[str]:
    """The secrets that sign now, the newest first; none when the webhook has none."""
    encrypted = [webhook.secret]
    if (webhook.previous_secret_until or 0) > runtime.now_ms():
        encrypted.append(webhook.previous_secret)
    return [_decrypted(webhook, one) for one in encrypted if one is not None]


def _decrypted(webhook: Webhook, encrypted: str) -> str:
    """Remembered in the container: KMS is called once per secret, not once per delivery."""
    cache = runtime.current().cache
    name = f"secret:{encrypted}"
    if name not in cache:
        answer = runtime.kms().decrypt(
            KeyId=runtime.settings().webhook_key_id,
            CiphertextBlob=base64.b64decode(encrypted),
            EncryptionContext=_context(webhook.campaign_id, webhook.webhook_id),
        )
        cache[name] = answer["Plaintext"].decode()
    secret: str = cache[name]
    return secret


def _context(campaign_id: str, webhook_id: str) -> dict[str, str]:
    return {"campaign": campaign_id, "webhook": webhook_id}
