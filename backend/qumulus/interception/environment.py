"""The environment in which an untouched client goes through the proxy and trusts it."""

from __future__ import annotations

import ssl
from collections.abc import Mapping
from pathlib import Path

from .sites import Sites

TRUST = ("REQUESTS_CA_BUNDLE", "SSL_CERT_FILE", "CURL_CA_BUNDLE")
LOOPBACK = ("127.0.0.1", "localhost", "::1")


def environment(
    given: Mapping[str, str], *, proxy: str, certificate: Path, bundle: Path, sites: Sites
) -> dict[str, str]:
    """Return the variables to set for a command whose environment would be ``given``.

    Writes ``bundle``: the proxy's authority and whatever the command would trust without it.
    """
    bundle.write_bytes(certificate.read_bytes() + b"\n" + _trusted(given))
    direct = _direct(given, sites)
    return {
        **dict.fromkeys(("HTTPS_PROXY", "https_proxy"), proxy),
        **dict.fromkeys(("NO_PROXY", "no_proxy"), direct),
        **dict.fromkeys(TRUST, str(bundle)),
        "NODE_EXTRA_CA_CERTS": str(certificate),
        "NODE_USE_ENV_PROXY": "1",
    }


def _trusted(given: Mapping[str, str]) -> bytes:
    paths = ssl.get_default_verify_paths()
    for name in (*(given.get(name) for name in TRUST), paths.cafile, paths.openssl_cafile):
        if name and Path(name).is_file():
            return Path(name).read_bytes()
    return b""


def _direct(given: Mapping[str, str], sites: Sites) -> str:
    """Hosts that are reached without the proxy: this machine, and the person's own but for those that it answers for."""
    named = (given.get("NO_PROXY") or given.get("no_proxy") or "").split(",")
    others = [host.strip() for host in named if host.strip() and not _covers_a_site(host.strip(), sites)]
    return ",".join(dict.fromkeys((*LOOPBACK, *others)))


def _covers_a_site(host: str, sites: Sites) -> bool:
    name = host.lower().removeprefix("*").removeprefix(".").partition(":")[0]
    return not name or any(
        f".{domain}".endswith(f".{name}") or f".{name}".endswith(f".{domain}") for domain in sites.domains
    )
