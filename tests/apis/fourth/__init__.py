"""A fourth family, which only tests know: a folder, and a line in the list of families that `start` adds."""
