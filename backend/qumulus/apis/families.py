"""All families. Another one is a folder and a line here."""

from __future__ import annotations

from qumulus.core.accounts import InstanceNaming
from qumulus.interception.sites import Site

from .emulator.family import EMULATOR
from .family import Api, Credential, Family
from .ibm.family import IBM
from .oqtopus.family import OQTOPUS
from .planqk.family import PLANQK

FAMILIES: tuple[Family, ...] = (OQTOPUS, PLANQK, IBM, EMULATOR)


def apis() -> tuple[Api, ...]:
    """Return the APIs of all families."""
    return tuple(api for family in FAMILIES for api in family.apis)


def credentials() -> dict[str, Credential]:
    """Return the kinds of credentials that are let in, by scheme."""
    return {credential.scheme: credential for family in FAMILIES for credential in family.credentials}


def credential_headers() -> tuple[str, ...]:
    """Return the headers in which credentials are sent, each once."""
    return tuple(dict.fromkeys(header for credential in credentials().values() for header in credential.headers))


def logins() -> tuple[str, ...]:
    """Return the paths to which credentials are sent in a form."""
    return tuple(path for family in FAMILIES for path in family.logins)


def real_sites() -> tuple[Site, ...]:
    """Return the hosts of the real clouds that are answered for."""
    return tuple(site for family in FAMILIES for site in family.sites)


def naming() -> InstanceNaming:
    """Return how service instances are named: as the one family does whose clients name them."""
    (found,) = [family.naming for family in FAMILIES if family.naming is not None]
    return found


def programs() -> str:
    """The reference of what gives users' programs beside devices what they need: one family has such programs."""
    (found,) = [family.programs for family in FAMILIES if family.programs]
    return found
