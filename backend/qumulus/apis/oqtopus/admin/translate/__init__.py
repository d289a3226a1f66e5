"""Between the core and the Admin API."""
