"""The functions of vendors that IBM's catalogue lists: they can be seen here, and not be run."""

from __future__ import annotations

from types import MappingProxyType

from qumulus.core.errors import NotFound

TITLES = MappingProxyType(
    {
        "ibm": ("circuit-function",),
        "algorithmiq": ("tem",),
        "colibritd": ("quick-pde",),
        "global-data-quantum": ("quantum-portfolio-optimizer",),
        "kipu-quantum": ("iskay-quantum-optimizer",),
        "multiverse": ("singularity",),
        "q-ctrl": ("performance-management", "optimization-solver"),
        "qedma": ("qesem",),
        "qunasys": ("quri-chemistry",),
        "qunova": ("hivqe-chemistry",),
    }
)
"""Titles by provider, as the service's guides name them."""

CIRCUIT = frozenset({"circuit-function", "performance-management", "qesem", "tem"})


class VendorsFunction(NotFound):
    """It is its vendor's own."""

    def __init__(self, provider: str, title: str) -> None:
        super().__init__(f"{said(provider, title)} Run a function of your own, or that one at IBM.")


def known(provider: str, title: str) -> bool:
    """Say whether a vendor has such a function."""
    return title in TITLES.get(provider, ())


def said(provider: str, title: str) -> str:
    """What people read of it."""
    return f"{provider}/{title} is a program of its vendor and runs at IBM only: it is not here."


def missing(provider: str, title: str) -> NotFound:
    """Why a function of a provider can't be run."""
    if known(provider, title):
        return VendorsFunction(provider, title)
    return NotFound(f"There is no function {provider[:100]}/{title[:100]}: list the functions to see the names.")
