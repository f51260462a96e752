"""The HTTP side of hooks: requests to the targets of outgoing hooks."""
