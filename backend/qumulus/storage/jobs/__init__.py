"""Jobs, sessions and workloads as rows: as people ask for them, and as dispatchers take them."""
