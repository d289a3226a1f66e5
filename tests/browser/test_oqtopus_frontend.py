"""The web frontend of OQTOPUS against this server: a login with a second factor, devices, a job that is sent and seen."""

from __future__ import annotations

import json
import re
import time
from collections.abc import Iterator

import pytest
from playwright.sync_api import Browser, Page, expect

from apis.oqtopus.cloud import USER
from asking import ask
from browser.frontend import built, pages
from qumulus.apis.oqtopus.login import second_factor
from servers import Server, free_port

SECONDS = 30_000  # what a step may take on a busy machine, in milliseconds
TOTP = "GEZDGNBVGY3TQOJQGEZDGNBVGY3TQOJQ"
BELL = 'OPENQASM 3; include "stdgates.inc"; qubit[2] q; bit[2] c; h q[0]; cx q[0], q[1]; c = measure q;'
INSIDE = ("localhost", "127.0.0.1")


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[str, Server]]:
    """The address of the frontend, and the server that it was built for."""
    folder = tmp_path_factory.mktemp("frontend")
    made = built(folder)
    port = free_port()
    settings = {"QUMULUS_ALLOWED_ORIGINS": f"http://localhost:{port}", "QUMULUS_LOGIN_TOTP": TOTP}
    with Server(folder / "state", environment=settings) as server:
        cloud = server.url.replace("127.0.0.1", "localhost")  # its cookies are those of localhost
        with pages(made, folder / "pages", port, cloud) as address:
            yield address, server


@pytest.fixture(scope="module")
def page(browser: Browser, site: tuple[str, Server]) -> Iterator[Page]:
    """A page in English that reaches this machine alone. The tests go on where the one before has left it."""
    context = browser.new_context(base_url=site[0], locale="en-US", viewport={"width": 1400, "height": 1000})
    context.route(
        lambda url: not re.match(rf"(https?://({'|'.join(INSIDE)})[:/]|data:|blob:)", url), lambda route: route.abort()
    )
    page = context.new_page()
    page.set_default_timeout(SECONDS)
    yield page
    context.close()


def sign_in(page: Page, password: str) -> None:
    page.goto("/login")
    page.get_by_placeholder("Enter Email").fill("user@localhost")
    page.get_by_placeholder("Enter Password").fill(password)
    page.get_by_role("button", name="Sign in").click()


def test_a_wrong_password_is_refused_in_words(page: Page):
    sign_in(page, "wrong")
    expect(page.get_by_role("alert").filter(has_text="Incorrect username or password.")).to_be_visible(timeout=SECONDS)
    expect(page).to_have_url(re.compile("/login"))


def test_a_login_lasts_when_the_page_is_loaded_anew(page: Page):
    sign_in(page, "qumulus-local")
    field = page.get_by_placeholder("Enter TOTP Code (6 digits)")
    field.fill(second_factor.code(second_factor.decoded(TOTP), int(time.time()) // 30))
    page.get_by_role("button", name=re.compile("submit|send", re.IGNORECASE)).click()
    page.wait_for_url("**/dashboard")
    page.reload()
    expect(page.get_by_role("link", name="Device", exact=True)).to_be_visible(timeout=SECONDS)
    expect(page).to_have_url(re.compile("/dashboard"))


def test_devices_are_listed_and_shown(page: Page):
    page.goto("/device")
    page.get_by_role("link", name="Kawasaki", exact=True).click()
    expect(page.get_by_text("QPU").first).to_be_visible(timeout=SECONDS)
    expect(page.locator("canvas").first).to_be_visible(timeout=SECONDS)  # the drawn topology


@pytest.mark.parametrize(("kind", "shown"), [("sampling", "counts"), ("estimation", "exp_value")])
def test_a_job_is_sent_from_the_form_and_its_result_is_shown(
    page: Page, site: tuple[str, Server], kind: str, shown: str
):
    page.goto("/jobs/form")
    page.locator("input[name=name]").fill(f"a {kind} from a browser")
    page.locator("input[name=shots]").fill("200")
    page.locator("select[name=deviceId]").select_option("Kawasaki")
    page.locator("select[name=type]").select_option(kind)
    page.locator("textarea[name=program]").fill(BELL)
    if kind == "estimation":
        page.get_by_placeholder(re.compile("Enter operators")).fill("Z 0 Z 1")
    page.get_by_role("button", name=re.compile("view job", re.IGNORECASE)).click()
    page.wait_for_url(re.compile(r"/jobs/[0-9a-f-]{36}$"))
    expect(page.get_by_text("succeeded").first).to_be_visible(timeout=SECONDS)
    expect(page.get_by_text(shown).first).to_be_visible(timeout=SECONDS)
    _, job = ask(site[1], "GET", f"/jobs/{page.url.rpartition('/')[2]}", **USER)
    assert (job["job_type"], job["device_id"], job["shots"], job["name"]) == (
        kind,
        "Kawasaki",
        200,
        f"a {kind} from a browser",
    )


def test_jobs_are_listed_and_a_token_is_made(page: Page, site: tuple[str, Server]):
    page.goto("/jobs")
    expect(page.get_by_role("row").filter(has_text="a sampling from a browser")).to_be_visible(timeout=SECONDS)
    page.goto("/settings/security")
    with page.expect_response(
        lambda answer: answer.url.endswith("/api-token") and answer.request.method == "POST"
    ) as told:
        page.get_by_role("button", name="Generate API Token").click()
    made = json.loads(told.value.body())
    status, me = ask(
        site[1], "GET", "/users/me", **{"q-api-token": f"{made['api_token_id']}.{made['api_token_secret']}"}
    )
    assert (status, me["id"]) == (200, "local")


def test_after_a_logout_the_pages_are_closed(page: Page):
    page.goto("/dashboard")
    page.get_by_role("button", name="Logout").click()
    expect(page).to_have_url(re.compile("/login"), timeout=SECONDS)
    page.goto("/jobs")
    expect(page).to_have_url(re.compile("/login"), timeout=SECONDS)
