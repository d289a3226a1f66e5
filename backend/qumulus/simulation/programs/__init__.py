"""What a worker can run, one module a kind of program. Each is imported in the worker, when it is first needed."""
