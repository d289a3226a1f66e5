"""The documents of all devices, as the Qiskit Runtime API serves them."""

from __future__ import annotations

import json
import threading
from typing import Any

import pytest

from qumulus.apis.ibm import names
from qumulus.apis.ibm.runtime.documents import RenderedDocuments
from qumulus.apis.ibm.runtime.schemas.backend import BackendStatus
from qumulus.apis.ibm.runtime.schemas.configuration import BackendConfiguration
from qumulus.apis.ibm.runtime.schemas.properties import BackendProperties
from qumulus.apis.ibm.runtime.translate import backends as translate
from qumulus.catalogue import SnapshotCatalogue
from qumulus.core.devices import DeviceSettings
from qumulus.core.errors import UnknownDevice
from qumulus.openapi.contract import Rendered

CATALOGUE = SnapshotCatalogue()
DOCUMENTS = RenderedDocuments(CATALOGUE)
DEVICES = [device.name for device in names.devices(CATALOGUE)]


def test_ibm_has_all_snapshots_and_no_simulator():
    assert len(DEVICES) == 68
    assert "qulacs" not in DEVICES
    with pytest.raises(UnknownDevice):
        names.device(CATALOGUE, "ibm_qulacs")


@pytest.mark.parametrize("name", DEVICES)
def test_every_document_keeps_its_schema_and_says_the_device_s_name(name):
    calibration = CATALOGUE.calibration(name)
    bodies = {
        BackendConfiguration: DOCUMENTS.configuration(name).content,
        BackendProperties: DOCUMENTS.properties(name, calibration.id).content,
    }
    for model, body in bodies.items():
        assert model.model_validate_json(body, strict=True).backend_name == f"ibm_{name}"
    assert json.loads(bodies[BackendProperties])["gates"] == calibration.properties["gates"]


@pytest.mark.parametrize(
    ("broken", "where"),
    [({"gates": [{"name": "x"}]}, "gates.0.parameters"), ({"online_date": "yesterday"}, "online_date")],
)
def test_a_document_that_breaks_its_schema_is_not_served(broken, where, monkeypatch):
    changed = {**CATALOGUE.configuration("lima"), **broken}
    monkeypatch.setattr(SnapshotCatalogue, "configuration", lambda *_, **__: changed)
    with pytest.raises(ValueError, match=where):
        RenderedDocuments(SnapshotCatalogue()).configuration("lima")


def test_a_document_is_rendered_once():
    assert DOCUMENTS.configuration("fez") is DOCUMENTS.configuration("fez")


def test_the_configurations_of_listed_devices_are_rendered_before_they_are_asked_for(monkeypatch):
    documents = RenderedDocuments(CATALOGUE)
    thread = documents.render_ahead(["fez", "gone", "lima"])
    assert thread is not None
    thread.join(60)
    monkeypatch.setattr(SnapshotCatalogue, "configuration", lambda *_, **__: pytest.fail("It is there already."))
    assert json.loads(documents.configuration("lima").content)["backend_name"] == "ibm_lima"
    assert documents.render_ahead(["fez", "lima"]) is None


def test_devices_are_listed_where_no_thread_may_be_started(monkeypatch):
    def refuse(_thread: threading.Thread) -> None:
        raise RuntimeError("can't start new thread")

    documents = RenderedDocuments(CATALOGUE)
    with monkeypatch.context() as scarce:
        scarce.setattr(threading.Thread, "start", refuse)
        assert documents.render_ahead(["lima"]) is None
    assert documents.render_ahead(["lima"]) is not None  # nobody holds what another one waits for


def test_a_document_is_served_that_others_have_replaced_meanwhile(monkeypatch):
    documents, properties = RenderedDocuments(CATALOGUE), CATALOGUE.calibration("lima").id
    keep = documents._keep

    def keep_and_render_more(key: tuple[str, str], rendered: Rendered[Any]) -> Rendered[Any]:
        kept = keep(key, rendered)
        documents._kept.clear()  # as a thread may that renders others
        return kept

    monkeypatch.setattr(documents, "_keep", keep_and_render_more)
    assert documents.configuration("lima").content
    assert documents.properties("lima", properties).content


def test_a_name_is_found_in_any_case_and_only_with_its_prefix():
    assert names.device(CATALOGUE, "IBM_Yorktown").name == "yorktown"
    for unknown in ("yorktown", "ibm_", "ibmq_yorktown", "ibm"):
        with pytest.raises(UnknownDevice, match=unknown):
            names.device(CATALOGUE, unknown)


def test_the_status_has_the_client_s_names_inside_and_the_wire_s_outside():
    paused = translate.status(CATALOGUE.device("lima"), DeviceSettings(online=False, message="calibrating"), 3)
    assert (paused.operational, paused.status_msg, paused.pending_jobs) == (False, "maintenance", 3)
    assert json.loads(paused.model_dump_json(by_alias=True)) == {
        "backend_name": "ibm_lima",
        "backend_version": "1.0.5",
        "state": False,
        "status": "maintenance",
        "message": "calibrating",
        "length_queue": 3,
    }
    assert BackendStatus.model_validate(paused.model_dump(by_alias=True)) == paused


def test_defaults_have_all_members_and_the_frequencies_that_were_measured():
    lima, fez = (translate.defaults(CATALOGUE.calibration(name)) for name in ("lima", "fez"))
    assert len(lima.qubit_freq_est) == 5
    assert fez.qubit_freq_est == []
    assert set(json.loads(fez.model_dump_json())) == {
        "qubit_freq_est",
        "meas_freq_est",
        "buffer",
        "pulse_library",
        "cmd_def",
    }


def test_the_device_for_tests_is_hidden_unless_asked_for():
    (mock,) = set(names.devices(CATALOGUE, mocks=True)) - set(names.devices(CATALOGUE))
    assert names.to_wire(mock.name) == "test_eagle"
    assert names.device(CATALOGUE, "test_eagle") == mock
    assert names.mocks(CATALOGUE) == {mock.name}
    assert mock in names.devices(SnapshotCatalogue(show_mocks=True))
    assert names.mocks(SnapshotCatalogue(show_mocks=True)) == frozenset()
    assert json.loads(DOCUMENTS.configuration("test_eagle").content)["backend_name"] == "test_eagle"


def test_a_device_has_no_properties_of_a_time_before_its_first_calibration(runtime):
    newest = runtime.get("/backends/ibm_brisbane/properties")
    assert runtime.get("/backends/ibm_brisbane/properties", updated_before="2020-01-01T00:00:00Z") == {}
    assert runtime.get("/backends/ibm_brisbane/properties", updated_before="2099-01-01T00:00:00Z") == newest
