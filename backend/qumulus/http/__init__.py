"""The HTTP side of a process: the front door that all APIs share, connections, metrics, and the processes at one address."""
