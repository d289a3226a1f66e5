"""`python -m benchmarks [NAME…]`: measure and print. Each module beside this one has `tables() -> list[Table]`."""

from __future__ import annotations

import argparse
import importlib
import os
import platform
import sys
from pathlib import Path

from .tables import markdown

os.environ.pop("PYTHONDONTWRITEBYTECODE", None)  # nobody has it: every process that starts would compile all it imports

NOT_MEASUREMENTS = {"__init__", "__main__", "cluster", "load", "programs", "soak", "soak_clients", "tables"}
USER = "_user"  # how the names of the processes of users end that others of these start
MANY_MACHINES = "cluster_"  # how the names of those begin that `make bench-cluster` runs


def names() -> list[str]:
    """The measurements there are."""
    here = Path(__file__).parent
    return sorted(
        path.stem for path in here.glob("*.py") if path.stem not in NOT_MEASUREMENTS and not path.stem.endswith(USER)
    )


def main() -> None:
    """Measure what was named, or everything."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks", description=__doc__)
    parser.add_argument(
        "names",
        nargs="*",
        metavar="NAME",
        help=f"one of: {', '.join(names())}; all but those of several machines if none is named",
    )
    wanted = parser.parse_args().names or [name for name in names() if not name.startswith(MANY_MACHINES)]
    if unknown := sorted(set(wanted) - set(names())):
        parser.error(f"there is no measurement named {', '.join(unknown)}; there are: {', '.join(names())}")
    print(f"Python {platform.python_version()} on {os.cpu_count()} cores, {platform.machine()}\n", flush=True)
    missed = 0
    for name in wanted:
        for table in importlib.import_module(f"benchmarks.{name}").tables():
            print(markdown(table), end="\n\n", flush=True)
            missed += sum(row.met is False for row in table.rows)
    print("Every least figure is reached." if not missed else f"{missed} figures are below their least.")
    sys.exit(missed > 0)


if __name__ == "__main__":
    main()
