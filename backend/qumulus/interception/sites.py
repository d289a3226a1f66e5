"""Which hosts of the real clouds are answered for here, and where their paths are."""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass

HTTPS = 443


@dataclass(frozen=True, slots=True)
class Site:
    """A host, or with `*.` in front all hosts below it, and how its paths read here."""

    host: str
    pattern: str = r"^"  # what is replaced in a path,
    here: str = ""  # and with what

    @property
    def domain(self) -> str:
        """Return the host itself, or the domain that all hosts of the site are below of."""
        return self.host.removeprefix("*.")

    def covers(self, host: str) -> bool:
        """Say whether a host (in small letters) is the site, or below it."""
        return host.endswith(self.host[1:]) if self.host.startswith("*.") else host == self.host

    def path(self, path: str) -> str:
        """Return the path here for a path there, both percent-encoded."""
        return re.sub(self.pattern, self.here, path, count=1)


CATALOG = (r"^/api/v1(?=/|$)", "/catalog/api/v1")  # apart from the Runtime API, which has /api/v1 here
SERVICE = (r"^/(?!token$)[^/]+/([^/]+)/[^/]+(?=/|$)", r"/services/\1")  # /context/service/version
PLATFORM = (r"^/qc-catalog(?=/|$)", "/platform")

SITES = (
    # IBM: token, search, catalog, resource controller, the Runtime API of every region; public and private endpoints
    Site("iam.cloud.ibm.com"),
    Site("private.iam.cloud.ibm.com"),
    Site("api.global-search-tagging.cloud.ibm.com"),
    Site("api.private.global-search-tagging.cloud.ibm.com"),
    Site("globalcatalog.cloud.ibm.com", *CATALOG),
    Site("private.globalcatalog.cloud.ibm.com", *CATALOG),
    Site("resource-controller.cloud.ibm.com"),
    Site("private.resource-controller.cloud.ibm.com"),
    Site("quantum.cloud.ibm.com"),
    Site("*.quantum.cloud.ibm.com"),
    # PLANQK and Kipu Quantum Hub: managed services behind the gateways, quantum backends behind the others
    Site("gateway.hub.kipu-quantum.com", *SERVICE),
    Site("gateway.platform.planqk.de", *SERVICE),
    Site("api.hub.kipu-quantum.com", *PLATFORM),
    Site("platform.planqk.de"),
)


class Sites:
    """The table in use: the built-in sites and those of the settings."""

    def __init__(self, more: Iterable[Site] = ()) -> None:
        self._sites = (*more, *SITES)

    def find(self, host: str) -> Site | None:
        """Return the site of a host, or None where it is not answered for."""
        name = host_name(host)
        return next((site for site in self._sites if site.covers(name)), None)

    @property
    def domains(self) -> tuple[str, ...]:
        """Return the shortest list of domains that all the hosts are in, sorted."""
        every = {site.domain for site in self._sites}
        return tuple(sorted(name for name in every if not any(name.endswith(f".{other}") for other in every)))


def sites(hosts: str) -> Sites:
    """Return the table with the hosts of a setting, comma-separated.

    Raises:
        ValueError: one of them is none.
    """
    return Sites(site(host) for host in hosts.split(",") if host.strip())


def site(text: str) -> Site:
    """Return a site as settings say it: `HOST`, or `HOST/PREFIX` where the API stands under a prefix there.

    Raises:
        ValueError: it is none.
    """
    host, slash, prefix = text.strip().partition("/")
    below = "*." if host.startswith("*.") else ""
    name = host_name(host.removeprefix(below))
    if not name:
        raise ValueError(f"{text!r} is no host to answer for: say it as api.example.org or api.example.org/prefix.")
    cut = prefix.strip("/") if slash else ""
    return Site(below + name, rf"^/{re.escape(cut)}(?=/|$)" if cut else r"^")


def host_name(text: str) -> str:
    """Return a DNS name with a dot in it, in small letters; empty where it is none."""
    name = text.strip().lower().rstrip(".")
    label = r"[a-z0-9_]([a-z0-9_-]{0,61}[a-z0-9_])?"
    named = re.fullmatch(rf"{label}(\.{label})+", name)
    return name if named and len(name) <= 253 and not re.fullmatch(r"[0-9.]+", name) else ""
