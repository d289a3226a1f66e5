"""The Admin API: an administrator registers devices that have engines of their own."""
