"""Instances besides the built-in ones."""

from __future__ import annotations

from qumulus.core.accounts import DEFAULT_ACCOUNT, LOCAL_CRN, instance_called
from qumulus.storage import open_storage


def test_instances_of_the_settings_are_there_beside_the_built_in_ones_and_stay(tmp_path):
    more = [instance_called("lab"), instance_called("lab"), instance_called(LOCAL_CRN)]
    for instances in (more, [], more):
        storage = open_storage(tmp_path, instances=instances)
        try:
            names = [instance.name for instance in storage.accounts.instances(DEFAULT_ACCOUNT)]
        finally:
            storage.close()
        assert names == ["lab", "local", "test"]
