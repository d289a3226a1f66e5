"""How jobs are run: dispatcher, warm parent, workers."""
