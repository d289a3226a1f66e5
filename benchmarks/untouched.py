"""`qumulus run`: from nothing to the first answer that the command gets, and to the end with everything cleaned up."""

from __future__ import annotations

import statistics
import subprocess
import sys
import time

from .tables import Row, Table, seconds

RUNS = 5
ASK = "import time, urllib.request as u; u.urlopen('https://quantum.cloud.ibm.com/api/v1/versions').close(); print(time.time())"


def run() -> tuple[float, float]:
    """Seconds to the first answer, and until the cloud is gone."""
    start = time.time()
    command = [sys.executable, "-m", "qumulus", "run", "--", sys.executable, "-c", ASK]
    answered = float(subprocess.run(command, check=True, capture_output=True, text=True).stdout)
    return answered - start, time.time() - start


def tables() -> list[Table]:
    """The table of `qumulus run`."""
    runs = [run() for _ in range(RUNS)]
    first, whole = (statistics.median(each) for each in zip(*runs, strict=True))
    rows = [
        Row(what="qumulus run to the first answer", ours=seconds(first), least="3 s", met=first < 3),
        Row(what="the same until everything is gone", ours=seconds(whole)),
    ]
    return [Table(title="Untouched scripts", rows=rows, note=f"Median of {RUNS} runs, each with a new cloud.")]
