"""Programs of users, run as PLANQK runs them: one sandboxed child process per execution."""
