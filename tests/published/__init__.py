"""What other people publish, run untouched: `make test-published` with QUMULUS_PUBLISHED naming a folder of notebooks or pages."""
