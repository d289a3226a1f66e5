"""The wire: one folder a family, in it one folder an API. A handler reads, calls the core, translates."""
