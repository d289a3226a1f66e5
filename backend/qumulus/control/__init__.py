"""A cloud as other programs start and administer it: the command line, the pytest plugin. Standard library only."""
