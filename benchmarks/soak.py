"""Load one server from several APIs for some minutes: memory and descriptors of all its processes must not grow.

    python -m benchmarks.soak 60

It is warmed up first: until each client has done some rounds and memory has stopped to rise. Then the time begins. The growth is the median
of the slopes between samples (Theil and Sen), which single peaks do not move; a short run is forgiven what memory varies by anyhow.
"""

from __future__ import annotations

import json
import statistics
import sys
import tempfile
import threading
import time
import urllib.error
import urllib.request
from collections import Counter
from collections.abc import Callable, Sequence
from itertools import combinations
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parents[1] / "tests"))

from process_trees import family
from servers import Server

SAMPLE_SECONDS = 2.0
MOST_MIB_A_MINUTE = 1.0
MOST_FILES_A_MINUTE = 1.0
VARIES_MIB, VARIES_FILES = 12.0, 6.0  # how far both go up and down while nothing grows
WARM_ROUNDS = 15  # of each client
WARM_SAMPLES = 15  # over which memory must not have risen
WARM_SECONDS = 300.0  # at most
MOST_POINTS = 300  # of which slopes are taken
PAUSE_SECONDS = 0.05
TOKEN = "qumulus-local"
CODE = "OPENQASM 3; qubit[2] q; bit[2] c; h q[0]; cnot q[0], q[1]; c = measure q;"
IBM = {"Authorization": f"Bearer {TOKEN}", "Service-CRN": "local", "IBM-API-Version": "2026-04-15"}
PUB = "OPENQASM 3.0; bit[1] c; rz(1.0) $0; sx $0; c[0] = measure $0;"


def ask(url: str, body: object = None, method: str | None = None, **headers: str) -> object:
    """The JSON that answers."""
    content = None if body is None else json.dumps(body).encode()
    request = urllib.request.Request(url, content, {"Content-Type": "application/json", **headers}, method=method)
    with urllib.request.urlopen(request, timeout=60) as answer:
        return json.loads(answer.read() or b"null")


def oqtopus(url: str) -> None:
    """A task, its status, its result, and its end."""
    task = ask(f"{url}/task", {"device": "Kawasaki", "n_shots": 100, "code": CODE})["task_id"]
    while ask(f"{url}/task/{task}/status")["status"] not in ("COMPLETED", "FAILED", "CANCELLED"):
        time.sleep(PAUSE_SECONDS)
    ask(f"{url}/task/{task}")
    ask(f"{url}/task/{task}", method="DELETE")


def ibm(url: str) -> None:
    """A sampler job, its status, its result, and its end."""
    job = ask(
        f"{url}/api/v1/jobs",
        {"program_id": "sampler", "backend": "ibm_brisbane", "params": {"pubs": [[PUB, None, 100]], "version": 2}},
        **IBM,
    )["id"]
    while ask(f"{url}/api/v1/jobs/{job}", **IBM)["status"] not in ("Completed", "Failed", "Cancelled"):
        time.sleep(PAUSE_SECONDS)
    ask(f"{url}/api/v1/jobs?limit=20", **IBM)
    ask(f"{url}/api/v1/jobs/{job}", method="DELETE", **IBM)


def planqk(url: str) -> None:
    """What is there to be chosen from."""
    ask(f"{url}/quantum/backends", **{"X-Auth-Token": TOKEN})
    ask(f"{url}/platform/datapools", **{"X-Auth-Token": TOKEN})


def refused(url: str) -> None:
    """Requests that are none."""
    for path, body in (("/task", {"device": "nothing"}), ("/api/v1/jobs", {}), ("/nowhere", None)):
        try:
            ask(f"{url}{path}", body)
        except urllib.error.HTTPError as error:
            error.read()
            error.close()


CLIENTS: tuple[Callable[[str], None], ...] = (oqtopus, ibm, planqk, refused)


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


def loop(client: Callable[[str], None], url: str, stop: threading.Event, done: Counter[str]) -> None:
    """Do what a client does again and again."""
    while not stop.is_set():
        try:
            client(url)
            done[client.__name__] += 1
        except (OSError, KeyError, TypeError) as error:
            done[f"{client.__name__} failed: {type(error).__name__}"] += 1
            stop.wait(1.0)


def samples(pid: int, until: Callable[[list[tuple[float, float, int]]], bool]) -> list[tuple[float, float, int]]:
    """Minutes, MiB and open files, again and again until that is enough."""
    began, points = time.monotonic(), list[tuple[float, float, int]]()
    while not until(points):
        points.append(((time.monotonic() - began) / 60, *sample(pid)))
        time.sleep(SAMPLE_SECONDS)
    return points


def main(minutes: float) -> int:
    """Run; 0 if nothing grows."""
    stop, done = threading.Event(), Counter[str]()
    with tempfile.TemporaryDirectory(prefix="soak-") as folder, Server(Path(folder) / "state") as server:
        pid = server.process.pid if server.process else 0
        threads = [threading.Thread(target=loop, args=(each, server.url, stop, done), daemon=True) for each in CLIENTS]
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
    sys.exit(main(float(sys.argv[1]) if sys.argv[1:] else 60.0))
