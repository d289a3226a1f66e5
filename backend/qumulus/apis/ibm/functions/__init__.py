"""Qiskit Serverless: functions of users, run as services are run, and the list of vendors' functions."""
