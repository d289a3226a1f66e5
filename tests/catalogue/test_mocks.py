"""Mocks: each device once more, for jobs that are not executed."""

from __future__ import annotations

from dataclasses import replace

import pytest

from qumulus.catalogue import AddedCatalogue, CombinedCatalogue, MockedCatalogue, SentDevice, SnapshotCatalogue
from qumulus.core.devices import DescribedDevice, DeviceKind
from qumulus.core.errors import UnknownDevice

PLAIN = SnapshotCatalogue()
CATALOGUE = MockedCatalogue(PLAIN)


def test_each_device_has_a_mock_beside_those_for_tests_and_lists_hide_them():
    stand = {mock.name: mock.stands_for for mock in CATALOGUE.mocks() if mock.stands_for}
    assert stand == {f"mock_{each.name}": each.name for each in PLAIN.devices() if each.kind is DeviceKind.QPU}
    assert set(PLAIN.mocks()) < set(CATALOGUE.mocks())
    assert CATALOGUE.devices() == PLAIN.devices()


def test_a_mock_has_what_is_told_of_its_device_and_is_offered_to_nobody():
    mock = CATALOGUE.device("Mock_Brisbane")
    assert (mock.name, mock.n_qubits) == ("mock_brisbane", 127)
    assert CATALOGUE.calibration(mock.name) == PLAIN.calibration("brisbane")
    assert CATALOGUE.calibration_id(mock.name) == PLAIN.calibration_id("brisbane")
    assert CATALOGUE.configuration(mock.name, fractional_gates=True) == PLAIN.configuration(
        "brisbane", fractional_gates=True
    )
    assert CATALOGUE.offers("brisbane")
    assert not CATALOGUE.offers(mock.name)


@pytest.mark.parametrize("name", ["mock_nowhere", "mock_qulacs", "mock_mock_brisbane", "nowhere"])
def test_what_is_not_there_has_no_mock(name):
    with pytest.raises(UnknownDevice, match=name):
        CATALOGUE.device(name)


def test_a_device_that_is_itself_called_so_comes_first():
    own = replace(PLAIN.device("fez"), name="mock_brisbane")
    added, calibration = SentDevice(), replace(PLAIN.calibration("fez"), device=own.name)
    added.take(DescribedDevice(device=own, configuration=PLAIN.configuration("fez"), calibrations=(calibration,)))
    catalogue = MockedCatalogue(CombinedCatalogue(AddedCatalogue(added), PLAIN))
    assert catalogue.device("mock_brisbane").n_qubits == 156
    assert catalogue.device("mock_brisbane").stands_for is None
    assert catalogue.offers("mock_brisbane")
    assert [each.name for each in catalogue.mocks()].count("mock_brisbane") == 0
