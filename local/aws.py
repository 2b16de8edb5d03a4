"""botocore clients that never leave the machine unless they are told an endpoint."""

from __future__ import annotations

import functools
import json
from collections.abc import Mapping
from typing import Any

import botocore.session
from botocore.awsrequest import AWSRequest, AWSResponse
from botocore.compat import HTTPHeaders
from botocore.config import Config

from local.names import REGION


@functools.cache
def _session() -> botocore.session.Session:
    return botocore.session.Session()


def client(
    service: str,
    endpoint_url: str | None = None,
    access_key: str = "local",
    total_attempts: int = 5,
) -> Any:
    """A client with made-up credentials; it asks neither the environment nor the machine."""
    config = Config(
        connect_timeout=1,
        read_timeout=10,
        retries={"mode": "standard", "total_max_attempts": total_attempts},
        max_pool_connections=64,
        account_id_endpoint_mode="disabled",
    )
    # Given even where it is the usual one: AWS_ENDPOINT_URL of the environment must not count.
    usual = f"https://{service}.{REGION}.amazonaws.com"
    return _session().create_client(
        service,
        region_name=REGION,
        endpoint_url=endpoint_url or usual,
        config=config,
        aws_access_key_id=access_key,
        aws_secret_access_key="local",
    )


class _Raw:
    """What botocore reads an answer's body from."""

    def __init__(self, content: bytes) -> None:
        self._content = content

    def stream(self, **_: Any) -> Any:
        yield self._content


def answered(request: AWSRequest, status: int, body: Mapping[str, Any]) -> AWSResponse:
    """An answer in JSON, for a handler of botocore's `before-send`."""
    headers = HTTPHeaders.from_dict({"Content-Type": "application/x-amz-json-1.0"})
    raw: Any = _Raw(json.dumps(body).encode())
    return AWSResponse(request.url or "", status, headers, raw)
