"""Scenarios as files: the ready ones, those of people, and how one begins with the server."""

from __future__ import annotations

import json
import logging
from pathlib import Path
from typing import TYPE_CHECKING, Any

from qumulus.core.errors import QumulusError
from qumulus.emulation.ready import ready

from .start_error import StartError

if TYPE_CHECKING:
    from qumulus.apis.emulator.scenarios import Stage

log = logging.getLogger("qumulus.faults")


class ScenarioUnusable(Exception):
    """A file is no scenario; the text is a sentence that says why."""


def described() -> dict[str, str]:
    """Return what happens in the ready scenarios, by name."""
    return {name: json.loads(as_json(name))["description"] for name in ready()}


def text(name: str) -> str:
    """Return the text of a scenario: of a ready one by its name, else of a file.

    Raises:
        ScenarioUnusable: there is none of that name.
    """
    path = ready().get(name, Path(name))
    try:
        return path.read_text()
    except (OSError, UnicodeDecodeError) as error:
        why = error.strerror if isinstance(error, OSError) else "it is no text in UTF-8"
        known = ", ".join(ready())
        raise ScenarioUnusable(
            f"The scenario {name} can't be read: {(why or '').lower()}. The ready ones are {known}."
        ) from None


def as_json(name: str) -> str:
    """Return a scenario as JSON, as it is sent to a cloud.

    Raises:
        ScenarioUnusable: there is none of that name, or it is no YAML.
    """
    from qumulus.openapi import yaml12  # only where somebody has a scenario

    try:
        return json.dumps(yaml12.read(text(name).encode()))
    except (yaml12.Malformed, yaml12.DoubleKey) as error:
        raise ScenarioUnusable(f"The scenario {name} is no YAML: {' '.join(str(error).split())}") from None


def schema() -> dict[str, Any]:
    """Return the JSON schema of scenarios."""
    from qumulus.apis.emulator import scenarios

    return scenarios.schema()


def begin(name: str, stage: Stage) -> None:
    """Set up a scenario before the first request.

    Raises:
        StartError: it can't be.
    """
    from qumulus.apis.emulator import scenarios

    try:
        begun = scenarios.begin(scenarios.read(as_json(name)), stage)
    except ScenarioUnusable as error:
        raise StartError(str(error)) from None
    except QumulusError as error:
        raise StartError(f"The scenario {name} can't be begun: {error.message}") from None
    log.info("The scenario %r has begun, with %d faults.", begun.name, len(begun.faults))
