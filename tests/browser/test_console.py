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
    "/jobs/:failed": ".reason",
    "/compare?a=:job&b=:job": ".drawing svg",
    "/devices": "table",
    "/devices/brisbane": ".drawing svg circle",
    "/sessions": "table",
    "/services": "table",
    "/services/sums": "table",
    "/emulation": ".facts",
    "/tokens": "table",
    "/state": "table",
    "/system": ".checks li",
}
PROGRAM = """
def run(data=None, params=None):
    print("adding", len(data["values"]), "values")
    open("/var/runtime/output/notes.txt", "w").write("added by hand")
    return {"sum": sum(data["values"])}
"""


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
        page.screenshot(path=Path(PICTURES) / f"{name}.png")


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
    expect(page.get_by_role("row", name=re.compile("^brisbane"))).to_contain_text("0.0", timeout=SECONDS)  # a median
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
    page.goto(cloud.url + "/console/devices/manila")
    page.get_by_text("Let it drift").click()
    page.get_by_label("How many").fill("2")
    page.get_by_label("Seed").fill("7")
    page.get_by_role("button", name="Let calibrations follow").click()
    expect(page.get_by_text("1 of 3")).to_contain_text("the current one", timeout=SECONDS)
    expect(page.locator("details td").first).to_be_attached(timeout=SECONDS)
    errors = [readout(page)]
    for number in (2, 3):
        page.get_by_role("slider").press("ArrowRight")
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
    form = page.get_by_role("form", name="Add the fault")
    form.get_by_label("What goes wrong").select_option("error")
    form.get_by_label("API").fill("oqtopus")
    form.get_by_label("Status").fill("503")
    form.get_by_label("Times").fill("1")
    page.get_by_role("button", name="Add the fault").click()
    row = page.get_by_role("row", name=re.compile("An error in place of the answer"))
    expect(row).to_be_visible(timeout=SECONDS)
    task = {"device": "Kawasaki", "n_shots": 10, "code": BELL}
    assert [ask(cloud, "POST", "/task", task)[0] for _ in range(2)] == [503, 200]
    expect(row.get_by_role("cell").nth(2)).to_have_text("1", timeout=SECONDS)
    picture(page, "faults", "section[aria-labelledby=faults]")
    row.get_by_role("button").click()
    expect(page.get_by_text("Nothing goes wrong on purpose.")).to_be_visible(timeout=SECONDS)


def test_a_scenario_is_begun_and_its_faults_are_seen(page: Page, cloud: Server) -> None:
    page.goto(cloud.url + "/console/emulation")
    page.get_by_role("button", name="A flaky network", exact=True).click()
    expect(page.get_by_text("A flaky network has begun.")).to_be_visible(timeout=SECONDS)
    expect(page.get_by_role("row", name=re.compile("The page of a proxy"))).to_be_visible(timeout=SECONDS)
    page.get_by_role("button", name="Take all back").click()
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


def test_a_folder_becomes_a_service_whose_execution_shows_log_and_files(
    page: Page, cloud: Server, tmp_path: Path
) -> None:
    (tmp_path / "Sums/src").mkdir(parents=True)
    (tmp_path / "Sums/src/program.py").write_text(PROGRAM)
    page.goto(cloud.url + "/console/services")
    page.get_by_label("Folder with src/program.py").set_input_files(tmp_path / "Sums")
    expect(page.get_by_label("Name")).to_have_value("sums")
    page.get_by_role("button", name="Deploy").click()
    expect(page.locator(".title .state")).to_have_text("ready", timeout=SECONDS)
    page.get_by_label("Input").fill('{"data": {"values": [1, 2, 39]}}')
    page.get_by_role("button", name="Run").click()
    page.wait_for_url("**/console/jobs/*")
    expect(page.locator(".title .state")).to_have_text("succeeded", timeout=SECONDS)
    expect(page.get_by_label("output.json", exact=True)).to_contain_text("42", timeout=SECONDS)
    expect(page.get_by_label("notes.txt", exact=True)).to_have_text("added by hand")
    expect(page.locator(".log")).to_contain_text("adding 3 values")
    picture(page, "execution")
    with page.expect_download() as saved:
        page.get_by_role("button", name="Download notes.txt").click()
    assert saved.value.path().read_text() == "added by hand"
    page.get_by_role("link", name="sums").click()
    expect(page.get_by_role("row", name=re.compile("succeeded"))).to_be_visible(timeout=SECONDS)


def test_devices_of_ones_own_are_added_and_removed(page: Page, cloud: Server, tmp_path: Path) -> None:
    file = tmp_path / "mine.json"
    file.write_text('{"name": "mine", "topology": "line 3"}')
    page.goto(cloud.url + "/console/devices")
    page.get_by_label("as JSON").set_input_files(file)
    page.get_by_role("button", name="Add the devices").click()
    expect(page.get_by_text("Added: mine.")).to_be_visible(timeout=SECONDS)
    page.get_by_label("A device with an engine of its own").fill("theirs")
    page.get_by_role("button", name="Register it for an engine").click()
    expect(page.get_by_text("Added: theirs.")).to_be_visible(timeout=SECONDS)
    page.get_by_role("link", name="theirs").click()
    expect(page.get_by_label("an engine fetches its jobs")).to_be_checked(timeout=SECONDS)
    page.on("dialog", lambda dialog: dialog.accept())
    page.get_by_role("button", name="Remove the device").click()
    page.wait_for_url("**/console/devices")
    expect(page.get_by_role("link", name="mine")).to_be_visible(timeout=SECONDS)
    expect(page.get_by_role("link", name="theirs")).to_have_count(0)


def test_an_account_an_instance_and_a_limit_are_made(page: Page, cloud: Server) -> None:
    page.goto(cloud.url + "/console/tokens")
    page.get_by_label("Identifier").fill("second")
    page.get_by_role("button", name="Make an account").click()
    expect(page.get_by_role("region", name="Accounts").get_by_text("second").first).to_be_visible(timeout=SECONDS)
    page.get_by_text("OQTOPUS", exact=True).click()
    expect(page.get_by_label("Variables for OQTOPUS")).to_contain_text(cloud.url)
    page.goto(cloud.url + "/console/sessions")
    page.get_by_label("Name").fill("free")
    page.get_by_role("combobox", name="Account").select_option("second")
    page.get_by_role("button", name="Make an instance").click()
    row = page.get_by_role("row", name=re.compile("^free second"))
    expect(row).to_contain_text("of the plan", timeout=SECONDS)
    page.get_by_role("combobox", name="Instance").select_option("free")
    page.get_by_label("Seconds in 28 days").fill("60")
    page.get_by_role("button", name="Limit the instance").click()
    expect(row).to_contain_text("60.0 s", timeout=SECONDS)
    row.get_by_role("button", name="Remove free").click()
    expect(row).to_have_count(0, timeout=SECONDS)


def test_a_session_shows_for_how_long_its_jobs_had_the_device(page: Page, cloud: Server) -> None:
    caller = {"Authorization": "Bearer qumulus-local", "Service-CRN": LOCAL_CRN}
    _, session = ask(cloud, "POST", "/api/v1/sessions", {"mode": "dedicated", "backend": "ibm_torino"}, **caller)
    body = {
        "program_id": "sampler",
        "backend": "ibm_torino",
        "session_id": session["id"],
        "params": {"pubs": [["OPENQASM 3.0; bit[1] meas; meas[0] = measure $0;", None, 100]]},
    }
    status, job = ask(cloud, "POST", "/api/v1/jobs", body, **caller)
    assert status == 200, job
    page.goto(cloud.url + "/console/sessions")
    row = page.get_by_role("row", name=re.compile(session["id"]))
    expect(row).to_contain_text(re.compile(r"0\s*\d+(\.\d+)? m?s"), timeout=SECONDS)  # nothing waits, some time is used
    picture(page, "sessions")
    row.get_by_role("link", name=session["id"]).click()
    expect(page.get_by_role("row", name=re.compile("succeeded"))).to_be_visible(timeout=SECONDS)


def test_a_state_is_kept_and_a_namespace_begins_with_it(page: Page, cloud: Server) -> None:
    page.goto(cloud.url + "/console/state")
    page.get_by_role("form", name="Keep a snapshot").get_by_label("Name", exact=True).fill("monday")
    page.get_by_role("button", name="Keep a snapshot").click()
    expect(page.get_by_role("row", name=re.compile("monday"))).to_be_visible(timeout=SECONDS)
    form = page.get_by_role("form", name="Make a namespace")
    form.get_by_label("Name", exact=True).fill("tests-1")
    form.get_by_label("With the snapshot").fill("monday")
    form.get_by_role("button").click()
    expect(page.get_by_role("row", name=re.compile("tests-1"))).to_contain_text("/namespaces/tests-1", timeout=SECONDS)
    page.on("dialog", lambda dialog: dialog.accept())
    page.get_by_role("button", name="Remove tests-1").click()
    expect(page.get_by_role("row", name=re.compile("tests-1"))).to_have_count(0, timeout=SECONDS)


def test_the_machine_of_the_server_is_looked_at(page: Page, cloud: Server) -> None:
    page.goto(cloud.url + "/console/system")
    page.get_by_role("button", name="Look for what could be wrong").click()
    expect(page.get_by_role("row", name=re.compile("^disk"))).to_be_visible(timeout=SECONDS)


def test_who_has_another_token_is_asked_for_it(page: Page, tmp_path: Path) -> None:
    with Server(tmp_path / "state", environment={"QUMULUS_ADMIN_TOKEN": "only-mine-1234"}) as server:
        page.goto(server.url + "/console/jobs")
        assert Axe().run(page).violations_count == 0
        page.get_by_label("Administrator's token").fill("guessed")
        page.get_by_role("button", name="Sign in").click()
        expect(page.get_by_role("alert")).to_have_text("The server does not know this token.", timeout=SECONDS)
        page.get_by_label("Administrator's token").fill("only-mine-1234")
        page.get_by_role("button", name="Sign in").click()
        heading(page, "Jobs")
        page.get_by_role("button", name="Sign out").click()
        expect(page.get_by_label("Administrator's token")).to_be_visible()


def test_every_page_is_accessible_in_both_themes(themed: Page, cloud: Server) -> None:
    job, failed = submit(cloud), submit(cloud, "nonsense", "Broken")
    for view, drawn in READY.items():
        themed.goto(f"{cloud.url}/console{view.replace(':job', job).replace(':failed', failed)}")
        expect(themed.locator("main").locator(drawn).first).to_be_visible(timeout=SECONDS)
        if view == "/jobs/:job":
            themed.get_by_role("button", name="Draw the circuit").click()
            expect(themed.locator("svg.circuit")).to_be_visible(timeout=SECONDS)
        found = Axe().run(themed)
        assert found.violations_count == 0, f"{view}: {found.generate_report()}"
