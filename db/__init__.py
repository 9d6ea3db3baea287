"""The database: connections, named SQL, migrations and the embedded servers."""
