"""The parts of the web client against the real server."""
