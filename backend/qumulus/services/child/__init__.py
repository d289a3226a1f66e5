"""The file tree that runs a user's program, executed by path with the service's own interpreter.

Nothing here may import `qumulus` or anything outside the standard library: neither is installed there.
"""
