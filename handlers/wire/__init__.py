"""How the wire says it: schemas of what comes in, views and events of what goes out, errors, endings. No state."""
