"""The web frontend of OQTOPUS, built from its source as docs/oqtopus.md says, and served as its own preview does.

OQTOPUS_FRONTEND_SOURCE names a checkout, or a git repository, of oqtopus-frontend. It is built once, under `.client-envs/`, with an
address in its variables that the copy of each test has replaced: the port of a server is not known when it is built.
"""

from __future__ import annotations

import hashlib
import shutil
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from threading import Thread

from clients.environments import KEPT
from sources import source_of
from tools import program

BUILT_FOR = "http://localhost:8080"  # the address of the documentation
SETTING = "region: env.VITE_APP_AUTH_REGION,"
ENDPOINT = "endpoint: env.VITE_APP_AUTH_ENDPOINT,"
VARIABLES = {
    "VITE_APP_AUTH_ENDPOINT": f"{BUILT_FOR}/cognito",
    "VITE_APP_AUTH_USER_POOL_ID": "local_qumulus",
    "VITE_APP_AUTH_USER_POOL_WEB_CLIENT_ID": "qumulus",
    "VITE_APP_API_ENDPOINT": BUILT_FOR,
    "VITE_APP_API_SIGNUP_ENDPOINT": BUILT_FOR,
    "VITE_APP_PUBLIC_BASE": "",
}
MINUTES = 15


def built(folder: Path) -> Path:
    """The built pages. Without the source, or what builds it, the test is skipped and says what is missing.

    Args:
        folder: where the source is copied to.
    """
    named = source_of("OQTOPUS_FRONTEND_SOURCE", "oqtopus-frontend")
    program("node")
    bun = [found] if (found := shutil.which("bun")) else [program("npx"), "--yes", "bun"]
    source = _copied(Path(named), folder / "source")
    kept = KEPT / f"oqtopus-frontend-{_digest(source)}"
    if not kept.exists():
        environment = source / "src" / "env" / "index.ts"
        text = environment.read_text()
        assert SETTING in text, "the source has another form than that of docs/oqtopus.md"
        environment.write_text(text.replace(SETTING, SETTING + ENDPOINT))
        (source / ".env.local").write_text("".join(f"{name}={value}\n" for name, value in VARIABLES.items()))
        _run([*bun, "install", "--frozen-lockfile", "--ignore-scripts"], source)
        _run([*bun, "run", "vite", "build"], source)
        KEPT.mkdir(exist_ok=True)
        shutil.copytree(source / "dist", kept)
    return kept


def _copied(named: Path, folder: Path) -> Path:
    """The source without what was installed or built beside it."""
    folder.mkdir()
    if (named / "package.json").is_file():
        shutil.copytree(
            named,
            folder,
            dirs_exist_ok=True,
            ignore=shutil.ignore_patterns(".git", "node_modules", "dist", ".env.local"),
        )
        return folder
    archive = subprocess.run(["git", "-C", named, "archive", "HEAD"], capture_output=True, check=True).stdout
    subprocess.run(["tar", "x", "-C", folder], input=archive, check=True)
    return folder


def _digest(source: Path) -> str:
    files = sorted(path for path in source.rglob("*") if path.is_file())
    content = b"".join(str(path.relative_to(source)).encode() + path.read_bytes() for path in files)
    return hashlib.sha256(content + repr(VARIABLES).encode()).hexdigest()[:12]


def _run(command: list[str], folder: Path) -> None:
    done = subprocess.run(command, cwd=folder, capture_output=True, text=True, timeout=MINUTES * 60)
    assert done.returncode == 0, f"{command} failed:\n{done.stdout[-3000:]}\n{done.stderr[-3000:]}"


class _Pages(SimpleHTTPRequestHandler):
    """Serves files, and the page of the application for every path that is none."""

    def send_head(self):
        if not Path(self.translate_path(self.path)).is_file():
            self.path = "/index.html"
        return super().send_head()

    def log_message(self, *said: object) -> None:
        """Say nothing."""


@contextmanager
def pages(built: Path, folder: Path, port: int, cloud: str) -> Iterator[str]:
    """Serve the built pages for the server at the address ``cloud``; the address of the pages."""
    shutil.copytree(built, folder)
    for script in folder.rglob("*.js"):
        content = script.read_bytes()
        if (named := BUILT_FOR.encode()) in content:
            script.write_bytes(content.replace(named, cloud.encode()))
    server = ThreadingHTTPServer(("localhost", port), lambda *given: _Pages(*given, directory=str(folder)))
    Thread(target=server.serve_forever, daemon=True).start()
    yield f"http://localhost:{port}"
    server.shutdown()
    server.server_close()
