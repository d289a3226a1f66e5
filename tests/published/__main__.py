"""`make test-published`: runs each page of QUMULUS_PUBLISHED by itself, with a cloud of its own, and prints the table.

QUMULUS_PUBLISHED_SECONDS is the time of each page (120), QUMULUS_PUBLISHED_PYTHON an interpreter that has the packages which the pages
import; without it, that of the client whose version a page names, and the newest where it names none.
"""

from __future__ import annotations

import contextlib
import os
import shutil
import signal
import subprocess
import sys
import tempfile
import time
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parents[1]))

from clients.environments import CLIENTS, environment
from published.outcomes import Ended, Outcome, judged, table
from published.pages import Page, pages
from qumulus.apis.ibm import untouched
from qumulus.apis.ibm.instances import LOCAL_CRN
from qumulus.control.administration import Administration
from qumulus.control.ephemeral import EphemeralCloud

SECONDS = 120.0
LAST_CHARACTERS = 20_000
NOTEBOOK = "import builtins; builtins.display = print\n"  # what a notebook has, and a program has not
MOST_BYTES = 256 << 20  # of the files beside a page
VERSIONS = sorted(
    (name for name in CLIENTS if name.startswith("ibm-")), key=lambda name: [*map(int, name[4:].split("."))]
)


def interpreter(page: Page) -> Path:
    """The Python that a page is run with."""
    if own := os.environ.get("QUMULUS_PUBLISHED_PYTHON"):
        return Path(own)
    named = [name for name in VERSIONS if page.client and name.startswith(f"ibm-{page.client}.")]
    return environment((named or VERSIONS)[-1])


def run(page: Page, python: Path, seconds: float) -> Ended:
    """Run a page under `qumulus run`, beside copies of the files that it stands by, with drawings off the screen.

    The reader has an account with an instance, as pages take for granted, and a gateway where a page speaks of a local one.
    """
    with tempfile.TemporaryDirectory(prefix="published-") as place:
        folder = Path(place) / "folder"
        beside(page.path.parent, folder)
        script = folder / "page.py"
        script.write_text(page.code)
        own = Path(place) / "notebook"
        own.mkdir()
        own.joinpath("sitecustomize.py").write_text(NOTEBOOK)
        home = Path(place) / "home"
        home.mkdir()
        instances = untouched.instances([str(script)], {}, home)
        with EphemeralCloud(instances=instances, intercept=False) as cloud:
            command = [sys.executable, "-m", "qumulus", "run", "--url", cloud.url, "--", str(python), str(script)]
            variables = {"PATH": os.environ["PATH"], "HOME": str(home), "MPLBACKEND": "Agg"} | {
                "PYTHONPATH": str(own),
                "QISKIT_IBM_INSTANCE": LOCAL_CRN,
                "GATEWAY_HOST": f"{cloud.url}/functions",
            }
            begun = time.monotonic()
            status, output = ended(command, folder, variables, seconds)
            seconds = time.monotonic() - begun
            return Ended(status, output, page.placeholders, approximations(Administration(cloud.url)), seconds)


def beside(source: Path, folder: Path) -> None:
    """Copy the files of a page's folder, unless there are too many of them."""
    size = sum(path.stat().st_size for path in source.rglob("*") if path.is_file())
    if size <= MOST_BYTES:
        shutil.copytree(source, folder)
    else:
        folder.mkdir()


def ended(command: list[str], folder: Path, variables: dict[str, str], seconds: float) -> tuple[int | None, str]:
    """The status of a command, None where its time was over, and the end of its errors."""
    with tempfile.TemporaryFile("w+", encoding="utf-8", errors="replace") as errors:
        process = subprocess.Popen(
            command,
            cwd=folder,
            env=variables,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.DEVNULL,
            stderr=errors,
            start_new_session=True,
        )
        status: int | None = None
        try:
            status = process.wait(seconds)
        except subprocess.TimeoutExpired:
            with contextlib.suppress(ProcessLookupError):
                os.killpg(process.pid, signal.SIGTERM)
            try:
                process.wait(10)
            except subprocess.TimeoutExpired:
                os.killpg(process.pid, signal.SIGKILL)
                process.wait()
        errors.seek(0)
        return status, errors.read()[-LAST_CHARACTERS:]


def approximations(administer: Administration) -> tuple[str, ...]:
    """What the jobs of a cloud say of results that are not exact."""
    found: list[str] = []
    for job in administer("GET", "/jobs")["jobs"]:
        found += _said(job.get("metadata"))
    return tuple(found)


def _said(value: object) -> list[str]:
    if isinstance(value, dict):
        own = [str(value["approximation"])] if value.get("approximation") else []
        return own + [each for inner in value.values() for each in _said(inner)]
    return [each for inner in value for each in _said(inner)] if isinstance(value, list) else []


def main() -> int:
    """Run all pages; 1 where one fails by us."""
    named = os.environ.get("QUMULUS_PUBLISHED")
    if not named or not Path(named).is_dir():
        print("Name a folder of notebooks or pages: QUMULUS_PUBLISHED=… make test-published", file=sys.stderr)
        return 2
    folder, seconds = Path(named), float(os.environ.get("QUMULUS_PUBLISHED_SECONDS", SECONDS))
    rows = []
    for page in pages(folder):
        result = run(page, interpreter(page), seconds)
        outcome, why = judged(result)
        rows.append((str(page.path.relative_to(folder)), outcome, why, result.seconds))
        print(f"{rows[-1][0]}: {outcome} {why}", file=sys.stderr, flush=True)
    print(table(rows))
    return int(any(row[1] is Outcome.FAILS for row in rows))


if __name__ == "__main__":
    sys.exit(main())
