"""The document and its models."""
