"""Large values: as files, as rows of a database that processes share, or as objects of an S3 store."""
