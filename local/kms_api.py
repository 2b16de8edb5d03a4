"""The two calls of KMS that handlers make, with a key that lives as long as the stack."""

from __future__ import annotations

import base64
import functools
import json
import os
from collections.abc import Mapping
from typing import Any

from botocore.awsrequest import AWSRequest, AWSResponse
from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM

from local import aws

_NONCE_BYTES = 12


def client() -> Any:
    """A client whose secrets nobody else can read; other operations are refused."""
    made = aws.client("kms")
    cipher = AESGCM(AESGCM.generate_key(bit_length=256))
    made.meta.events.register("before-send.kms", functools.partial(_answer, cipher))
    return made


def _answer(cipher: AESGCM, request: AWSRequest, **_: Any) -> AWSResponse:
    target = request.headers["X-Amz-Target"]
    operation = (target.decode() if isinstance(target, bytes) else target).split(".")[-1]
    sent: Mapping[str, Any] = json.loads(request.body)
    context = json.dumps(sent.get("EncryptionContext", {}), sort_keys=True).encode()
    if operation == "Encrypt":
        nonce = os.urandom(_NONCE_BYTES)
        sealed = nonce + cipher.encrypt(nonce, base64.b64decode(sent["Plaintext"]), context)
        return aws.answered(request, 200, {"CiphertextBlob": base64.b64encode(sealed).decode()})
    if operation == "Decrypt":
        sealed = base64.b64decode(sent["CiphertextBlob"])
        try:
            plain = cipher.decrypt(sealed[:_NONCE_BYTES], sealed[_NONCE_BYTES:], context)
        except InvalidTag:
            return aws.answered(request, 400, {"__type": "InvalidCiphertextException"})
        return aws.answered(request, 200, {"Plaintext": base64.b64encode(plain).decode()})
    return aws.answered(request, 400, {"__type": "UnsupportedOperationException"})
