"""A service that reads its input from a data pool and leaves a result there."""

import json
from pathlib import Path


def run(numbers: str, digits: int = 2) -> dict:
    """Return the mean of all values in the pool, and write it beside them."""
    pool = Path(numbers)
    values = [float(line) for path in sorted(pool.glob("*.csv")) for line in path.read_text().split()]
    result = {"mean": round(sum(values) / len(values), digits), "values": len(values)}
    (pool / "mean.json").write_text(json.dumps(result))
    return result
