"""What clients may ask, and what the server does then. No sockets, no HTTP, no SQL."""
