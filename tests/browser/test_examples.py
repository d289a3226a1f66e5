"""Every example of every API, executed in Swagger UI as a person does: open, try it out, execute."""

from __future__ import annotations

import json
from collections.abc import Mapping
from functools import reduce
from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import Page, expect

from contract.test_apis import fixtures
from qumulus.openapi.jobs import Api, apis
from servers import Server

SECONDS = 20_000  # what a page may take on a busy machine, in milliseconds
# What takes away what other examples speak of, in this order:
LAST = ("delete", "clearFaults", "resetState", "beginScenario")
ENDLESS = {"followEvents"}  # a stream that ends a minute later
REFUSED = {  # by the documents' own words
    ("addJobEvent", 403),  # by a function, while it runs
    ("deleteApiToken", 403),  # the default account and its token stay
    ("deleteCurrentUser", 403),
    ("acceptInvitation", 404),  # organizations invite people, and there are none
    ("declineInvitation", 404),
}
METHODS = {"get", "put", "post", "patch", "delete"}

EXECUTE = """
async (operations) => {
  const settled = async (find) => {
    for (let turn = 0; turn < 800; turn++) {
      const found = find();
      if (found) return found;
      await new Promise((resume) => setTimeout(resume, 25));
    }
    throw new Error(`nothing is there after 20 s: ${find}`);
  };
  const answers = [];
  for (const operation of operations) {
    const block = await settled(() => document.querySelector(`.opblock[id$='-${operation}']`));
    const toggle = block.querySelector('.opblock-summary-control');
    toggle.click();
    (await settled(() => block.querySelector('.try-out__btn'))).click();
    (await settled(() => block.querySelector('.execute'))).click();
    const invalid = () => block.querySelector('input.invalid, textarea.invalid, .validation-errors li') && { innerText: '0' };
    const status = await settled(() => block.querySelector('.live-responses-table tbody .response-col_status') ?? invalid());
    const body = block.querySelector('.live-responses-table .highlight-code code');
    answers.push([operation, parseInt(status.innerText), body ? body.innerText.slice(0, 300) : '']);
    toggle.click();
  }
  return answers;
}
"""
"""Clicks through operations; the answer of each is its name, the status (0: a field is invalid) and the beginning of the body."""


def in_order(document: Mapping[str, Any]) -> list[str]:
    """The operations of a document, those that take things away last."""
    found = [
        (method, operation["operationId"])
        for path in document["paths"].values()
        for method, operation in path.items()
        if method in METHODS and operation["operationId"] not in ENDLESS and not takes_file(operation, document)
    ]
    return [name for _, name in sorted(found, key=lambda each: [word in each for word in LAST[::-1]])]


def takes_file(operation: Mapping[str, Any], document: Mapping[str, Any]) -> bool:
    """Whether a person has to choose a file first, which no example can do."""
    found = [operation.get("requestBody", {})]
    while found:
        part = found.pop()
        if isinstance(part, Mapping):
            if part.get("format") == "binary":
                return True
            if "$ref" in part:
                found.append(reduce(lambda inside, name: inside[name], part["$ref"].split("/")[1:], document))
            found += part.values()
        elif isinstance(part, list):
            found += part
    return False


@pytest.mark.parametrize("api", apis(), ids=lambda api: api.name)
def test_every_example_runs_as_it_stands(page: Page, api: Api, tmp_path: Path) -> None:
    home = tmp_path / "state"
    home.mkdir()
    rows = fixtures(api)
    if rows is not None:
        rows.fill(home)
    with Server(home, environment=getattr(rows, "SETTINGS", {})) as server:
        document = json.loads(server.get(f"/openapi/{api.name}.json"))
        page.goto(f"{server.url}/docs?api={api.name}")
        expect(page.locator(".swagger-ui .info .title")).to_be_visible(timeout=SECONDS)
        if document.get("components", {}).get("securitySchemes"):
            page.get_by_role("button", name="Authorize as the default account").click(timeout=SECONDS)
        answers = page.evaluate(EXECUTE, in_order(document))
    assert len(answers) == len(in_order(document))
    assert [each for each in answers if not 200 <= each[1] < 400 and tuple(each[:2]) not in REFUSED] == []
