"""A real browser that reaches this machine and nothing else."""

from __future__ import annotations

from collections.abc import Iterator
from urllib.parse import urlsplit

import pytest
from playwright.sync_api import Browser, Page, Route, sync_playwright

from tools import program

QUIET = (  # no sandbox as root; nothing in the background that looks for the network
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
)
LOOPBACK = {"127.0.0.1", "localhost", "::1"}


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    """The Chromium that is installed; none is downloaded."""
    installed = program("chromium", "chromium-browser", "google-chrome", "chrome", needed_in_ci=True)
    with sync_playwright() as playwright:
        chromium = playwright.chromium.launch(executable_path=installed, args=list(QUIET))
        yield chromium
        chromium.close()


@pytest.fixture
def page(browser: Browser) -> Iterator[Page]:
    """A page with the network cut off; to ask for anything outside fails the test, as does an error of a script."""
    outside: list[str] = []
    mistakes: list[str] = []

    def gate(route: Route) -> None:
        url = urlsplit(route.request.url)
        if url.hostname in LOOPBACK or url.scheme in {"data", "blob"}:
            route.continue_()
        else:
            outside.append(route.request.url)
            route.abort()

    context = browser.new_context()
    context.route("**/*", gate)
    page = context.new_page()
    page.on("pageerror", lambda error: mistakes.append(str(error)))
    yield page
    context.close()
    assert outside == [], "the page asked for something outside"
    assert mistakes == [], "a script of the page failed"
