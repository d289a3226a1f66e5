"""The databases: SQLite by default, PostgreSQL for several machines; tables, migrations, and the thread that writes."""
