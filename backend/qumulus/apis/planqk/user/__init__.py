"""The User API of the Kipu Quantum Hub."""
