"""Load one server from several APIs for some minutes: memory and descriptors of all its processes must not grow.

    python -m benchmarks.soak 60 0.5

The second number is how many seconds each client rests after a round: none, if it is not there. The server is warmed up first: until each
client has done some rounds and memory has stopped to rise. Then the time begins. The growth is the median of the slopes between samples
(Theil and Sen), which single peaks do not move; a short run is forgiven what memory varies by anyhow.
"""

from __future__ import annotations

import statistics
import sys
import tempfile
import threading
import time
from collections import Counter
from collections.abc import Callable, Sequence
from itertools import combinations
from pathlib import Path

import httpx2

from .soak_clients import CLIENTS, prepare

from process_trees import family  # isort: skip (of the tests, whose folder that module puts on the path)
from servers import Server  # isort: skip

SAMPLE_SECONDS = 2.0
SHOWN_MINUTES = 5.0
MOST_MIB_A_MINUTE = 1.0
MOST_FILES_A_MINUTE = 1.0
VARIES_MIB, VARIES_FILES = 12.0, 6.0  # how far both go up and down while nothing grows
WARM_ROUNDS = 15  # of each client
WARM_SAMPLES = 15  # over which memory must not have risen
WARM_SECONDS = 300.0  # at most
MOST_POINTS = 300  # of which slopes are taken


def sample(pid: int) -> tuple[float, int]:
    """MiB of private memory and open files of a process and all that it started; those that end meanwhile count nothing."""
    memory, files = 0.0, 0
    for each in (pid, *family(pid)):
        folder = Path(f"/proc/{each}")
        try:
            rollup = (folder / "smaps_rollup").read_text()
            memory += int(rollup.split("Pss:")[1].split()[0]) / 1024
            files += sum(1 for _ in (folder / "fd").iterdir())
        except (OSError, IndexError):
            continue
    return memory, files


def slope(points: Sequence[tuple[float, float]]) -> float:
    """The median of the slopes between any two points."""
    some = points[:: -(-len(points) // MOST_POINTS)] if points else ()
    slopes = [
        (y - earlier_y) / (x - earlier_x) for (earlier_x, earlier_y), (x, y) in combinations(some, 2) if x > earlier_x
    ]
    return statistics.median(slopes) if slopes else 0.0


def grows(points: Sequence[tuple[float, float]], most: float, varies: float) -> bool:
    """Whether more is added in these minutes than ``most`` a minute, and than it ``varies`` anyhow."""
    minutes = points[-1][0] - points[0][0] if points else 0.0
    return slope(points) * minutes > max(most * minutes, varies)


def warm(memory: Sequence[float], rounds: Sequence[int]) -> bool:
    """Whether each client has done some rounds, and memory is not above what it was a while ago."""
    if len(memory) < 2 * WARM_SAMPLES or min(rounds, default=0) < WARM_ROUNDS:
        return False
    before, now = memory[-2 * WARM_SAMPLES : -WARM_SAMPLES], memory[-WARM_SAMPLES:]
    return statistics.median(now) <= statistics.median(before) * 1.01


def loop(client: Callable[[str], None], url: str, rest: float, stop: threading.Event, done: Counter[str]) -> None:
    """Do what a client does again and again, with a rest in between."""
    while not stop.wait(rest):
        try:
            client(url)
            done[client.__name__] += 1
        except (OSError, KeyError, TypeError, httpx2.HTTPError, AssertionError) as error:
            done[f"{client.__name__} failed: {type(error).__name__}"] += 1
            print(f"{client.__name__}: {error}", flush=True)
            stop.wait(1.0)


def samples(pid: int, until: Callable[[list[tuple[float, float, int]]], bool]) -> list[tuple[float, float, int]]:
    """Minutes, MiB and open files, again and again until that is enough."""
    began, points, shown = time.monotonic(), list[tuple[float, float, int]](), 0.0
    while not until(points):
        points.append(((time.monotonic() - began) / 60, *sample(pid)))
        if points[-1][0] >= shown:
            print(f"minute {points[-1][0]:4.1f}: {points[-1][1]:.0f} MiB, {points[-1][2]} files", flush=True)
            shown += SHOWN_MINUTES
        time.sleep(SAMPLE_SECONDS)
    return points


def main(minutes: float, rest: float = 0.0) -> int:
    """Run; 0 if nothing grows."""
    stop, done = threading.Event(), Counter[str]()
    with tempfile.TemporaryDirectory(prefix="soak-") as folder, Server(Path(folder) / "state") as server:
        pid = server.process.pid if server.process else 0
        prepare(server.url)
        threads = [
            threading.Thread(target=loop, args=(each, server.url, rest, stop, done), daemon=True) for each in CLIENTS
        ]
        for thread in threads:
            thread.start()

        def is_warm(points: list[tuple[float, float, int]]) -> bool:
            rounds = [done[client.__name__] for client in CLIENTS]
            long = bool(points) and points[-1][0] * 60 > WARM_SECONDS
            return long or warm([mib for _, mib, _ in points], rounds)

        warming = samples(pid, is_warm)
        points = samples(pid, lambda points: bool(points) and points[-1][0] > minutes)
        stop.set()
        for thread in threads:
            thread.join(60)
    memory = [(minute, mib) for minute, mib, _ in points]
    files = [(minute, float(count)) for minute, _, count in points]
    print(
        f"{warming[-1][0]:.1f} minutes of warming up, from {warming[0][1]:.0f} MiB; {minutes:g} minutes: {dict(done)}"
    )
    for what, unit, series, most in (
        ("memory", " MiB", memory, MOST_MIB_A_MINUTE),
        ("files", "", files, MOST_FILES_A_MINUTE),
    ):
        print(
            f"{what} {series[0][1]:.0f} to {series[-1][1]:.0f}{unit}, slope {slope(series):+.2f}{unit} a minute, target {most:g}"
        )
    failed = any("failed" in name for name in done)
    growing = grows(memory, MOST_MIB_A_MINUTE, VARIES_MIB) or grows(files, MOST_FILES_A_MINUTE, VARIES_FILES)
    return int(failed or growing)


if __name__ == "__main__":
    sys.exit(main(*map(float, sys.argv[1:] or ["60"])))
