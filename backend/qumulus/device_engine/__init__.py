"""A device of an OQTOPUS cloud somewhere else: its jobs are fetched over the Provider API and run on this machine.

The engine, its fork server and its workers are those of the server; only the queue is another one, `remote.RemoteQueue`.
"""
