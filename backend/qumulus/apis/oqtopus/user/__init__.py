"""The User API: the task API as it was first published, and today's jobs."""
