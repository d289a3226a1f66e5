"""The processes: composing the application, starting, supervising and ending it, with or without HTTP."""
