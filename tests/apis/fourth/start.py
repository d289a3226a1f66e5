"""`qumulus` with the fourth family: ``python -m apis.fourth.start COMMAND …``."""

from __future__ import annotations

from qumulus.apis import families

from .family import ACME

if __name__ == "__main__":
    families.FAMILIES = (*families.FAMILIES, ACME)

    from qumulus.cli import main

    main()
