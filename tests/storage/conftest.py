"""Every test of the storage runs on both databases."""

from databases import database as database
