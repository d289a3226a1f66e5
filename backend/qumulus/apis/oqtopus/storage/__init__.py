"""Files of jobs and devices, by presigned requests."""
