"""The pages and documents that people read."""

from __future__ import annotations

import re
from types import ModuleType

import pytest
from fastapi.testclient import TestClient

from qumulus.openapi import yaml12
from qumulus.openapi.contract import Document
from qumulus.openapi.documentation import Served, documentation


@pytest.fixture(scope="module")
def client(sample: ModuleType) -> TestClient:
    document = Document("sample_models")
    served = [Served("first", document), Served("second", document, prefixes=("/second", "/api/second"))]
    return TestClient(documentation(served))


@pytest.mark.parametrize("page", ["/docs", "/redoc"])
def test_a_page_offers_every_api_and_only_files_of_this_server(client: TestClient, page: str) -> None:
    text = client.get(page).text
    assert re.findall(r'<option value="(\w+)">', text) == ["first", "second"]
    addresses = re.findall(r'(?:src|href)="([^"]+)"', text)
    assert len(addresses) == 3
    assert all(client.get(address).status_code == 200 for address in addresses)
    assert "default-src 'self'" in client.get(page).headers["content-security-policy"]


def test_both_forms_of_a_document_say_the_same(client: TestClient) -> None:
    as_json = client.get("/openapi/second.json").json()
    assert yaml12.read(client.get("/openapi/second.yaml").content) == as_json
    assert as_json["paths"] == Document("sample_models").content["paths"]


def test_a_document_names_the_addresses_it_is_served_at(client: TestClient) -> None:
    assert client.get("/openapi/first.json").json()["servers"] == [{"url": "/"}]
    assert client.get("/openapi/second.json").json()["servers"] == [{"url": "/second"}, {"url": "/api/second"}]


def test_an_unknown_api_is_answered_with_the_names(client: TestClient) -> None:
    answer = client.get("/openapi/third.json")
    assert answer.status_code == 404
    assert answer.json() == {"detail": "There is no API named 'third': the names are first, second."}
