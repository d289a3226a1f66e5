"""Several processes on one state, on both databases."""

from databases import database as database
