"""Starting: time to the first answer, memory of the serving process, time to generate everything."""

from __future__ import annotations

import os
import statistics
import subprocess
import sys
import tempfile
import time
import urllib.request
from pathlib import Path

from .tables import Row, Table, seconds

RUNS = 5
MiB = 1 << 20


def first_answer() -> tuple[float, float]:
    """Seconds from the start of the process to the first answer on a fresh state folder, and its resident MiB then."""
    with tempfile.TemporaryDirectory() as home:
        environment = os.environ | {"QUMULUS_HOME": home, "QUMULUS_PORT": "0", "QUMULUS_LOG": "off"}
        start = time.perf_counter()
        process = subprocess.Popen(
            [sys.executable, "-m", "qumulus", "serve"], env=environment, stdout=subprocess.PIPE, text=True
        )
        assert process.stdout is not None
        try:
            url = process.stdout.readline().rsplit(" ", 1)[-1].strip()
            urllib.request.urlopen(f"{url}/hello", timeout=10).close()
            return time.perf_counter() - start, resident(process.pid)
        finally:
            process.terminate()
            process.wait(15)


def resident(pid: int) -> float:
    """Resident MiB of a process."""
    pages = int(Path(f"/proc/{pid}/statm").read_text().split()[1])
    return pages * os.sysconf("SC_PAGE_SIZE") / MiB


def generate() -> float:
    """Seconds of `make generate-all`."""
    start = time.perf_counter()
    subprocess.run(["make", "generate-all"], check=True, capture_output=True)
    return time.perf_counter() - start


def tables() -> list[Table]:
    """The table of the start."""
    starts = [first_answer() for _ in range(RUNS)]
    answer = statistics.median(elapsed for elapsed, _ in starts)
    memory = statistics.median(memory for _, memory in starts)
    generated = generate()
    rows = [
        Row(what="process start to first answer", ours=seconds(answer), least="1 s", aim="0.5 s", met=answer < 1.0),
        Row(
            what="memory of the serving process",
            ours=f"{memory:.0f} MiB",
            least="120 MiB",
            aim="80 MiB",
            met=memory < 120,
        ),
        Row(what="make generate-all", ours=seconds(generated), least="5 s", met=generated < 5),
    ]
    return [Table(title="Start", rows=rows, note=f"Median of {RUNS} starts on a fresh state folder.")]
