"""The APIs of OQTOPUS: for its users, and for the engines of its devices."""
