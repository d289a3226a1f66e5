"""HTTPS with a certificate and a key from files."""

from __future__ import annotations

import datetime as dt
import json
import ssl
import urllib.error
import urllib.request
from ipaddress import ip_address
from pathlib import Path

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID

from commands.cli import qumulus
from servers import Server


@pytest.fixture(scope="module")
def files(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, Path]:
    """A certificate for this machine, and its key."""
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "localhost")])
    now = dt.datetime.now(dt.UTC)
    names = x509.SubjectAlternativeName([x509.DNSName("localhost"), x509.IPAddress(ip_address("127.0.0.1"))])
    certificate = (
        x509.CertificateBuilder(name, name, key.public_key(), x509.random_serial_number())
        .not_valid_before(now - dt.timedelta(days=1))
        .not_valid_after(now + dt.timedelta(days=10))
        .add_extension(names, critical=False)
        .sign(key, hashes.SHA256())
    )
    folder = tmp_path_factory.mktemp("tls")
    (folder / "cert.pem").write_bytes(certificate.public_bytes(serialization.Encoding.PEM))
    unencrypted = serialization.NoEncryption()
    pem = key.private_bytes(serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, unencrypted)
    (folder / "key.pem").write_bytes(pem)
    return folder / "cert.pem", folder / "key.pem"


@pytest.mark.parametrize("workers", ["1", "2"])
def test_requests_are_answered_by_https_and_by_nothing_else(tmp_path, files, workers):
    certificate, key = files
    environment = {
        "QUMULUS_TLS_CERTIFICATE": str(certificate),
        "QUMULUS_TLS_KEY": str(key),
        "QUMULUS_WORKERS": workers,
    }
    server = Server(tmp_path / "state", environment=environment)
    server.start(ready=False)
    try:
        assert server.url.startswith("https://127.0.0.1:")
        trusting = ssl.create_default_context(cafile=certificate)
        with urllib.request.urlopen(f"{server.url}/", context=trusting, timeout=20) as answer:
            assert json.load(answer)["name"] == "Qumulus"
        with pytest.raises((urllib.error.URLError, ConnectionError)):
            urllib.request.urlopen(server.url.replace("https", "http"), timeout=20)
        with pytest.raises(urllib.error.URLError, match="CERTIFICATE_VERIFY_FAILED"):
            urllib.request.urlopen(server.url, timeout=20)
    finally:
        server.stop()


def test_a_certificate_that_ends_soon_is_told_by_the_doctor(tmp_path, files):
    environment = {"QUMULUS_TLS_CERTIFICATE": str(files[0]), "QUMULUS_HOME": str(tmp_path / "none")}
    done = qumulus("doctor", "--url", "http://127.0.0.1:9", "--json", **environment)
    (found,) = (each for each in json.loads(done.stdout) if each["what"] == "certificate")
    assert (found["grade"], found["do"]) == ("look", "Renew it soon.")


@pytest.mark.parametrize(
    ("settings", "told"),
    [
        ({"QUMULUS_TLS_KEY": "key.pem"}, "--tls-key needs --tls-certificate"),
        ({"QUMULUS_TLS_CERTIFICATE": "none.pem"}, "No such file"),
        ({"QUMULUS_TLS_CERTIFICATE": "cert.pem"}, "HTTPS can't be served with"),
    ],
)
def test_files_that_can_not_be_used_are_told_in_a_sentence(tmp_path, files, settings, told):
    named = {name: str(files[0].with_name(value)) for name, value in settings.items()}
    done = qumulus("serve", QUMULUS_HOME=str(tmp_path / "state"), QUMULUS_PORT="0", **named)
    assert done.returncode == 2
    assert told in done.stderr
    assert "Traceback" not in done.stderr
