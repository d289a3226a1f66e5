"""`make bench-cluster`: what several machines need, measured on one."""

from __future__ import annotations

import importlib
import sys

from .tables import markdown

PARTS = ("cluster_claims", "cluster_queue", "cluster_ray")


def main() -> None:
    """Print all tables, or those of the parts that are named; the exit status says whether all targets were met."""
    met = True
    for part in sys.argv[1:] or PARTS:
        name = part if part.startswith("cluster_") else f"cluster_{part}"
        for table in importlib.import_module(f"benchmarks.{name}").tables():
            print(markdown(table), "\n", flush=True)
            met &= all(row.met is not False for row in table.rows)
    raise SystemExit(not met)


if __name__ == "__main__":
    main()
