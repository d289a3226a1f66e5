"""`make` alone explains everything; the targets and their texts are those of the workflow that they come from."""

from __future__ import annotations

import subprocess

import pytest

from qumulus.openapi.jobs import REPOSITORY, apis

TARGETS = {
    "generate-all": "Generate user and provider openapi.yaml",
    "generate-user": "Generate user openapi.yaml",
    "generate-provider": "Generate provider openapi.yaml",
    "help": "Show this help message",
    "lint-all": "Lint user and provider",
    "lint-user": "Lint user openapi.yaml",
    "lint-provider": "Lint provider openapi.yaml",
    "down": "Stop the DB",
    "fmt": "Format code",
    "generate-all-schema": "Generate user and schemas",
    "generate-user-schema": "Generate user schema",
    "generate-provider-schema": "Generate provider schema",
    "lint": "Run linters",
    "run-user": "Start the User API",
    "run-provider": "Start the Provider API",
    "test": "Run tests",
    "up": "Start the DB",
}


@pytest.fixture(scope="module")
def told() -> str:
    return subprocess.run(["make"], cwd=REPOSITORY, capture_output=True, text=True, check=True).stdout


def test_make_alone_lists_every_target_with_its_text_in_one_column(told):
    listed = [line for line in told.splitlines() if line.startswith("  ")]
    texts = {line.split()[0]: line[29:] for line in listed}
    assert told.startswith("Usage: make [target]\n\nAvailable targets:\n")
    for target, text in TARGETS.items():
        assert texts[target].startswith(text), target
    assert all(line[28] == " " != line[29] for line in listed)


def test_make_alone_names_every_api(told):
    for api in apis():
        assert api.name in told
