"""What may be called, and how: addresses, pinning, TLS, one bounded request."""

from __future__ import annotations

import ssl
import time
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID

from apps.core.errors import InvalidInput
from apps.webhooks import sending
from apps.webhooks.sending import Forbidden, check_url, judge, post
from apps.webhooks.tests.receiver import dripping, listening

PRIVATE = [
    "127.0.0.1", "127.8.8.8", "10.0.0.5", "172.16.3.4", "192.168.1.1", "169.254.169.254", "100.64.0.1", "0.0.0.0",
    "224.0.0.1", "255.255.255.255", "::1", "::", "fe80::1", "fe80::1%eth0", "fd00::1", "::ffff:10.0.0.5",
    "64:ff9b::a00:5", "2002:a00:5::1", "2001:0:a00:5::1", "ff02::1", "198.18.0.1", "192.0.2.1",
]  # fmt: skip


@pytest.fixture
def as_in_production(settings: Any) -> None:
    settings.WEBHOOK_NETWORKS, settings.WEBHOOK_ALLOW_HTTP = [], False


@pytest.fixture(autouse=True)
def quick(settings: Any) -> None:
    settings.WEBHOOK_TIMEOUT = 0.6


@pytest.mark.parametrize("address", PRIVATE)
def test_addresses_that_are_not_public_are_refused(as_in_production: None, address: str) -> None:
    with pytest.raises(Forbidden):
        judge(address)


def test_public_addresses_and_listed_networks_are_not(as_in_production: None, settings: Any) -> None:
    for address in ("93.184.216.34", "2606:2800:220:1::1", "hospital.example"):
        judge(address)
    settings.WEBHOOK_NETWORKS = ["10.20.0.0/16"]
    judge("10.20.3.4")
    judge("::ffff:10.20.3.4")
    with pytest.raises(Forbidden):
        judge("10.21.3.4")


@pytest.mark.parametrize(
    ("url", "code"),
    [
        ("http://hospital.example/hook", "https_needed"),
        ("ftp://hospital.example/", "https_needed"),
        ("https:///hook", "https_needed"),
        ("https://" + "a" * 600 + ".example/", "https_needed"),
        ("https://hospital.example:99999/", "invalid_url"),
        ("https://user:secret@hospital.example/", "invalid_url"),
        ("https://hospital.example/#part", "invalid_url"),
        ("https://[::1", "invalid_url"),
        ("https://127.0.0.1/", "address_forbidden"),
        ("https://[::1]:8443/", "address_forbidden"),
        ("https://localhost/", "address_forbidden"),
        ("https://169.254.169.254/latest/meta-data/", "address_forbidden"),
    ],
)
def test_an_address_that_will_not_do_is_refused_with_its_field(
    as_in_production: None, url: str, code: str
) -> None:
    with pytest.raises(InvalidInput) as refused:
        check_url(url)
    assert (refused.value.field, refused.value.code) == ("url", code)


def test_a_good_address_is_kept(as_in_production: None) -> None:
    assert check_url(" https://hospital.example:8443/hook?x=1 ") == "https://hospital.example:8443/hook?x=1"


@pytest.mark.parametrize("host", ["localhost", "127.0.0.1", "[::1]", "127.1", "0x7f.1", "2130706433"])
def test_a_name_that_leads_inside_is_not_called(
    as_in_production: None, host: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """However it is spelled: judged is what the look-up answers, and nothing is connected to."""
    import socket

    monkeypatch.setattr(
        socket,
        "getaddrinfo",
        lambda *args, **kwargs: [(socket.AF_INET, socket.SOCK_STREAM, 6, "", ("127.0.0.1", 80))],
    )
    with listening() as receiver:
        answer = post(f"http://{host}:{receiver.port}/", b"{}", {})
    assert answer.status is None
    assert answer.error.startswith(("forbidden", "InvalidUrl"))
    assert not receiver.got


def test_the_connection_goes_to_the_address_that_was_judged(
    settings: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A name that answers differently the second time is asked only once."""
    import socket

    asked = []

    def look_up(host: Any, port: Any, *args: Any, **kwargs: Any) -> Any:
        asked.append(host)
        address = "127.0.0.1" if len(asked) == 1 else "10.0.0.5"
        return [(socket.AF_INET, socket.SOCK_STREAM, 6, "", (address, port))]

    monkeypatch.setattr(socket, "getaddrinfo", look_up)
    with listening() as receiver:
        answer = post(f"http://rebinding.example:{receiver.port}/", b"{}", {})
    assert answer.ok
    assert asked == ["rebinding.example"]
    assert receiver.got[0].headers["host"] == f"rebinding.example:{receiver.port}"


def test_a_head_that_drips_ends_with_the_time_for_all_of_it() -> None:
    with listening() as receiver:
        receiver.script["*"] = [dripping]
        started = time.monotonic()
        answer = post(receiver.url, b"{}", {})
    assert answer.error == "timeout"
    assert time.monotonic() - started < 2


def test_refused() -> None:
    assert "Cannot connect" in post("http://127.0.0.1:9/", b"{}", {}).error


# --- TLS --------------------------------------------------------------------------------------


def certificate(folder: Path, name: str) -> tuple[Path, Path]:
    """A certificate for `name` that signs itself."""
    key = ec.generate_private_key(ec.SECP256R1())
    subject = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, name)])
    now = datetime.now(UTC)
    made = (
        x509.CertificateBuilder().subject_name(subject).issuer_name(subject).public_key(key.public_key())
        .serial_number(1).not_valid_before(now - timedelta(days=1)).not_valid_after(now + timedelta(days=1))
        .add_extension(x509.SubjectAlternativeName([x509.DNSName(name)]), critical=False)
        .add_extension(x509.BasicConstraints(ca=True, path_length=None), critical=True)
        .sign(key, hashes.SHA256())
    )  # fmt: skip
    paths = folder / f"{name}.crt", folder / f"{name}.key"
    paths[0].write_bytes(made.public_bytes(serialization.Encoding.PEM))
    paths[1].write_bytes(
        key.private_bytes(
            serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
        )
    )
    return paths


@pytest.mark.parametrize(
    ("name", "trusted", "error"),
    [("localhost", True, ""), ("localhost", False, "TLS"), ("other.example", True, "TLS")],
)
def test_tls_is_verified_for_the_name(
    tmp_path: Path, settings: Any, name: str, trusted: bool, error: str
) -> None:
    public, private = certificate(tmp_path, name)
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(public, private)
    settings.WEBHOOK_CA_FILE = str(public) if trusted else ""
    sending._tls.cache_clear()
    with listening(context) as receiver:
        answer = post(receiver.url, b"{}", {})
        assert answer.ok is not bool(error)
        assert answer.error.startswith(error)
        assert len(receiver.got) == (0 if error else 1)
