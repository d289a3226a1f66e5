"""The records of the families: what they say holds everywhere, and a fourth one needs no other place."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import httpx2
import pytest

from qumulus import apis as package
from qumulus.apis import families
from qumulus.apis.emulator.schemas.tokens import TokenApi
from qumulus.apis.family import loaded
from qumulus.openapi.jobs import REPOSITORY
from qumulus.openapi.jobs import apis as generated
from qumulus.payloads import KINDS
from qumulus.settings import Settings
from servers import Server

TESTS = Path(__file__).parents[1]
FOURTH = "apis.fourth.start"
WITH_TESTS = {"PYTHONPATH": str(TESTS)}


def test_every_folder_of_a_family_has_its_record_in_the_list():
    folders = {file.parent.name for root in package.__path__ for file in Path(root).glob("*/__init__.py")}
    assert folders == {family.name for family in families.FAMILIES}


def test_every_api_that_models_are_generated_for_is_served_and_no_other():
    models = {api.name: api.models for api in generated()}
    served = {api.name: api.module for api in families.apis()} | {"emulator": "qumulus.apis.emulator.app"}
    assert served.keys() == models.keys()
    for name, module in served.items():
        folder = Path(loaded(module).__file__).parent
        assert folder == (REPOSITORY / models[name]).parent, name


def test_the_specification_of_tokens_names_every_kind_of_credential():
    assert {each.value for each in TokenApi} == families.credentials().keys()


def test_every_kind_of_credential_has_a_setting_with_the_secret():
    assert {credential.setting for credential in families.credentials().values()} <= Settings.model_fields.keys()


def test_every_header_that_a_specification_has_for_a_credential_is_known():
    documents = [loaded(api.module).DOCUMENT.content for api in families.apis()]
    schemes = [each for one in documents for each in one.get("components", {}).get("securitySchemes", {}).values()]
    named = {each["name"].lower() if each["type"] == "apiKey" else "authorization" for each in schemes}
    assert set(families.credential_headers()) == named


def test_every_path_to_log_in_by_a_form_is_one_of_an_operation_that_gives_out_tokens():
    for family in families.FAMILIES:
        documents = [loaded(api.module).DOCUMENT for api in family.apis]
        paths = {declared.path for one in documents for declared in one.operations.values()}
        assert set(family.logins) <= paths, family.name


def test_every_kind_of_job_is_run_by_something_and_sent_by_a_family():
    assert {kind for family in families.FAMILIES for kind in family.kinds} == set(KINDS)


def test_what_records_refer_to_is_there():
    for family in families.FAMILIES:
        references = (family.programs, family.wanted, family.hints, *(api.at_root for api in family.apis))
        assert all(callable(loaded(reference)) for reference in references if reference), family.name


def test_the_records_need_the_standard_library_alone():
    code = "import sys; before = set(sys.modules); import qumulus.clients; print(*sorted(set(sys.modules) - before))"
    ran = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True, timeout=60)
    first = {name.partition(".")[0] for name in ran.stdout.split()}
    assert "qumulus" in first
    assert first - {"qumulus"} <= sys.stdlib_module_names


def test_a_fourth_family_is_served_and_let_in(fourth: Server):
    greeted = httpx2.get(f"{fourth.url}/acme/hello", headers={"X-Acme": "local-qumulus-local"})
    assert (greeted.status_code, greeted.json()) == (200, {"hello": "local"})
    assert httpx2.get(f"{fourth.url}/acme/hello", headers={"X-Acme": "acme-for-all"}).status_code == 200
    refused = httpx2.get(f"{fourth.url}/acme/hello", headers={"X-Acme": "qumulus-local"})
    assert refused.status_code == 401
    assert refused.json()["why"]
    told = httpx2.get(fourth.url).json()["apis"]
    assert [api["prefixes"] for api in told if api["name"] == "acme"] == [["/acme"]]
    assert httpx2.get(f"{fourth.url}/openapi/acme.json").json()["info"]["title"] == "Acme Quantum"
    assert 'Acme Quantum: eval "$(qumulus env acme' in fourth.output()


def test_a_fourth_family_is_intercepted(fourth: Server):
    where = json.loads(fourth.home.with_suffix(".ready").read_text())
    code = (
        "import urllib.request as u; "
        "print(u.urlopen(u.Request('https://quantum.acme.example/v7/hello', headers={'X-Acme': 'acme-for-all'})).read())"
    )
    environment = {**os.environ, "HTTPS_PROXY": where["proxy"], "SSL_CERT_FILE": where["certificate"], "NO_PROXY": ""}
    ran = subprocess.run([sys.executable, "-c", code], env=environment, capture_output=True, text=True, timeout=60)
    assert '{"hello":"local"}' in ran.stdout, ran.stderr


def test_a_fourth_family_has_its_environment():
    ran = _command("env", "acme", "--json", "--url", "http://127.0.0.1:1")
    assert json.loads(ran.stdout) == {"ACME_URL": "http://127.0.0.1:1/acme", "ACME_KEY": "local-qumulus-local"}
    assert "say one of acme, ibm, oqtopus, planqk." in _command("env", "nobody").stderr


def test_a_command_of_a_fourth_family_finds_its_cloud():
    code = "import os; print(os.environ['ACME_URL'], os.environ['ACME_KEY'], 'ACME_PROXY' in os.environ)"
    ran = _command("run", "--", sys.executable, "-c", code, ACME_PROXY="http://127.0.0.1:9", ACME_KEY="my-own")
    assert ran.returncode == 0, ran.stderr
    url, key, aside = ran.stdout.split()
    assert url.startswith("http://127.0.0.1:")
    assert url.endswith("/acme")
    assert (key, aside) == ("my-own", "False")


def test_a_token_of_a_fourth_family_can_be_asked_for():
    assert "|acme" in _command("tokens", "create", "--help").stdout


@pytest.fixture(scope="module")
def fourth(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    """A server with four families."""
    home = tmp_path_factory.mktemp("fourth") / "state"
    arguments = ("--intercept-port", "0", "--ready-file", str(home.with_suffix(".ready")))
    with Server(home, module=FOURTH, environment=WITH_TESTS, arguments=arguments) as server:
        yield server


def _command(*arguments: str, **environment: str) -> subprocess.CompletedProcess[str]:
    kept = {name: value for name, value in os.environ.items() if not name.startswith("QUMULUS_")}
    return subprocess.run(
        [sys.executable, "-m", FOURTH, *arguments],
        env=kept | WITH_TESTS | environment,
        capture_output=True,
        text=True,
        timeout=120,
    )
