"""Swagger UI and ReDoc as people use them."""

from __future__ import annotations

import json
from base64 import b64encode
from pathlib import Path
from urllib.request import Request, urlopen

import pytest
from playwright.sync_api import Page, expect

from servers import Server

SECONDS = 15_000  # what a page may take on a busy machine, in milliseconds


def names(server: Server) -> list[str]:
    return [api["name"] for api in json.loads(server.get("/"))["apis"]]


def try_out(page: Page, operation: str) -> None:
    """Open an operation and send what stands in its fields."""
    block = page.locator(f"[id$='-{operation}']")
    block.locator(".opblock-summary-control").click()
    block.get_by_role("button", name="Try it out").click()
    block.get_by_role("button", name="Execute").click()
    expect(block.locator(".live-responses-table tbody .response-col_status").first).to_be_visible(timeout=SECONDS)


def answered(page: Page, operation: str) -> tuple[str, str]:
    """Status and body of the answer that Swagger UI shows."""
    table = page.locator(f"[id$='-{operation}'] .live-responses-table")
    status = table.locator("tbody .response-col_status").first.inner_text()
    return status.split()[0], table.locator(".highlight-code code").first.inner_text()


def test_the_selector_opens_every_api(page: Page, live_server: Server) -> None:
    shown = page.locator(".swagger-ui .info .title")
    first, *others = names(live_server)
    page.goto(live_server.url + "/docs")
    for name in [first, *others, first]:
        if page.locator("#api").input_value() != name:
            page.select_option("#api", name)
            page.wait_for_url(f"**/docs?api={name}")
        title = json.loads(live_server.get(f"/openapi/{name}.json"))["info"]["title"]
        expect(shown).to_contain_text(title, timeout=SECONDS)


def test_try_it_out_reaches_the_server(page: Page, live_server: Server) -> None:
    page.goto(live_server.url + "/docs?api=emulator")
    try_out(page, "getHealth")
    status, body = answered(page, "getHealth")
    assert status == "200"
    assert '"ready": true' in body


def test_try_it_out_submits_the_task_of_the_example(page: Page, live_server: Server) -> None:
    page.goto(live_server.url + "/docs?api=user")
    try_out(page, "postTask")
    status, body = answered(page, "postTask")
    assert status == "200", body
    task = json.loads(live_server.get(f"/task/{json.loads(body)['task_id']}"))
    assert (task["device"], task["name"]) == ("Kawasaki", "Bell State Sampling")


def test_redoc_shows_the_api_of_the_address(page: Page, live_server: Server) -> None:
    page.goto(live_server.url + "/redoc?api=emulator")
    expect(page.get_by_role("heading", name="whether the server is well")).to_be_visible(timeout=SECONDS)


HOSTILE = (
    "Shown <img src=/nothing onerror='document.title=`taken`'> <svg onload='document.title=`taken`'></svg> "
    "<a id=lure href='javascript:document.title=`taken`'>read on</a> <script>document.title=`taken`</script>"
)
HOSTILE_API = {
    "openapi": "3.0.0",
    "info": {"title": "{body}<script>document.title=`taken`</script>", "version": "1", "description": HOSTILE},
    "paths": {"/": {"post": {"summary": HOSTILE, "description": HOSTILE}}},
    "components": {"schemas": {"InputData": {"type": "object", "description": HOSTILE, "title": HOSTILE}}},
}


@pytest.mark.parametrize("kind", ["docs", "redoc"])
def test_no_word_of_who_deployed_a_service_runs_as_a_script(page: Page, live_server: Server, kind: str) -> None:
    files = {"src/program.py": "def run(data, params):\n    return {}\n", "openapi.yaml": json.dumps(HOSTILE_API)}
    files["planqk.json"] = json.dumps({"name": HOSTILE_API["info"]["title"], "description": HOSTILE})
    body = {"files": {name: b64encode(text.encode()).decode() for name, text in files.items()}}
    request = Request(f"{live_server.url}/emulator/services/hostile", json.dumps(body).encode(), method="PUT")
    request.add_header("Authorization", "Bearer qumulus-admin")
    request.add_header("Content-Type", "application/json")
    urlopen(request).close()
    page.goto(f"{live_server.url}/{kind}?api=services/hostile")
    expect(page.locator("#document")).to_contain_text("Shown", timeout=SECONDS)
    page.evaluate(
        "document.querySelectorAll('#document a').forEach(each => each.href.includes('title') && each.click())"
    )
    page.evaluate(  # as if what cleans the words had left a script in them
        """() => {
            const script = document.createElement("script")
            script.textContent = "document.title = `taken`"
            document.body.append(script)
        }"""
    )
    assert page.title() != "taken"
    expect(page.locator("#api option", has_text="{body}")).to_have_count(1)


def test_try_it_out_works_where_the_provider_api_stands_at_the_root(page: Page, tmp_path: Path) -> None:
    with Server(tmp_path / "state", arguments=("--front", "provider")) as server:
        page.goto(server.url + "/docs?api=provider")
        try_out(page, "getHello")
        assert answered(page, "getHello") == ("200", '{\n  "message": "Hello World!!"\n}')
        page.get_by_role("button", name="Authorize", exact=True).click()
        page.locator(".auth-container input").fill("qumulus-provider")
        page.locator(".auth-container").get_by_role("button", name="Apply credentials").click()
        page.locator(".auth-container").get_by_role("button", name="Close").click()
        try_out(page, "getJobs")
        assert answered(page, "getJobs") == ("200", "[]")
        shown = page.locator("[id$='-getJobs'] .request-url pre").inner_text()
        assert shown.startswith(f"{server.url}/jobs?device_id=")  # at the root, where an engine asks


AUTHORIZED = [("user", "listDevices"), ("emulator", "listAccounts"), ("ibm-runtime", "listBackends")]


@pytest.mark.parametrize(("api", "operation"), AUTHORIZED)
def test_one_click_authorizes_as_the_default_account(page: Page, live_server: Server, api: str, operation: str) -> None:
    page.goto(f"{live_server.url}/docs?api={api}")
    page.get_by_role("button", name="Authorize as the default account").click(timeout=SECONDS)
    try_out(page, operation)
    status, body = answered(page, operation)
    assert status == "200", body


def test_credentials_of_ones_own_are_not_shown(page: Page, tmp_path: Path) -> None:
    with Server(tmp_path / "state", environment={"QUMULUS_ADMIN_TOKEN": "only-mine-1234"}) as server:
        page.goto(server.url + "/docs?api=emulator")
        expect(page.locator(".swagger-ui .info .title")).to_be_visible(timeout=SECONDS)
        expect(page.get_by_role("button", name="Authorize as the default account")).to_be_hidden()
        assert "only-mine-1234" not in page.content()
