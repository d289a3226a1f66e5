"""Which devices are offered, and in which order."""

from __future__ import annotations

import pytest

from qumulus.apis.ibm import names as ibm
from qumulus.catalogue import FleetCatalogue, SnapshotCatalogue, fleet
from qumulus.core.devices import DeviceKind
from qumulus.core.errors import InvalidRequest, UnknownDevice

SNAPSHOTS = SnapshotCatalogue()


def offered(text: str, **more) -> FleetCatalogue:
    return FleetCatalogue(SNAPSHOTS, fleet.names(text, SNAPSHOTS), **more)


def qpus(catalogue: FleetCatalogue) -> list[str]:
    return [device.name for device in catalogue.devices() if device.kind is DeviceKind.QPU]


def test_all_devices_come_with_the_largest_and_newest_first_and_simulators_last():
    catalogue = offered("all")
    assert len(qpus(catalogue)) == 68
    assert qpus(catalogue)[:3] == ["aachen", "boston", "pittsburgh"]
    sizes = [device.n_qubits for device in catalogue.devices() if device.kind is DeviceKind.QPU]
    assert sizes == sorted(sizes, reverse=True)
    assert [device.name for device in catalogue.devices()][-2:] == ["qulacs", "sse"]


def test_what_ibm_offers_today_are_its_newest_processors():
    catalogue = offered("today")
    assert set(qpus(catalogue)) == set(fleet.OFFERED_TODAY)
    assert {SNAPSHOTS.device(name).family for name in fleet.OFFERED_TODAY} == {"Heron", "Nighthawk"}


def test_a_list_may_name_devices_in_any_form_and_add_them_to_those_of_today():
    assert qpus(offered("ibm_lima, Brisbane,ibmq_quito")) == ["brisbane", "lima", "quito"]
    assert "sherbrooke" in qpus(offered("today,ibm_sherbrooke"))
    assert len(qpus(offered("lima,all"))) == 68


def test_a_device_that_is_not_offered_is_unknown_to_clients_and_known_to_records():
    catalogue = offered("today")
    assert not catalogue.offers("lima")
    assert catalogue.device("lima").n_qubits == 5
    with pytest.raises(UnknownDevice):
        ibm.device(catalogue, "ibm_lima")
    assert ibm.device(catalogue, "ibm_fez").name == "fez"
    assert ibm.device(catalogue, "test_eagle").name == "test_eagle"


def test_what_was_added_is_offered_besides():
    catalogue = offered("today", always=lambda: ["lima"])
    assert catalogue.offers("LIMA")
    assert "lima" in qpus(catalogue)


@pytest.mark.parametrize(
    ("text", "sentence"), [("ibm_atlantis", "names 'atlantis'"), (" , ", "has to be 'all'"), ("a/b", "no name")]
)
def test_a_fleet_of_what_is_not_there_is_refused(text, sentence):
    with pytest.raises(InvalidRequest, match=sentence):
        fleet.names(text, SNAPSHOTS)
