"""Receivers on this machine that behave well, badly or not at all, and their certificates."""

from __future__ import annotations

import datetime
import socket
import ssl
import threading
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager, suppress
from dataclasses import dataclass, field
from pathlib import Path

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID

HOST = "hooks.example.test"
KEY_USAGE = x509.KeyUsage(
    digital_signature=True,
    key_cert_sign=True,
    crl_sign=True,
    content_commitment=False,
    key_encipherment=False,
    data_encipherment=False,
    key_agreement=False,
    encipher_only=False,
    decipher_only=False,
)


@dataclass(frozen=True, slots=True)
class Request:
    """What arrived, the header names in lower case."""

    line: str
    headers: dict[str, str]
    body: bytes


@dataclass(slots=True)
class Receiver:
    """`closing` is set when the test ends: whoever hangs waits for it. `names` holds the names
    that TLS clients asked for."""

    port: int
    requests: list[Request] = field(default_factory=list)
    names: list[str | None] = field(default_factory=list)
    connections: int = 0
    closing: threading.Event = field(default_factory=threading.Event)


Behaviour = Callable[[socket.socket, Receiver], None]
"""What a receiver does with a connection."""
Receive = Callable[..., Receiver]


def read_request(peer: socket.socket) -> Request:
    data = b""
    while b"\r\n\r\n" not in data:
        data += peer.recv(65536)
    head, _, body = data.partition(b"\r\n\r\n")
    line, *lines = head.decode("ascii").split("\r\n")
    headers = {name.lower(): value for name, value in (each.split(": ", 1) for each in lines)}
    while len(body) < int(headers["content-length"]):
        body += peer.recv(65536)
    return Request(line, headers, body)


def answering(answer: bytes) -> Behaviour:
    """Reads the request, sends these bytes and closes."""

    def behave(peer: socket.socket, receiver: Receiver) -> None:
        receiver.requests.append(read_request(peer))
        peer.sendall(answer)

    return behave


def status(line: str, *headers: str) -> Behaviour:
    """Answers with a status line, headers and an empty body."""
    return answering(
        "\r\n".join([f"HTTP/1.1 {line}", *headers, "Content-Length: 0", "", ""]).encode()
    )


@contextmanager
def serving(behave: Behaviour, tls: ssl.SSLContext | None = None) -> Iterator[Receiver]:
    listener = socket.create_server(("127.0.0.1", 0))
    # A small buffer shows soon that nobody reads on.
    listener.setsockopt(socket.SOL_SOCKET, socket.SO_SNDBUF, 65536)
    receiver = Receiver(port=listener.getsockname()[1])
    threads: list[threading.Thread] = []

    def serve(peer: socket.socket) -> None:
        with ExitStack() as open_sockets, suppress(OSError):
            open_sockets.enter_context(peer)
            if tls:
                peer = open_sockets.enter_context(tls.wrap_socket(peer, server_side=True))
            peer.settimeout(5)
            behave(peer, receiver)

    def accept() -> None:
        with suppress(OSError):
            while True:
                peer, _ = listener.accept()
                receiver.connections += 1
                threads.append(threading.Thread(target=serve, args=(peer,)))
                threads[-1].start()

    if tls:
        tls.sni_callback = lambda _peer, name, _context: receiver.names.append(name)
    acceptor = threading.Thread(target=accept)
    acceptor.start()
    try:
        yield receiver
    finally:
        receiver.closing.set()
        listener.shutdown(socket.SHUT_RDWR)
        listener.close()
        for thread in (acceptor, *threads):
            thread.join()


@pytest.fixture
def receive() -> Iterator[Receive]:
    """Starts receivers that end with the test: `receive(behaviour, tls=None)`."""
    with ExitStack() as started:
        yield lambda behave, tls=None: started.enter_context(serving(behave, tls))


@dataclass(frozen=True, slots=True)
class Certificate:
    """A self-signed certificate for HOST: `trusted` is how a client trusts it."""

    path: Path

    def server(self) -> ssl.SSLContext:
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.load_cert_chain(self.path)
        return context

    def trusted(self) -> ssl.SSLContext:
        return ssl.create_default_context(cafile=str(self.path))


def make_certificate(folder: Path) -> Certificate:
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, HOST)])
    now = datetime.datetime.now(datetime.UTC)
    signed = (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - datetime.timedelta(days=1))
        .not_valid_after(now + datetime.timedelta(days=1))
        .add_extension(x509.SubjectAlternativeName([x509.DNSName(HOST)]), critical=False)
        .add_extension(x509.BasicConstraints(ca=True, path_length=0), critical=True)
        .add_extension(x509.SubjectKeyIdentifier.from_public_key(key.public_key()), critical=False)
        .add_extension(KEY_USAGE, critical=True)
        .sign(key, hashes.SHA256())
    )
    path = folder / "certificate.pem"
    path.write_bytes(
        key.private_bytes(
            serialization.Encoding.PEM,
            serialization.PrivateFormat.PKCS8,
            serialization.NoEncryption(),
        )
        + signed.public_bytes(serialization.Encoding.PEM)
    )
    return Certificate(path)


@pytest.fixture(scope="session")
def certificate(tmp_path_factory: pytest.TempPathFactory) -> Certificate:
    return make_certificate(tmp_path_factory.mktemp("tls"))
