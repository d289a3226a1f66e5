"""The vendor's own tests, run against a live server of ours: those of its local server (`qhub-serve`, `tests/test_app.py`), those of
its client that want a server (`qhub-service`, `tests/test_integration.py`), and those of its quantum client that go all the way through a
session (`qhub-quantum`, `test_runtime_session_it.py`), whose mock becomes a client that speaks to the server. Its other tests speak to mocks.

The source distributions are downloaded for that and nothing of them is kept. The local server's `TestClient` is replaced by an HTTP client; where a test
names another entry point in the environment, the service is deployed anew with that one, as the vendor's server looks it up.
"""

from __future__ import annotations

import ast
import shutil
import subprocess
import sys
import tarfile
from pathlib import Path

import pytest

from apis.planqk.cloud import deploy
from clients.environments import environment
from servers import Server

VERSION = "1.4.3"
HASH = "sha256:a15726f82653cc975bbd8f5d2a35182681706588ad928d6332517d3503f57a82"
RUNTIME = "qhub-commons==1.2.2\n"  # which the vendor's server has in its own environment
REPLACED = {
    "from fastapi.testclient import TestClient\n": "",
    "from qhub_serve.app import app\n": "from live import client\n",
    "client = TestClient(app)\n": "",
    "at_most(2, SECOND)": "at_most(20, SECOND)",  # a process each, on a machine that runs other tests meanwhile
}
LIVE = """
import base64, os, pathlib, time
import httpx

URL, WORKSPACE = os.environ["URL"], pathlib.Path(os.environ["SAMPLE"])
FILES = {
    path.relative_to(WORKSPACE).as_posix(): base64.b64encode(path.read_bytes()).decode()
    for path in WORKSPACE.rglob("*") if path.is_file()
}

class Client(httpx.Client):
    deployed = None

    def post(self, path, **options):
        self.deploy(os.environ.get("ENTRYPOINT", "src.program:run"))
        return super().post(path, **options)

    def deploy(self, entrypoint):
        if entrypoint != self.deployed:
            address, admin = "/emulator/services/workspace", {"Authorization": "Bearer qumulus-admin"}
            answer = self.put(address, json={"files": FILES, "entrypoint": entrypoint}, headers=admin)
            while answer.json()["state"] == "BUILDING":
                time.sleep(0.1)
                answer = self.get(address, headers=admin)
            assert answer.json()["state"] == "READY", answer.text
            self.deployed = entrypoint

client = Client(base_url=URL, headers={"Authorization": "Bearer qumulus-local"}, timeout=120)
"""


CLIENT_VERSION = "2.0.0"
CLIENT_HASH = "sha256:a5bc62952d03b82c5176a0a4b770eed9d900d6d5144940f8ae9555014c628c73"
SKIPPED = '    @unittest.skip("integration test")\n'
CLIENTS_SERVICE = """
def run(duration=0, num_cpus=1, data=None, dataset=None):
    print("asked for", duration, num_cpus)
    return {"read": (dataset / data["file_to_read"]).read_text()} if data else {"duration": duration}
"""

QUANTUM_VERSION = "1.18.1"
QUANTUM_HASH = "sha256:23ab311de60186958649389563dd9c3454de366342e6f9122ceaa775e2b70ffe"
SESSIONS = "tests/qhub/quantum/sdk/qiskit/providers/ibm/test_runtime_session_it.py"
OF_THE_SERVER = {  # what the mock was told to answer, and a server answers by itself
    "from unittest.mock import MagicMock\n": "from unittest.mock import ANY, MagicMock\nfrom live import Live\n",
    "client_mock = MagicMock()": "client_mock = Live()",
    'once_with("real-session-abc-123"': "once_with(ANY",
    '"session_id"), "real-session-abc-123")': '"session_id"), ANY)',
    'assertEqual("hub-session-1", job.session_id)': "assertEqual(client_mock.opened[-1].id, job.session_id)",
}
SPYING = """
import os
from unittest.mock import MagicMock
from qhub.api.quantum import HubQuantumClient

class Live:
    def __init__(self):
        self._client = HubQuantumClient(api_key="qumulus-local", base_url=os.environ["QHUB_QUANTUM_BASE_URL"])
        self.opened = []
        for name in ("sessions", "backends", "jobs", "runtime_minutes"):
            setattr(self, name, self._spied(name))

    def _spied(self, name):
        real = getattr(self._client, name)
        methods = {each: MagicMock(side_effect=getattr(real, each)) for each in dir(real) if not each.startswith("_")}
        if name == "sessions":
            methods["create_session"].side_effect = self._open
        return MagicMock(**methods)

    def _open(self, **asked):
        self.opened.append(self._client.sessions.create_session(**asked))
        return self.opened[-1]
"""


def source(folder: Path, package: str, version: str, digest: str) -> Path:
    """A source distribution, unpacked."""
    (folder / "wanted.txt").write_text(f"{package}=={version} --hash={digest}\n")
    command = ["pip", "download", "--quiet", "--no-deps", "--no-binary", ":all:", "--require-hashes"]
    done = subprocess.run(
        [sys.executable, "-m", *command, "-d", folder, "-r", folder / "wanted.txt"], capture_output=True, text=True
    )
    assert done.returncode == 0, done.stderr
    (archive,) = folder.glob("*.tar.gz")
    with tarfile.open(archive) as packed:
        packed.extractall(folder, filter="data")
    return folder / f"{package.replace('-', '_')}-{version}"


@pytest.fixture(scope="module")
def vendors(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The vendor's local server."""
    return source(tmp_path_factory.mktemp("qhub-serve"), "qhub-serve", VERSION, HASH)


def functions(source: str) -> str:
    """The programs that the tests have beside them, without what the tests import."""
    programs = [node for node in ast.parse(source).body if isinstance(node, ast.FunctionDef) and "run" in node.name]
    return "import time\n\n" + "\n\n".join(map(ast.unparse, programs))


def test_the_tests_of_the_vendors_own_server_pass(vendors: Path, tmp_path: Path):
    source = (vendors / "tests" / "test_app.py").read_text()
    workspace = vendors / "workspace"
    (workspace / "requirements.txt").write_text(RUNTIME)
    (workspace / "tests").mkdir()
    (workspace / "tests" / "test_app.py").write_text(functions(source))
    for old, new in REPLACED.items():
        assert old in source
        source = source.replace(old, new)
    (tmp_path / "test_app.py").write_text(source)
    (tmp_path / "live.py").write_text(LIVE)
    settings = {"QUMULUS_SERVICE_AT_ROOT": "workspace", "QUMULUS_SERVICES_RELATIVE_LINKS": "true"}
    with Server(tmp_path / "state", environment=settings) as server:
        done = subprocess.run(
            [environment("qhub-serve-tests"), "-c", "import live; live.client.deploy('src.program:run')"],
            cwd=tmp_path,
            env={"URL": server.url, "SAMPLE": str(workspace)},
            capture_output=True,
            text=True,
            timeout=300,
        )
        assert done.returncode == 0, done.stderr
        done = subprocess.run(
            [environment("qhub-serve-tests"), "-m", "unittest", "-v", "test_app"],
            cwd=tmp_path,
            env={"URL": server.url, "SAMPLE": str(workspace)},
            capture_output=True,
            text=True,
            timeout=300,
        )
    print(done.stderr)
    assert done.returncode == 0, f"{done.stderr}\n{server.output()[-5000:]}"
    assert done.stderr.count("... ok") == 9


def test_the_tests_of_the_vendors_own_client_pass(cloud: Server, tmp_path: Path):
    tests = source(tmp_path, "qhub-service", CLIENT_VERSION, CLIENT_HASH) / "tests" / "test_integration.py"
    text = tests.read_text()
    assert text.count(SKIPPED) == 3
    tests.write_text(text.replace(SKIPPED, ""))
    service = deploy(cloud, "integrated", CLIENTS_SERVICE, **{"datapool/dataset/example.txt": "pooled"})
    service.start({})  # the first of the tests looks at the latest execution
    done = subprocess.run(
        [environment("qhub-service-2.0.0"), "-W", "ignore", "-m", "unittest", "-v", "test_integration"],
        cwd=tests.parent,
        env={
            "SERVICE_ENDPOINT": service.base,
            "TOKEN_ENDPOINT": f"{cloud.url}/token",
            "ACCESS_KEY_ID": "qumulus",
            "SECRET_ACCESS_KEY": "qumulus-local",
        },
        capture_output=True,
        text=True,
        timeout=300,
    )
    assert done.returncode == 0, done.stderr
    assert "Ran 3 tests" in done.stderr
    assert "skipped" not in done.stderr
    assert "asked for 10 1" in done.stdout


def test_the_tests_of_the_vendors_quantum_client_that_go_through_a_session_pass(cloud: Server, tmp_path: Path):
    folder = source(tmp_path, "qhub-quantum", QUANTUM_VERSION, QUANTUM_HASH)
    text = (folder / SESSIONS).read_text()
    for old, new in OF_THE_SERVER.items():
        assert old in text
        text = text.replace(old, new)
    (folder / SESSIONS).write_text(text)
    (folder / "live.py").write_text(SPYING)
    shutil.rmtree(folder / "qhub")  # what is installed is tested
    done = subprocess.run(
        [environment("qhub-quantum-1.18.1"), "-W", "ignore", "-m", "unittest", "-v", SESSIONS],
        cwd=folder,
        env={"QHUB_QUANTUM_BASE_URL": f"{cloud.url}/quantum"},
        capture_output=True,
        text=True,
        timeout=300,
    )
    assert done.returncode == 0, done.stderr
    assert "Ran 3 tests" in done.stderr
