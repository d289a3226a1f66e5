"""Runs programs of users for tests, as the server does: in a process of their own, behind the sandbox of this machine."""

from __future__ import annotations

import json
import sys
import textwrap
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from qumulus.core.results import LogLine, Outcome
from qumulus.services.execution import Executable, Execution, Input, Pool
from qumulus.services.images import Image
from qumulus.services.resources import Resources
from qumulus.services.sandbox import Sandbox


@dataclass(frozen=True)
class Done:
    """A run that has ended."""

    outcome: Outcome
    log: tuple[LogLine, ...]
    place: Path

    @property
    def result(self) -> Any:
        """`output.json` or `output.txt`, read."""
        files = self.outcome.files
        return json.loads(files.get("output.json") or files["output.txt"])

    @property
    def texts(self) -> list[str]:
        """The lines of the log."""
        return [line.text for line in self.log]


class Programs:
    """Makes a service's folder from source code and runs it."""

    def __init__(self, folder: Path, sandbox: Sandbox) -> None:
        self.folder = folder
        self.sandbox = sandbox
        self.count = 0
        self.log: list[LogLine] = []  # what the last execution has told

    def execution(
        self,
        source: str,
        body: Any = None,
        *,
        files: Mapping[str, str] | None = None,
        secrets: Mapping[str, str] | None = None,
        pools: Mapping[str, Pool] | None = None,
        parts: Mapping[str, bytes] | None = None,
        network: bool = True,
        environment: Mapping[str, str] | None = None,
        strict: bool = False,
        python: Path = Path(sys.executable),
        prefixes: Sequence[Path] = (),
        hidden: Path | None = None,
        image: Image | None = None,
        **resources: Any,
    ) -> Execution:
        """An execution that is ready to run."""
        self.count += 1
        self.log = []
        service = self.folder / f"service-{self.count}"
        (service / "src").mkdir(parents=True)
        (service / "src" / "program.py").write_text(textwrap.dedent(source))
        for name, content in (files or {}).items():
            (service / name).parent.mkdir(parents=True, exist_ok=True)
            (service / name).write_text(content)
        program = Executable(
            folder=service,
            python=python,
            prefixes=(Path(sys.base_prefix), python.parents[1], *prefixes),
            strict=strict,
            image=image,
            resources=Resources(**{"seconds": 20.0} | resources),
        )
        given = Input(
            body=body if isinstance(body, bytes) else json.dumps({} if body is None else body).encode(),
            secrets=secrets or {},
            pools=pools or {},
            parts=parts or {},
            environment=environment or {},
        )
        return Execution(
            f"00000000-0000-4000-8000-{self.count:012}",
            program,
            given,
            place=self.folder / "runs" / str(self.count),
            sandbox=self.sandbox,
            now=lambda: datetime.now(UTC),
            tell=self.log.extend,
            network=network,
            own_apis=environment is not None,
            hidden=hidden,
        )

    def run(self, source: str, body: Any = None, **options: Any) -> Done:
        """Run to the end."""
        execution = self.execution(source, body, **options)
        outcome, rest = execution.run()
        return Done(outcome, (*self.log, *rest), self.folder / "runs" / str(self.count))
