"""Between the words of this API and the core's, one module a resource."""
