"""Runs OQTOPUS' own scenario tests: runbooks in YAML, as their files are.

Their runner, runn, is a program in Go that no package brings; this reads what its runbooks say: variables, steps that ask over HTTP, run
a command or include another runbook, loops, and conditions. What it does not know is an error, not a step that passes.
"""

from __future__ import annotations

import os
import re
import subprocess
import time
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import httpx2

from clients.oqtopus.expressions import evaluated
from qumulus.openapi import yaml12

TEMPLATE = re.compile(r"{{(.*?)}}")
VARIABLE = re.compile(r"\$\{(\w+)\}")
KNOWN = {"desc", "if", "include", "req", "exec", "dump", "test", "bind", "loop"}
PAUSE = 0.2  # between two looks of a loop, in seconds; its own is kept as the time that it may take


class StepFailed(AssertionError):
    """A condition of a runbook does not hold."""


class Runbook:
    """A runbook and the variables that it is run with."""

    def __init__(
        self, path: Path, folder: Path, environment: Mapping[str, str], parent: Mapping[str, Any] | None = None
    ) -> None:
        """``folder`` is where commands run, ``parent`` what the runbook has that includes this one."""
        text = VARIABLE.sub(lambda found: environment.get(found[1], found[0]), path.read_text())
        self._path = path
        self._folder = folder
        self._environment = environment
        self._said: dict[str, Any] = yaml12.read(text.encode())
        self.scope: dict[str, Any] = {"steps": {}, "parent": parent, "included": parent is not None}
        self._urls = self._said.get("runners", {})

    def run(self, variables: Mapping[str, Any] | None = None) -> None:
        """Run all steps; ``variables`` go before the runbook's own.

        Raises:
            StepFailed: with the condition, and what there was.
        """
        own = {name: self._filled(value) for name, value in (self._said.get("vars") or {}).items()}
        self.scope["vars"] = own | dict(variables or {})
        self._urls = self._filled(self._urls)
        for name, step in self._said["steps"].items():
            unknown = set(step) - KNOWN
            assert not unknown, f"{self._path.name} has steps with {unknown}"
            if "if" not in step or evaluated(step["if"], self.scope):
                self._step(name, step)

    def _step(self, name: str, step: dict[str, Any]) -> None:
        if "loop" in step:
            self._repeat(name, step)
        else:
            self._act(name, step)
        for bound, expression in step.get("bind", {}).items():
            self.scope[bound] = evaluated(expression, self.scope)
        current = self.scope | {"current": self.scope["steps"].get(name)}
        if "test" in step and not evaluated(step["test"], current):
            raise StepFailed(
                f"{self._path.name}: {name}: {step['test']}\nwith {self.scope.get('vars')}\nand {current['current']}\nand {self.scope.get('wait_res_body')}"
            )

    def _repeat(self, name: str, step: dict[str, Any]) -> None:
        loop = step["loop"]
        deadline = time.monotonic() + loop["count"] * loop["minInterval"]
        while time.monotonic() < deadline:
            self._act(name, step)
            if evaluated(loop["until"], self.scope | {"current": self.scope["steps"][name]}):
                return
            time.sleep(PAUSE)

    def _act(self, name: str, step: dict[str, Any]) -> None:
        if "req" in step:
            self.scope["steps"][name] = self._ask(step["req"])
        if "exec" in step:
            self.scope["steps"][name] = self._execute(step["exec"])
        if "include" in step:
            self.scope["steps"][name] = self._include(step["include"])

    def _include(self, said: dict[str, Any]) -> dict[str, Any]:
        path = (self._path.parent / said["path"]).resolve()
        book = Runbook(path, self._folder, self._environment, self.scope)
        book.run({name: self._filled(value) for name, value in said.get("vars", {}).items()})
        return book.scope

    def _ask(self, said: dict[str, Any]) -> dict[str, Any]:
        ((path, by_method),) = said.items()
        ((method, request),) = by_method.items()
        body = request.get("body", {})
        assert set(body) <= {"application/json"}, body
        content = {"json": self._filled(body["application/json"])} if body else {}
        url = self._urls["req"] + self._filled(path)
        answer = httpx2.request(
            method.upper(), url, headers=self._filled(request.get("headers", {})), timeout=60, **content
        )
        kind = answer.headers.get("content-type", "")
        return {
            "res": {
                "status": answer.status_code,
                "body": answer.json() if "json" in kind else None,
                "rawBody": answer.text,
            }
        }

    def _execute(self, said: dict[str, Any]) -> dict[str, Any]:
        done = subprocess.run(
            ["bash", "-c", self._filled(said["command"])],
            cwd=self._folder,
            env={"PATH": os.environ["PATH"], "LC_ALL": "C"},
            capture_output=True,
            text=True,
            timeout=60,
        )
        return {"exit_code": done.returncode, "stdout": done.stdout, "stderr": done.stderr}

    def _filled(self, value: Any) -> Any:
        """A value with its templates replaced: one that is nothing else keeps the type."""
        if isinstance(value, dict):
            return {name: self._filled(each) for name, each in value.items()}
        if isinstance(value, list):
            return [self._filled(each) for each in value]
        if not isinstance(value, str):
            return value
        if alone := re.fullmatch(r"{{([^{}]*(?:{})?[^{}]*)}}", value):
            return evaluated(alone[1], self.scope)
        return TEMPLATE.sub(lambda found: _shown(evaluated(found[1], self.scope)), value)


def _shown(value: Any) -> str:
    return "null" if value is None else str(value)
