"""Jobs of Qiskit Runtime: the inputs of a primitive, as the client wrote them."""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import Any, Self

from pydantic_core import to_json

from qumulus.core.kinds import Kind, Undecodable


@dataclass(frozen=True, slots=True)
class PrimitiveInput:
    """What was posted of a job. The worker checks ``params``: it is whatever JSON value was sent."""

    backend: Any  # the name by which the person knows the device
    params: Any

    def encode(self) -> bytes:
        """Return the JSON object with both members."""
        return to_json({"backend": self.backend, "params": self.params})

    @classmethod
    def decode(cls, content: bytes) -> Self:
        """Return the input of a job.

        Raises:
            Undecodable: the bytes are no JSON object, or one that is nested too deeply.
        """
        try:
            posted = json.loads(content)
        except (ValueError, RecursionError) as error:
            raise Undecodable("The body of the job is not a JSON document, or nested too deeply.") from error
        if not isinstance(posted, dict):
            raise Undecodable("The body of the job is not a JSON object.")
        return cls(posted.get("backend"), posted.get("params"))


SAMPLER = Kind("runtime.sampler", PrimitiveInput)
ESTIMATOR = Kind("runtime.estimator", PrimitiveInput)
EXECUTOR = Kind("runtime.executor", PrimitiveInput)
NOISE_LEARNER = Kind("runtime.noise-learner", PrimitiveInput)
CALIBRATE = Kind("runtime.calibrate", PrimitiveInput)
