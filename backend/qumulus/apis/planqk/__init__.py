"""The APIs of PLANQK, today the Kipu Quantum Hub."""
