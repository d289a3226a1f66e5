"""The local certificate authority. Nothing is installed anywhere: who is to trust it is told so by a variable.

Its certificate allows it only the domains that are answered for, so that a stolen key is of no use for any other.
"""

from __future__ import annotations

import fcntl
import functools
import os
import ssl
import stat
import tempfile
import time
from collections.abc import Generator, Iterable
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from ipaddress import IPv4Network, IPv6Network
from pathlib import Path

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import ExtendedKeyUsageOID, NameOID

NAME = "Qumulus local authority (trusted by one command only)"
LIFE = timedelta(days=825)
RENEWED_BEFORE = timedelta(days=30)
RENEWED_EVERY = RENEWED_BEFORE / 2  # the certificate of a host
CONTEXTS = 64  # hosts whose certificate is kept


class AuthorityError(Exception):
    """The authority can't be used; the text says why and what to do."""


class Authority:
    """A key and its certificate in a folder, made at the first use and again when they run out or the domains change.

    ``domains``: the names that it may certify, with all names below them.
    """

    def __init__(self, folder: Path, domains: Iterable[str]) -> None:
        """Open the authority in a folder, or make one there.

        Raises:
            AuthorityError: others can read the key, or the folder can't be written.
        """
        self.folder = folder
        self.file = folder / "ca.pem"  # the certificate, which clients are told to trust
        self._domains = tuple(sorted(domains))
        try:
            with _alone(folder):
                self._key, self._certificate = self._load() or self._make()
        except OSError as error:
            raise AuthorityError(
                f"The folder {folder} for the local certificate authority can't be used: {error.strerror}."
            ) from None
        self._leaf = ec.generate_private_key(ec.SECP256R1())
        self._kept = functools.lru_cache(CONTEXTS)(self._context)

    def _load(self) -> tuple[ec.EllipticCurvePrivateKey, x509.Certificate] | None:
        secret = self.folder / "ca.key"
        if not secret.exists() or not self.file.exists():
            return None
        if stat.S_IMODE(secret.stat().st_mode) & 0o077:
            raise AuthorityError(
                f"Others can read {secret}, the key of the local certificate authority: "
                f"remove the folder {self.folder}, and a new one is made."
            )
        key = serialization.load_pem_private_key(secret.read_bytes(), password=None)
        certificate = x509.load_pem_x509_certificate(self.file.read_bytes())
        ours = isinstance(key, ec.EllipticCurvePrivateKey) and key.public_key() == certificate.public_key()
        fresh = certificate.not_valid_after_utc > datetime.now(UTC) + RENEWED_BEFORE
        if not ours or not fresh or _domains(certificate) != self._domains:
            return None
        return key, certificate

    def _make(self) -> tuple[ec.EllipticCurvePrivateKey, x509.Certificate]:
        key = ec.generate_private_key(ec.SECP256R1())
        name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, NAME)])
        everywhere = [x509.IPAddress(IPv4Network("0.0.0.0/0")), x509.IPAddress(IPv6Network("::/0"))]
        certificate = (
            _builder(name, name, key, LIFE)
            .add_extension(x509.BasicConstraints(ca=True, path_length=0), critical=True)
            .add_extension(_usage(certificates=True), critical=True)
            .add_extension(
                x509.NameConstraints([x509.DNSName(name) for name in self._domains], everywhere), critical=True
            )
            .add_extension(x509.SubjectKeyIdentifier.from_public_key(key.public_key()), critical=False)
            .sign(key, hashes.SHA256())
        )
        _write(self.folder / "ca.key", _pem(key), 0o600)
        _write(self.file, certificate.public_bytes(serialization.Encoding.PEM), 0o644)
        return key, certificate

    def context(self, host: str) -> ssl.SSLContext:
        """TLS for a server that is ``host``, with a certificate that does not run out soon."""
        return self._kept(host, int(time.time() // RENEWED_EVERY.total_seconds()))

    def _context(self, host: str, _period: int) -> ssl.SSLContext:
        subject = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, host[:64])])
        certificate = (
            _builder(subject, self._certificate.subject, self._leaf, RENEWED_BEFORE)
            .add_extension(x509.SubjectAlternativeName([x509.DNSName(host)]), critical=False)
            .add_extension(x509.BasicConstraints(ca=False, path_length=None), critical=True)
            .add_extension(_usage(certificates=False), critical=True)
            .add_extension(x509.ExtendedKeyUsage([ExtendedKeyUsageOID.SERVER_AUTH]), critical=False)
            .add_extension(x509.AuthorityKeyIdentifier.from_issuer_public_key(self._key.public_key()), critical=False)
            .sign(self._key, hashes.SHA256())
        )
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.minimum_version = ssl.TLSVersion.TLSv1_2
        context.set_alpn_protocols(["http/1.1"])
        # The ssl module reads certificates from files only; a temporary one is its owner's alone.
        with tempfile.NamedTemporaryFile(dir=self.folder) as chain:
            chain.write(_pem(self._leaf) + certificate.public_bytes(serialization.Encoding.PEM))
            chain.flush()
            context.load_cert_chain(chain.name)
        return context


def _builder(
    subject: x509.Name, issuer: x509.Name, key: ec.EllipticCurvePrivateKey, life: timedelta
) -> x509.CertificateBuilder:
    now = datetime.now(UTC)
    return (
        x509.CertificateBuilder()
        .subject_name(subject)
        .issuer_name(issuer)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - timedelta(hours=1))  # clocks of containers differ a little
        .not_valid_after(now + life)
    )


def _usage(*, certificates: bool) -> x509.KeyUsage:
    return x509.KeyUsage(
        digital_signature=not certificates,
        key_cert_sign=certificates,
        crl_sign=certificates,
        content_commitment=False,
        key_encipherment=False,
        data_encipherment=False,
        key_agreement=False,
        encipher_only=False,
        decipher_only=False,
    )


def _domains(certificate: x509.Certificate) -> tuple[str, ...]:
    allowed = certificate.extensions.get_extension_for_class(x509.NameConstraints).value.permitted_subtrees
    return tuple(sorted(name.value for name in allowed or ()))


def _pem(key: ec.EllipticCurvePrivateKey) -> bytes:
    return key.private_bytes(
        serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
    )


def _write(file: Path, content: bytes, mode: int) -> None:
    """Replace a file in one step; nobody else can read it before it has its mode."""
    with tempfile.NamedTemporaryFile(dir=file.parent, delete=False) as new:
        new.write(content)
        new.flush()
        os.fchmod(new.fileno(), mode)
        os.replace(new.name, file)


@contextmanager
def _alone(folder: Path) -> Generator[None]:
    """One process at a time, so that two that start together have one authority."""
    folder.mkdir(mode=0o700, parents=True, exist_ok=True)
    descriptor = os.open(folder, os.O_RDONLY)
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX)
        yield
    finally:
        os.close(descriptor)
