"""An HTTP/1.1 server that passes requests on exactly as they were sent."""

from __future__ import annotations

import contextlib
import email.message
import logging
import re
import threading
from collections.abc import Callable
from http import HTTPStatus
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

from local.http_messages import Request, Response

Answer = Callable[[Request], Response]

logger = logging.getLogger(__name__)

LARGEST_BODY = 10 * 1024 * 1024
"""API Gateway's limit of a request body, in bytes."""

# What is still read of a body that is too large, so that the client gets to read the answer.
_PATIENCE = 4 * LARGEST_BODY
_IDLE_S = 120
_HEXADECIMAL = re.compile(rb"[0-9A-Fa-f]{1,16}")
# The server's own business, whatever a function's answer says.
_FRAMING = {"connection", "content-length", "date", "transfer-encoding"}
_NO_BODY = {HTTPStatus.NO_CONTENT, HTTPStatus.NOT_MODIFIED}


class _BadRequest(Exception):
    """The request breaks HTTP's framing; the connection cannot be used again."""


class _TooLarge(Exception):
    """The body is over the limit. All of it has been read if it was not absurdly long."""


class HttpServer(ThreadingHTTPServer):
    """Serves on the loopback address; port 0 picks a free one."""

    daemon_threads = True
    request_queue_size = 256
    block_on_close = False

    def __init__(self, port: int, answer: Answer) -> None:
        self.answer = answer
        super().__init__(("127.0.0.1", port), _Handler)

    @property
    def port(self) -> int:
        return int(self.server_address[1])

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}"

    def start(self) -> None:
        self._thread = threading.Thread(
            target=self.serve_forever, kwargs={"poll_interval": 0.05}, daemon=True
        )
        self._thread.start()

    def stop(self) -> None:
        self.shutdown()
        self.server_close()

    def handle_error(self, request: Any, client_address: Any) -> None:
        """A client that hangs up is nobody's error."""


class _Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    server_version = "grapevine"
    sys_version = ""
    timeout = _IDLE_S
    # Answers are written in one piece; without this the kernel would hold back their end.
    disable_nagle_algorithm = True
    server: HttpServer

    def parse_request(self) -> bool:
        """Any method is fine: what is unknown is the default route's business."""
        if not super().parse_request():
            return False
        method = self.command
        setattr(self, f"do_{method}", self._serve)
        return True

    def log_message(self, format: str, *args: Any) -> None:  # noqa: A002 - the base class names it
        """Functions log their requests themselves."""

    def send_error(
        self, code: int, _message: str | None = None, _explain: str | None = None
    ) -> None:
        """What the base class finds wrong in the request's first lines."""
        self.close_connection = True
        self._send(Response.json(code, {"message": HTTPStatus(code).phrase}))

    def _serve(self) -> None:
        try:
            response = self.server.answer(self._request())
        except _BadRequest:
            self.close_connection = True
            response = Response.json(400, {"message": "Bad Request"})
        except _TooLarge:
            self.close_connection = True
            response = Response.json(413, {"message": "Request Entity Too Large"})
        except Exception:
            logger.exception("the stack itself failed at %s", self.requestline)
            response = Response.json(500, {"message": "the local stack failed; see its log"})
        self._send(response)

    def _request(self) -> Request:
        # The base class tidies up `self.path`; API Gateway does not.
        target = self.requestline.split()[1]
        if not target.startswith("/"):
            # The absolute form, as for a proxy.
            _, _, rest = target.partition("://")
            target = "/" + rest.partition("/")[2]
        path, _, query = target.partition("?")
        return Request(
            method=self.command,
            path=path,
            query=query,
            headers=tuple(_text_headers(self.headers)),
            body=self._body(),
            source_ip=self.client_address[0],
            protocol=self.request_version,
        )

    def _body(self) -> bytes:
        encodings = self.headers.get_all("Transfer-Encoding", [])
        lengths = set(self.headers.get_all("Content-Length", []))
        if encodings:
            if lengths or [each.strip().lower() for each in encodings] != ["chunked"]:
                raise _BadRequest
            return self._chunked_body()
        if not lengths:
            return b""
        length = lengths.pop()
        if lengths or not (length.isascii() and length.isdigit()):
            raise _BadRequest
        return self._read(int(length))

    def _read(self, length: int) -> bytes:
        if length > LARGEST_BODY:
            self._discard(length)
            raise _TooLarge
        body = self.rfile.read(length)
        if len(body) < length:
            raise _BadRequest
        return body

    def _discard(self, length: int) -> None:
        left = min(length, _PATIENCE)
        while left > 0:
            got = len(self.rfile.read(min(left, 65_536)))
            if not got:
                return
            left -= got

    def _chunked_body(self) -> bytes:
        body = bytearray()
        total = 0
        while size := self._chunk_size():
            total += size
            if total > _PATIENCE:
                raise _TooLarge
            chunk = self.rfile.read(size)
            if len(chunk) < size or self.rfile.readline(3) not in (b"\r\n", b"\n"):
                raise _BadRequest
            if total <= LARGEST_BODY:
                body += chunk
        while self.rfile.readline(65_537) not in (b"\r\n", b"\n", b""):
            pass
        if total > LARGEST_BODY:
            raise _TooLarge
        return bytes(body)

    def _chunk_size(self) -> int:
        line = self.rfile.readline(1_026)
        digits = line.partition(b";")[0].strip()
        if not _HEXADECIMAL.fullmatch(digits):
            raise _BadRequest
        return int(digits, 16)

    def _send(self, response: Response) -> None:
        status = response.status
        phrase = self.responses.get(HTTPStatus(status), ("",))[0] if _is_known(status) else ""
        lines = [f"HTTP/1.1 {status} {phrase}", f"Date: {self.date_time_string()}"]
        lines += [
            f"{name}: {_one_line(value)}"
            for name, value in response.headers
            if name.lower() not in _FRAMING
        ]
        if status not in _NO_BODY:
            lines.append(f"Content-Length: {len(response.body)}")
        lines.append(f"Connection: {'close' if self.close_connection else 'keep-alive'}")
        has_body = getattr(self, "command", None) != "HEAD" and status not in _NO_BODY
        head = "\r\n".join([*lines, "", ""]).encode("latin-1", errors="replace")
        with contextlib.suppress(ConnectionError, TimeoutError):
            self.wfile.write(head + (response.body if has_body else b""))


def _is_known(status: int) -> bool:
    return status in set(HTTPStatus)


def _one_line(value: str) -> str:
    return value.replace("\r", " ").replace("\n", " ")


def _text_headers(headers: email.message.Message) -> list[tuple[str, str]]:
    """The server reads headers as Latin-1; most clients that send more mean UTF-8."""
    return [(name, _utf8(str(value))) for name, value in headers.items()]


def _utf8(value: str) -> str:
    try:
        return value.encode("latin-1").decode()
    except UnicodeError:
        return value
