"""The console with 100,000 jobs: until something is painted, and until a list shows what was asked for, in a real browser."""

from __future__ import annotations

import shutil
import statistics
import sys
import tempfile
from collections.abc import Callable
from pathlib import Path

from playwright.sync_api import Page, sync_playwright

sys.path.append(str(Path(__file__).parent.parent / "tests"))  # the servers of the tests

from qumulus.storage import open_storage
from servers import Server

from .lists import JOBS, fill
from .tables import Row, Table, seconds

LOADS, CLICKS = 7, 9
PAINT, INTERACTION = 0.3, 0.1
PAINTED = "() => performance.getEntriesByName('first-contentful-paint')[0]?.startTime"
ROWS = "table tbody tr"
CHANGED = """([selector, act]) => new Promise((resolve) => {
  const text = () => document.querySelector("main tbody")?.innerText;
  const before = text(), begin = performance.now();
  const look = () => {
    const took = performance.now() - begin;
    text() === before && took < 10000 ? requestAnimationFrame(look) : resolve(took);
  };
  const element = [...document.querySelectorAll(selector)].find((each) => !act.text || each.textContent.trim() === act.text);
  if (act.value === undefined) element.click();
  else { element.value = act.value; element.dispatchEvent(new Event("change", { bubbles: true })); }
  look();
})"""
"""What a click or a choice takes until the page shows something else: milliseconds, seen frame by frame."""


def painted(page: Page, url: str) -> float:
    """Seconds from the navigation to the first contentful paint."""
    page.goto(url)
    page.wait_for_function(PAINTED)
    return page.evaluate(PAINTED) / 1000


def changed(page: Page, selector: str, **act: str) -> float:
    """Seconds from an act to a list that shows something else."""
    return page.evaluate(CHANGED, [selector, act]) / 1000


def median(times: int, measure: Callable[[int], float]) -> float:
    """The median of what is measured so often, after once that does not count."""
    measure(0)
    return statistics.median(measure(turn + 1) for turn in range(times))


def tables() -> list[Table]:
    """The table of the console."""
    installed = next(filter(None, map(shutil.which, ("chromium", "chromium-browser", "google-chrome", "chrome"))))
    with tempfile.TemporaryDirectory() as home, sync_playwright() as playwright:
        storage = open_storage(Path(home) / "state")
        fill(storage, JOBS)
        storage.close()
        with Server(Path(home) / "state", environment={"QUMULUS_LOG": "off", "QUMULUS_SIMULATIONS": "1"}) as server:
            browser = playwright.chromium.launch(executable_path=installed, args=["--no-sandbox", "--disable-gpu"])
            rows = measured(browser.new_page(), f"{server.url}/console")
            browser.close()
    return [Table(title=f"Console, {JOBS:,} jobs", rows=rows, note=f"Medians of {LOADS} loads and {CLICKS} clicks.")]


def measured(page: Page, url: str) -> list[Row]:
    """A row a page or a click."""
    found = {}
    for what, path in {"overview": "", "jobs": "/jobs"}.items():
        found[f"first contentful paint, {what}"] = median(LOADS, lambda _, path=path: painted(page, url + path)), PAINT
    page.wait_for_selector(ROWS)
    found["next page of jobs"] = median(CLICKS, lambda _: changed(page, "main button", text="Older")), INTERACTION
    states = ("failed", "succeeded", "cancelled")
    found["jobs of another state"] = (
        median(CLICKS, lambda turn: changed(page, "main select", value=states[turn % len(states)])),
        INTERACTION,
    )
    page.goto(url + "/devices")
    page.wait_for_selector(ROWS)
    found["devices in another order"] = median(CLICKS, lambda _: changed(page, "main th button")), INTERACTION
    return [
        Row(what=what, ours=seconds(took), least=seconds(most), met=took < most) for what, (took, most) in found.items()
    ]
