"""The results of all programs have the form of the examples that the document of the API shows."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

import pytest

from qumulus.apis.ibm.runtime.app import DOCUMENT

from .runtime import job, run
from .test_runtime_members import box_learner, estimator, executor, learner, sampler

EXAMPLES = DOCUMENT.content["paths"]["/jobs/{id}/results"]["get"]["responses"]["200"]["content"]["text/plain"][
    "examples"
]
SUBMITTED: Mapping[str, tuple[str, dict[str, Any]]] = {
    "sampler": ("sampler", sampler()),
    "samplerInQiskit": ("sampler", sampler() | {"support_qiskit": True}),
    "estimator": ("estimator", estimator()),
    "estimatorInQiskit": ("estimator", estimator() | {"support_qiskit": True}),
    "executor": ("executor", executor()),
    "noiseLearner": ("noise-learner", learner()),
    "noiseLearnerInQiskit": ("noise-learner", learner() | {"options": {"support_qiskit": True}}),
    "noiseLearnerOfBoxes": ("noise-learner", box_learner()),
}
REASON = "failed"


def assert_shown(found: Any, shown: Any, where: str = "$") -> None:
    """Each member of what is shown is there, and holds a value of the same kind; a list shows its first entry."""
    if isinstance(shown, dict):
        assert isinstance(found, dict), where
        assert not set(shown) - set(found), where
        for name, member in shown.items():
            assert_shown(found[name], member, f"{where}.{name}")
    elif isinstance(shown, list):
        assert isinstance(found, list), where
        if shown:
            assert found, where
            assert_shown(found[0], shown[0], f"{where}[0]")
    elif isinstance(shown, int | float) and not isinstance(shown, bool):
        assert isinstance(found, int | float), where
    else:
        assert type(found) is type(shown), where
        if where.endswith(("__type__", "__module__", "__class__")):
            assert found == shown


def test_each_form_is_shown() -> None:
    assert set(EXAMPLES) == {*SUBMITTED, REASON}


@pytest.mark.parametrize("form", SUBMITTED)
def test_a_result_has_the_form_of_the_example(form: str) -> None:
    kind, params = SUBMITTED[form]
    outcome = run(job(params, kind=kind))
    assert outcome.succeeded, outcome.reason
    found, shown = json.loads(outcome.result), json.loads(EXAMPLES[form]["value"])
    assert set(found) == set(shown)
    assert_shown(found, shown)
