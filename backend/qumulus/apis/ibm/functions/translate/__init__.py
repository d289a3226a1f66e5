"""Between the gateway's words and the core's."""
