"""Executions of managed services."""
