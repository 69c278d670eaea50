"""The store: engine, unit of work, column types, outbox, files, migrations; SQLite and PostGIS behind one face."""
