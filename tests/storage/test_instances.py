"""Instances besides the built-in ones."""

from __future__ import annotations

from qumulus.apis.ibm.instances import LOCAL_CRN, NAMING
from qumulus.core.accounts import DEFAULT_ACCOUNT
from qumulus.storage import open_storage


def test_instances_of_the_settings_are_there_beside_the_built_in_ones_and_stay(tmp_path):
    more = [NAMING.called("lab"), NAMING.called("lab"), NAMING.called(LOCAL_CRN)]
    for instances in (more, [], more):
        storage = open_storage(tmp_path, built_in=NAMING.built_in, instances=instances)
        try:
            names = [instance.name for instance in storage.accounts.instances(DEFAULT_ACCOUNT)]
        finally:
            storage.close()
        assert names == ["lab", "local", "test"]
