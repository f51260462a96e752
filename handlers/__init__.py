"""What clients may ask, and what the server then does. No sockets, no HTTP, no SQL."""
