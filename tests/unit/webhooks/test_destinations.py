from __future__ import annotations

from collections.abc import Sequence
from ipaddress import ip_address

import pytest
from hypothesis import given
from hypothesis import strategies as st

from grapevine.engine.webhooks import destinations
from grapevine.engine.webhooks.destinations import RefusedDestination, UnresolvedHost

PUBLIC = "93.184.216.34"
PUBLIC_IPV6 = "2606:2800:220:1:248:1893:25c8:1946"
NOT_PUBLIC = {
    "unspecified": "0.0.0.0",  # noqa: S104 - an address to refuse
    "this network": "0.1.2.3",
    "loopback": "127.0.0.1",
    "another loopback": "127.255.255.254",
    "private ten": "10.0.0.1",
    "private 172": "172.31.255.255",
    "private 192": "192.168.1.1",
    "link-local": "169.254.1.1",
    "metadata": "169.254.169.254",
    "container credentials": "169.254.170.2",
    "CGNAT first": "100.64.0.0",
    "CGNAT last": "100.127.255.255",
    "protocol assignments": "192.0.0.192",
    "documentation 1": "192.0.2.1",
    "documentation 2": "198.51.100.1",
    "documentation 3": "203.0.113.1",
    "6to4 relay": "192.88.99.1",
    "benchmarks": "198.19.255.255",
    "multicast": "224.0.0.1",
    "reserved": "240.0.0.1",
    "broadcast": "255.255.255.255",
    "IPv6 unspecified": "::",
    "IPv6 loopback": "::1",
    "IPv6 mapped private": "::ffff:10.0.0.1",
    "IPv6 mapped public": f"::ffff:{PUBLIC}",
    "IPv6 compatible": "::127.0.0.1",
    "IPv6 translated": "::ffff:0:127.0.0.1",
    "NAT64 metadata": "64:ff9b::a9fe:a9fe",
    "NAT64 public": "64:ff9b::5db8:d822",
    "NAT64 local": "64:ff9b:1::1",
    "discard": "100::1",
    "Teredo": "2001:0:4136:e378:8000:63bf:3fff:fdd2",
    "ORCHID": "2001:20::1",
    "IPv6 documentation": "2001:db8::1",
    "IPv6 documentation, new": "3fff::1",
    "6to4 private": "2002:a00:1::1",
    "segment routing": "5f00::1",
    "unique local": "fd12:3456::1",
    "metadata over IPv6": "fd00:ec2::254",
    "IPv6 link-local": "fe80::1",
    "IPv6 link-local with a zone": "fe80::1%eth0",
    "IPv6 site-local": "fec0::1",
    "IPv6 multicast": "ff02::1",
}


def resolving(*addresses: str) -> destinations.Resolve:
    def resolve(_host: str, _port: int) -> Sequence[str]:
        return addresses

    return resolve


def unused(_host: str, _port: int) -> Sequence[str]:
    raise AssertionError("an address needs no resolution")


@pytest.mark.parametrize("address", NOT_PUBLIC.values(), ids=NOT_PUBLIC)
def test_a_name_with_an_address_that_is_not_public_is_refused(address: str) -> None:
    destination = destinations.parse("https://hooks.example.com/in")

    with pytest.raises(RefusedDestination) as refused:
        destinations.checked_addresses(destination, resolving(address))

    assert address not in str(refused.value)


@pytest.mark.parametrize("address", NOT_PUBLIC.values(), ids=NOT_PUBLIC)
def test_an_address_that_is_not_public_is_refused_as_a_host(address: str) -> None:
    host = f"[{address}]" if ":" in address else address

    with pytest.raises(RefusedDestination):
        destinations.parse(f"https://{host}/in")


@pytest.mark.parametrize("order", [(PUBLIC, "10.0.0.1"), ("10.0.0.1", PUBLIC), (PUBLIC, "::1")])
def test_one_private_answer_refuses_the_whole_name(order: tuple[str, ...]) -> None:
    destination = destinations.parse("https://hooks.example.com")

    with pytest.raises(RefusedDestination):
        destinations.checked_addresses(destination, resolving(*order))


def test_public_addresses_are_given_once_each_in_their_order() -> None:
    destination = destinations.parse("https://hooks.example.com")

    addresses = destinations.checked_addresses(
        destination, resolving(PUBLIC_IPV6, PUBLIC, PUBLIC, "8.8.8.8")
    )

    assert addresses == (PUBLIC_IPV6, PUBLIC, "8.8.8.8")


@pytest.mark.parametrize("address", [PUBLIC, PUBLIC_IPV6])
def test_a_public_address_as_a_host_needs_no_resolution(address: str) -> None:
    host = f"[{address}]" if ":" in address else address
    destination = destinations.parse(f"https://{host}:8443/in")

    addresses = destinations.checked_addresses(destination, unused)

    assert addresses == (address,)
    assert destination.authority == f"{host}:8443"


def test_a_name_without_addresses_is_no_matter_of_policy() -> None:
    destination = destinations.parse("https://hooks.example.com")

    with pytest.raises(UnresolvedHost):
        destinations.checked_addresses(destination, resolving())


@pytest.mark.parametrize(
    "host",
    [
        "2130706433",
        "0x7f000001",
        "0X7F.0.0.1",
        "017700000001",
        "0177.0.0.1",
        "0x7f.1",
        "127.1",
        "127.0.1",
        "10.1",
        "0",
        "256.1.1.1",
        "1.2.3.4.5",
        "93.184.216.034",
        "127.0.0.1.",
        "127.0.0.1。",
        "①②⑦.0.0.1",
        "evil.0x1",
    ],
)
def test_an_address_in_another_form_is_refused(host: str) -> None:
    with pytest.raises(RefusedDestination):
        destinations.parse(f"https://{host}/")


@pytest.mark.parametrize(
    "url",
    [
        "",
        "hooks.example.com",
        "//hooks.example.com",
        "http://hooks.example.com",
        "ftp://hooks.example.com",
        "file:///etc/passwd",
        "gopher://hooks.example.com",
        "https://",
        "https:///path",
        "https://:443",
        "https://user@hooks.example.com",
        "https://user:password@hooks.example.com",
        "https://@hooks.example.com",
        "https://hooks.example.com:0",
        "https://hooks.example.com:22",
        "https://hooks.example.com:80",
        "https://hooks.example.com:1023",
        "https://hooks.example.com:65536",
        "https://hooks.example.com:x",
        "https://hooks.example.com:",
        "https://hooks.example.com:٤٤٣",
        "https://[::1",
        "https://[::1]evil.com",
        "https://[hooks.example.com]",
        "https://[fe80::1%25eth0]/",
        "https://hooks..example.com",
        "https://.example.com",
        "https://hooks.example.com..",
        "https://-hooks.example.com",
        f"https://{'a' * 64}.example.com",
        f"https://{'a.' * 127}example.com",
        "https://hooks_%41.example.com",
        "https://hooks.example.com\\@10.0.0.1",
        "https://hooks.example.com /",
        "https://hooks.example.com/a b",
        "https://hooks.example.com/\r\nHost: evil",
        "https://hooks.example.com/\x00",
        "\thttps://hooks.example.com",
        "https://localhost",
        "https://localhost:8443/",
        "https://metadata/",
        f"https://hooks.example.com/{'a' * 2048}",
    ],
)
def test_a_url_that_breaks_a_rule_is_refused(url: str) -> None:
    with pytest.raises(RefusedDestination):
        destinations.parse(url)


@pytest.mark.parametrize(
    ("url", "authority", "target"),
    [
        ("https://hooks.example.com", "hooks.example.com", "/"),
        ("HTTPS://Hooks.Example.COM/", "hooks.example.com", "/"),
        ("https://hooks.example.com.:443/a", "hooks.example.com", "/a"),
        ("https://hooks.example.com:8443/a?c=d&e=%20#f", "hooks.example.com:8443", "/a?c=d&e=%20"),
        ("https://hooks.example.com?x", "hooks.example.com", "/?x"),
        ("https://my_hooks.example.com/", "my_hooks.example.com", "/"),
        ("https://háček.example.cz/č", "xn--hek-ela4t.example.cz", "/%C4%8D"),
        ('https://hooks.example.com/"<{', "hooks.example.com", "/%22%3C%7B"),
    ],
)  # fmt: skip
def test_a_url_is_read(url: str, authority: str, target: str) -> None:
    destination = destinations.parse(url)

    assert (destination.authority, destination.target) == (authority, target)
    assert destination.scheme == "https"


def test_a_named_local_host_may_speak_http_on_any_port() -> None:
    destination = destinations.parse("http://localhost:81/in", {"localhost"})

    addresses = destinations.checked_addresses(destination, resolving("::1", "127.0.0.1"))

    assert addresses == ("::1", "127.0.0.1")
    assert destination.authority == "localhost:81"


@pytest.mark.parametrize("address", ["10.0.0.1", "169.254.169.254", PUBLIC])
def test_a_named_local_host_reaches_nothing_but_this_machine(address: str) -> None:
    destination = destinations.parse("http://localhost:81/in", {"localhost"})

    with pytest.raises(RefusedDestination):
        destinations.checked_addresses(destination, resolving(address))


@pytest.mark.parametrize("url", ["http://hooks.example.com", "https://127.0.0.1", "http://a:0"])
def test_the_other_hosts_stay_as_they_are_beside_a_local_one(url: str) -> None:
    with pytest.raises(RefusedDestination):
        destinations.parse(url, {"localhost", "a"})


@given(address=st.ip_addresses())
def test_what_the_standard_library_knows_as_special_is_never_public(address: object) -> None:
    known = ip_address(str(address))

    if not known.is_global or known.is_multicast or known.is_reserved:
        assert not destinations.is_public(known)


@given(text=st.text() | st.text().map("https://{}".format))
def test_any_text_is_read_or_refused(text: str) -> None:
    try:
        destination = destinations.parse(text)
    except RefusedDestination:
        return

    assert f"{destination.authority}{destination.target}".isascii()
