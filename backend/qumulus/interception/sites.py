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


class Sites:
    """The table in use; of two sites that cover a host, the first answers."""

    def __init__(self, known: Iterable[Site]) -> None:
        self._sites = tuple(known)

    def find(self, host: str) -> Site | None:
        """Return the site of a host, or None where it is not answered for."""
        name = host_name(host)
        return next((site for site in self._sites if site.covers(name)), None)

    def resembles(self, host: str) -> bool:
        """Say whether a host may be of one of the same clouds: it shares the domain with a site, and a word before that."""
        (words, domain) = _parts(host_name(host))
        return any(domain == there and words & known for known, there in (_parts(site.domain) for site in self._sites))

    @property
    def domains(self) -> tuple[str, ...]:
        """Return the shortest list of domains that all the hosts are in, sorted."""
        every = {site.domain for site in self._sites}
        return tuple(sorted(name for name in every if not any(name.endswith(f".{other}") for other in every)))


def sites(hosts: str, known: Iterable[Site]) -> Sites:
    """Return the table of the ``known`` sites and, before them, the hosts of a setting, comma-separated.

    Raises:
        ValueError: one of them is none.
    """
    return Sites((*(site(host) for host in hosts.split(",") if host.strip()), *known))


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


def _parts(name: str) -> tuple[frozenset[str], tuple[str, ...]]:
    """The words of a name before its domain, and the domain: the last two labels."""
    labels = name.split(".")
    return frozenset(re.split(r"[.-]", ".".join(labels[:-2]))) - {""}, tuple(labels[-2:])


def host_name(text: str) -> str:
    """Return a DNS name with a dot in it, in small letters; empty where it is none."""
    name = text.strip().lower().rstrip(".")
    label = r"[a-z0-9_]([a-z0-9_-]{0,61}[a-z0-9_])?"
    named = re.fullmatch(rf"{label}(\.{label})+", name)
    return name if named and len(name) <= 253 and not re.fullmatch(r"[0-9.]+", name) else ""
