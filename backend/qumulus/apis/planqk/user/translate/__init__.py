"""Between the core's words and those of the user API."""
