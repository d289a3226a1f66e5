"""Load one server from several APIs for some minutes: memory and descriptors of all its processes must not grow.

    python -m benchmarks.soak 60

The first fifth of the time is for warming up. After it, a line is laid through the samples; its slope is the growth.
"""

from __future__ import annotations

import json
import sys
import tempfile
import threading
import time
import urllib.error
import urllib.request
from collections import Counter
from collections.abc import Callable
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parents[1] / "tests"))

from process_trees import family
from servers import Server

SAMPLE_SECONDS = 2.0
MOST_MIB_A_MINUTE = 1.0
MOST_FILES_A_MINUTE = 1.0
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


def slope(points: list[tuple[float, float]]) -> float:
    """The slope of the line through points, by least squares."""
    mean_x = sum(x for x, _ in points) / len(points)
    mean_y = sum(y for _, y in points) / len(points)
    spread = sum((x - mean_x) ** 2 for x, _ in points)
    return sum((x - mean_x) * (y - mean_y) for x, y in points) / spread if spread else 0.0


def loop(client: Callable[[str], None], url: str, stop: threading.Event, done: Counter[str]) -> None:
    """Do what a client does again and again."""
    while not stop.is_set():
        try:
            client(url)
            done[client.__name__] += 1
        except (OSError, KeyError, TypeError) as error:
            done[f"{client.__name__} failed: {type(error).__name__}"] += 1
            stop.wait(1.0)


def main(minutes: float) -> int:
    """Run; 0 if nothing grows."""
    stop, done = threading.Event(), Counter[str]()
    with tempfile.TemporaryDirectory(prefix="soak-") as folder, Server(Path(folder) / "state") as server:
        pid = server.process.pid if server.process else 0
        threads = [threading.Thread(target=loop, args=(each, server.url, stop, done), daemon=True) for each in CLIENTS]
        for thread in threads:
            thread.start()
        began, points = time.monotonic(), []
        while (now := time.monotonic() - began) < minutes * 60:
            if now > minutes * 60 / 5:
                points.append((now / 60, *sample(pid)))
            time.sleep(SAMPLE_SECONDS)
        stop.set()
        for thread in threads:
            thread.join(60)
    memory = slope([(minute, mib) for minute, mib, _ in points])
    files = slope([(minute, float(count)) for minute, _, count in points])
    print(f"{minutes:g} minutes: {dict(done)}")
    print(
        f"memory {points[0][1]:.0f} to {points[-1][1]:.0f} MiB, slope {memory:+.2f} MiB a minute, target {MOST_MIB_A_MINUTE:g}"
    )
    print(f"files {points[0][2]} to {points[-1][2]}, slope {files:+.2f} a minute, target {MOST_FILES_A_MINUTE:g}")
    failed = any("failed" in name for name in done)
    return int(failed or memory > MOST_MIB_A_MINUTE or files > MOST_FILES_A_MINUTE)


if __name__ == "__main__":
    sys.exit(main(float(sys.argv[1]) if sys.argv[1:] else 60.0))
