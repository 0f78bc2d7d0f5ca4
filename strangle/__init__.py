"""`make strangle`: the migration from the monolith to the services, with real processes, under
load, and an audit of everything that was acknowledged meanwhile."""
