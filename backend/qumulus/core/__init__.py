"""The quantum cloud itself: devices, programs, jobs, sessions, accounts, results.

Imports the standard library and pydantic at most: no web framework, no SQL, no qiskit, no API family.
"""
