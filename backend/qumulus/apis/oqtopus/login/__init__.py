"""The login of the web frontend."""
