"""The console as people use it: real clicks in a real browser, in both themes, checked for accessibility."""

from __future__ import annotations

import os
import re
from collections.abc import Iterator
from datetime import datetime, timedelta
from pathlib import Path

import pytest
from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import Browser, Page, expect

from asking import ask
from qumulus.apis.ibm.instances import LOCAL_CRN
from servers import Server

SECONDS = 20_000  # what a step may take on a busy machine, in milliseconds
PICTURES = os.environ.get("QUMULUS_PICTURES")  # a folder that keeps what the pages looked like
ADMIN = {"Authorization": "Bearer qumulus-admin"}
BELL = "OPENQASM 3; qubit[2] q; bit[2] c; h q[0]; cnot q[0], q[1]; c = measure q;"
READY = {  # the pages, and what is there when each is drawn
    "": "table",
    "/jobs": "table",
    "/jobs/:job": ".drawing svg",
    "/devices": "table",
    "/devices/brisbane": ".drawing svg circle",
    "/sessions": "table",
    "/services": "pre",
    "/emulation": ".facts",
    "/tokens": "table",
    "/system": ".checks li",
}


@pytest.fixture(scope="module")
def cloud(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    """A cloud in which nothing has happened yet: the walk is in the order of the tests."""
    with Server(tmp_path_factory.mktemp("console") / "state") as server:
        yield server


@pytest.fixture(params=["light", "dark"])
def themed(request: pytest.FixtureRequest, browser: Browser) -> Iterator[Page]:
    context = browser.new_context(color_scheme=request.param, viewport={"width": 1280, "height": 900})
    yield context.new_page()
    context.close()


def submit(server: Server, code: str = BELL, name: str = "Bell pair", device: str = "Kawasaki") -> str:
    task = {"device": device, "n_shots": 1000, "name": name, "code": code}
    status, answered = ask(server, "POST", "/task", task)
    assert status == 200, answered
    return answered["task_id"]


def picture(page: Page, name: str, part: str | None = None) -> None:
    """Keep what a page looks like, or the part of it with that selector."""
    if PICTURES and part:
        page.locator(part).screenshot(path=Path(PICTURES) / f"{name}.png")
    elif PICTURES:
        page.screenshot(path=Path(PICTURES) / f"{name}.png", full_page=True)


def clock(server: Server) -> datetime:
    return datetime.fromisoformat(ask(server, "GET", "/emulator/clock", **ADMIN)[1]["now"])


def readout(page: Page) -> str:
    """The readout errors that the table of qubits has."""
    return " ".join(page.locator("details td:nth-child(4)").all_text_contents())


def heading(page: Page, text: str) -> None:
    expect(page.get_by_role("heading", level=1)).to_have_text(text, timeout=SECONDS)


def test_an_empty_console_shows_first_steps_and_the_first_job_as_it_comes(page: Page, cloud: Server) -> None:
    page.goto(cloud.url + "/")
    page.wait_for_url("**/console")
    for family in ("IBM Quantum", "OQTOPUS", "PLANQK"):
        expect(page.get_by_role("heading", name=family)).to_be_visible(timeout=SECONDS)
    expect(page.get_by_text("● Live")).to_be_visible(timeout=SECONDS)
    picture(page, "first-steps")
    submit(cloud)
    row = page.get_by_role("row", name=re.compile("Bell pair"))
    expect(row.get_by_text("succeeded")).to_be_visible(timeout=SECONDS)  # nothing was loaded anew by hand
    row.get_by_role("link", name="Bell pair").click()
    heading(page, "Bell pair")
    expect(page.get_by_role("img", name=re.compile(r"1,000 shots of c, .* outcomes"))).to_be_visible(timeout=SECONDS)
    expect(page.locator(".drawing svg").first).to_be_visible(timeout=SECONDS)
    picture(page, "job")
    page.get_by_role("button", name="Draw the circuit").click()
    expect(page.get_by_role("img", name="Circuit of 4 operations on 2 qubits")).to_be_visible(timeout=SECONDS)
    page.get_by_label("Shown").select_option("as the device runs it")
    expect(page.get_by_role("img", name=re.compile("Circuit of .* ns long"))).to_be_visible(timeout=SECONDS)
    picture(page, "circuit", "section[aria-labelledby=circuits]")
    page.get_by_role("button", name="Run it again").click()
    page.wait_for_url("**/console/jobs/*")
    expect(page.locator(".title .state")).to_have_text("succeeded", timeout=SECONDS)


def test_a_failed_job_says_why_and_what_to_do(page: Page, cloud: Server) -> None:
    job = submit(cloud, "OPENQASM 3; qubit[2] q; nonsense q[0];", "Broken")
    page.goto(f"{cloud.url}/console/jobs/{job}")
    heading(page, "Broken")
    expect(page.get_by_role("heading", name="Why it failed")).to_be_visible(timeout=SECONDS)
    expect(page.locator(".reason p").first).to_contain_text("nonsense")


def test_a_device_shows_its_map_a_good_line_and_its_numbers(page: Page, cloud: Server) -> None:
    page.goto(cloud.url + "/console/devices")
    page.get_by_label("Name or processor").fill("bris")
    page.get_by_role("link", name="brisbane").click()
    heading(page, "brisbane")
    expect(page.locator(".drawing svg circle")).to_have_count(127, timeout=SECONDS)
    page.get_by_label("A good line of").fill("5")
    expect(page.get_by_role("status").filter(has_text=re.compile(r"^\d+(, \d+){4}$"))).to_be_visible(timeout=SECONDS)
    page.get_by_role("combobox", name="Colour").select_option("T1")
    expect(page.get_by_role("img", name=re.compile("coloured by t1"))).to_be_visible()
    for figure in ("Error while idle", "Error of a one-qubit gate", "Worst error of a two-qubit gate"):
        page.get_by_role("combobox", name="Colour").select_option(figure)
        expect(page.get_by_role("img", name=re.compile(f"coloured by {figure.lower()}"))).to_be_visible()
    picture(page, "device")
    page.get_by_text("Qubits as a table").click()
    table = page.get_by_role("region", name="Qubits")
    table.get_by_role("button", name="Readout error").click()
    errors = [float(text) for text in table.locator("tbody td:nth-child(4)").all_inner_texts()]
    assert errors == sorted(errors)


def test_the_calibrations_of_a_device_are_walked_through_on_a_slider(page: Page, cloud: Server) -> None:
    status, series = ask(
        cloud, "POST", "/emulator/calibrations/manila", {"number": 2, "every_hours": 24, "seed": 7}, **ADMIN
    )
    assert status == 200, series
    page.goto(cloud.url + "/console/devices/manila")
    expect(page.get_by_text("1 of 3")).to_contain_text("the current one", timeout=SECONDS)
    expect(page.locator("details td").first).to_be_attached(timeout=SECONDS)
    errors = [readout(page)]
    for number in (2, 3):
        page.get_by_label("Calibration").press("ArrowRight")
        expect(page.get_by_text(f"{number} of 3")).to_be_visible(timeout=SECONDS)
        expect(page.locator("details td:nth-child(4)").first).not_to_have_text(errors[-1].split()[0], timeout=SECONDS)
        errors.append(readout(page))
    assert len(set(errors)) == 3


def test_a_device_that_is_taken_off_shows_so_and_its_job_waits(page: Page, cloud: Server) -> None:
    page.goto(cloud.url + "/console/devices/osaka")
    heading(page, "osaka")
    page.get_by_label("takes jobs").uncheck()
    expect(page.locator(".title").get_by_text("offline")).to_be_visible(timeout=SECONDS)
    assert ask(cloud, "GET", "/emulator/devices/osaka", **ADMIN)[1]["settings"]["online"] is False
    page.get_by_label("takes jobs").check()
    expect(page.locator(".title").get_by_text("online")).to_be_visible(timeout=SECONDS)


def test_a_job_that_waits_is_cancelled_by_its_button(page: Page, cloud: Server) -> None:
    ask(cloud, "PUT", "/emulator/devices/kyiv/settings", {"least_queue_seconds": 600}, **ADMIN)
    job = submit(cloud, name="Waits", device="Kyiv")
    page.goto(f"{cloud.url}/console/jobs/{job}")
    page.get_by_role("button", name="Cancel").click()
    expect(page.locator(".title .state")).to_have_text("cancelled", timeout=SECONDS)


def test_filters_stand_in_the_address_and_two_jobs_can_be_compared(page: Page, cloud: Server) -> None:
    for name in ("Left", "Right"):
        submit(cloud, name=name)
    page.goto(cloud.url + "/console/jobs?state=succeeded")
    page.get_by_label("Text").fill("ight")
    page.wait_for_url("**q=ight**")
    expect(page.get_by_role("row")).to_have_count(2, timeout=SECONDS)
    page.reload()
    expect(page.get_by_role("row", name=re.compile("Right"))).to_be_visible(timeout=SECONDS)
    page.goto(cloud.url + "/console/jobs?state=succeeded")
    for name in ("Left", "Right"):
        page.get_by_label(f"Compare {name}").check()
    page.get_by_role("link", name="Compare the two").click()
    expect(page.get_by_text(re.compile("total variation distance"))).to_be_visible(timeout=SECONDS)


def test_a_fault_is_set_seen_to_hit_and_taken_back(page: Page, cloud: Server) -> None:
    page.goto(cloud.url + "/console/emulation")
    page.get_by_label("What goes wrong").select_option("error")
    page.get_by_label("API").fill("oqtopus")
    page.get_by_label("Status").fill("503")
    page.get_by_label("Times").fill("1")
    page.get_by_role("button", name="Add the fault").click()
    row = page.get_by_role("row", name=re.compile("An error in place of the answer"))
    expect(row).to_be_visible(timeout=SECONDS)
    task = {"device": "Kawasaki", "n_shots": 10, "code": BELL}
    assert [ask(cloud, "POST", "/task", task)[0] for _ in range(2)] == [503, 200]
    expect(row.get_by_role("cell").nth(2)).to_have_text("1", timeout=SECONDS)
    picture(page, "faults")
    row.get_by_role("button").click()
    expect(page.get_by_text("Nothing goes wrong on purpose.")).to_be_visible(timeout=SECONDS)


def test_a_scenario_is_begun_and_its_faults_are_seen(page: Page, cloud: Server) -> None:
    page.goto(cloud.url + "/console/emulation")
    page.get_by_role("button", name="A flaky network").click()
    expect(page.get_by_text("A flaky network has begun.")).to_be_visible(timeout=SECONDS)
    expect(page.get_by_role("row", name=re.compile("The page of a proxy"))).to_be_visible(timeout=SECONDS)
    for row in page.get_by_role("button", name=re.compile("^Take back: ")).all()[::-1]:
        row.click()
    expect(page.get_by_text("Nothing goes wrong on purpose.")).to_be_visible(timeout=SECONDS)


def test_others_queue_at_a_device_and_are_taken_away(page: Page, cloud: Server) -> None:
    page.goto(cloud.url + "/console/emulation")
    page.get_by_label("Queue at").fill("torino")
    page.get_by_label("Jobs there").fill("7")
    page.get_by_role("button", name="Let others queue").click()
    row = page.get_by_role("row", name=re.compile("torino"))
    expect(row).to_contain_text("7", timeout=SECONDS)
    row.get_by_role("button").click()
    expect(page.get_by_text("Nobody else queues.")).to_be_visible(timeout=SECONDS)


def test_an_estimate_shows_what_it_was_extrapolated_from(page: Page, cloud: Server) -> None:
    ansatz = 'OPENQASM 3.0; include "stdgates.inc"; sx $0; cz $0, $1;'
    options = {"resilience": {"zne_mitigation": True}}
    body = {
        "program_id": "estimator",
        "backend": "ibm_torino",
        "params": {"pubs": [[ansatz, "ZZ"]], "options": options},
    }
    caller = {"Authorization": "Bearer qumulus-local", "Service-CRN": LOCAL_CRN}
    status, job = ask(cloud, "POST", "/api/v1/jobs", body, **caller)
    assert status == 200, job
    page.goto(f"{cloud.url}/console/jobs/{job['id']}")
    expect(page.get_by_role("img", name="Observable 0 at 3 noise factors")).to_be_visible(timeout=SECONDS)
    expect(page.get_by_text(re.compile("Observable 0 without noise: exponential"))).to_be_visible()
    picture(page, "extrapolation")


def test_the_clock_of_the_cloud_is_advanced_and_given_back(page: Page, cloud: Server) -> None:
    page.goto(cloud.url + "/console/emulation")
    page.get_by_role("button", name="stands").click()
    expect(page.get_by_text("only when it is advanced")).to_be_visible(timeout=SECONDS)
    before = clock(cloud)
    with page.expect_response("**/emulator/clock/advance"):
        page.get_by_role("button", name="1 day").click()
    assert clock(cloud) - before == timedelta(days=1)
    page.get_by_role("button", name="the machine's time again").click()
    expect(page.get_by_text("as the machine's")).to_be_visible(timeout=SECONDS)


def test_a_token_is_made_shown_once_and_revoked(page: Page, cloud: Server) -> None:
    page.goto(cloud.url + "/console/tokens")
    page.get_by_role("button", name="Make a token").click()
    expect(page.get_by_text("It is shown only now.")).to_be_visible(timeout=SECONDS)
    page.get_by_role("button", name=re.compile("^Revoke ")).click()
    expect(page.get_by_role("button", name=re.compile("^Revoke "))).to_have_count(0, timeout=SECONDS)


def test_who_has_another_token_is_asked_for_it(page: Page, tmp_path: Path) -> None:
    with Server(tmp_path / "state", environment={"QUMULUS_ADMIN_TOKEN": "only-mine-1234"}) as server:
        page.goto(server.url + "/console/jobs")
        page.get_by_label("Administrator's token").fill("guessed")
        page.get_by_role("button", name="Sign in").click()
        expect(page.get_by_role("alert")).to_have_text("The server does not know this token.", timeout=SECONDS)
        page.get_by_label("Administrator's token").fill("only-mine-1234")
        page.get_by_role("button", name="Sign in").click()
        heading(page, "Jobs")
        page.get_by_role("button", name="Sign out").click()
        expect(page.get_by_label("Administrator's token")).to_be_visible()


def test_every_page_is_accessible_in_both_themes(themed: Page, cloud: Server) -> None:
    job = submit(cloud)
    for view, drawn in READY.items():
        themed.goto(f"{cloud.url}/console{view.replace(':job', job)}")
        expect(themed.locator("main").locator(drawn).first).to_be_visible(timeout=SECONDS)
        if view == "/jobs/:job":
            themed.get_by_role("button", name="Draw the circuit").click()
            expect(themed.locator("svg.circuit")).to_be_visible(timeout=SECONDS)
        found = Axe().run(themed)
        assert found.violations_count == 0, f"{view}: {found.generate_report()}"
