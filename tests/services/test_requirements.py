"""The packages that services ask for, in all the ways that pip reads."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Callable, Mapping
from pathlib import Path

import pytest

from qumulus.core.errors import InvalidRequest
from qumulus.services import requirements
from qumulus.services.environments import Environments
from qumulus.services.installing import NotInstalled

Made = Callable[[Mapping[str, str]], Path]
PACKAGE = {
    "libs/mine/pyproject.toml": '[project]\nname = "mine"\nversion = "1"\n[build-system]\nrequires = []\nbuild-backend = "backend"\nbackend-path = ["."]\n',
    "libs/mine/backend.py": """
import zipfile
def build_wheel(folder, *_, **__):
    with zipfile.ZipFile(f"{folder}/mine-1-py3-none-any.whl", "w") as wheel:
        wheel.writestr("mine.py", "ANSWER = 42")
        wheel.writestr("mine-1.dist-info/METADATA", "Metadata-Version: 2.1\\nName: mine\\nVersion: 1\\n")
        wheel.writestr("mine-1.dist-info/WHEEL", "Wheel-Version: 1.0\\nRoot-Is-Purelib: true\\nTag: py3-none-any\\n")
        wheel.writestr("mine-1.dist-info/RECORD", "")
    return "mine-1-py3-none-any.whl"
""",
}


@pytest.fixture
def made(tmp_path: Path) -> Made:
    """Make the folder of a service."""

    def make(files: Mapping[str, str]) -> Path:
        for name, text in files.items():
            (tmp_path / "service" / name).parent.mkdir(parents=True, exist_ok=True)
            (tmp_path / "service" / name).write_text(text)
        return tmp_path / "service"

    return make


def test_files_that_a_file_includes_are_written_out(made: Made):
    folder = made(
        {
            "requirements.txt": "-r base.txt\n--constraint=sub/limits.txt\nnumpy>=2 \\\n  ,<3  # new\n",
            "base.txt": "# nothing\n-r requirements.txt\nscipy\n",
            "sub/limits.txt": "-r more.txt\nscipy<2\n",
            "sub/more.txt": "numpy!=2.1\n",
        }
    )
    assert requirements.read(folder) == ("scipy", "-c numpy!=2.1", "-c scipy<2", "numpy>=2    ,<3")


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ("-r base.txt", "names base.txt, which the service does not have"),
        ("-r ../base.txt", "is outside of the service's folder"),
        ("./mine", "names ./mine, which the service does not have"),
        ("/etc", "is outside of the service's folder"),
        ("-r https://example.org/base.txt", "put that file into the service's folder"),
    ],
)
def test_what_is_not_the_services_own_is_refused(made: Made, text: str, told: str):
    with pytest.raises(InvalidRequest, match=told):
        requirements.read(made({"requirements.txt": text}))


def test_another_version_of_python_is_refused(made: Made):
    with pytest.raises(InvalidRequest, match=r"asks for Python >=3\.99 \(pyproject.toml\), and this server runs"):
        requirements.read(made({"pyproject.toml": '[project]\nrequires-python = ">=3.99"\n'}))
    with pytest.raises(InvalidRequest, match=r"has to be like '>=3\.11'"):
        requirements.read(made({"pyproject.toml": '[project]\nrequires-python = "new"\n'}))
    own = '[project]\nrequires-python = ">=3.11"\ndependencies = ["numpy"]\n'
    assert requirements.read(made({"pyproject.toml": own})) == ("numpy",)


def test_a_folder_of_the_service_is_another_requirement_once_it_has_changed(made: Made):
    first = requirements.read(made({**PACKAGE, "requirements.txt": "./libs/mine\n"}))
    assert first[0].startswith("./libs/mine # ")
    second = requirements.read(made({"libs/mine/backend.py": PACKAGE["libs/mine/backend.py"] + "\n"}))
    assert first != second


@pytest.fixture
def offline(monkeypatch: pytest.MonkeyPatch) -> None:
    """Let pip ask nobody."""
    monkeypatch.setenv("PIP_NO_INDEX", "1")


@pytest.mark.usefixtures("offline")
@pytest.mark.parametrize("line", ["./libs/mine", "-e ./libs/mine"])
def test_a_folder_of_the_service_is_installed_with_the_platforms_own_packages(made: Made, tmp_path: Path, line: str):
    folder = made({**PACKAGE, "requirements.txt": f"{line}\n"})
    backend = folder / "libs" / "mine" / "backend.py"
    backend.write_text(backend.read_text() + "build_editable = build_wheel\n")
    environments, wanted = Environments(tmp_path / "environments"), requirements.read(folder)
    environments.make(wanted, folder)
    program = "import loguru, mine; print(mine.ANSWER)"
    told = subprocess.run([environments.python(wanted), "-c", program], capture_output=True, text=True)
    assert told.stdout == "42\n", told.stderr


@pytest.mark.usefixtures("offline")
def test_a_constraint_holds(made: Made, tmp_path: Path):
    folder = made({**PACKAGE, "requirements.txt": "-c limits.txt\n./libs/mine\n", "limits.txt": "mine<1\n"})
    with pytest.raises(NotInstalled, match="mine"):
        Environments(tmp_path / "environments").make(requirements.read(folder), folder)


def test_programs_without_packages_of_their_own_find_the_platforms(tmp_path: Path):
    python = Environments(tmp_path).python(())
    assert python == Path(sys.executable)
    assert subprocess.run([python, "-c", "import loguru"]).returncode == 0
