"""The programs of Qiskit Runtime: sampler, estimator, executor, noise-learner and calibrate.

Payload: the JSON body of ``POST /jobs`` as it was accepted; its ``params`` are read here and nowhere else. Result: the
bytes that ``GET /jobs/{id}/results`` serves, in the encoding of the client's ``RuntimeEncoder``.
"""
