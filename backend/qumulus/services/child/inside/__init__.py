"""What stands around a user's program, and what calls it."""
