"""Load on a real server, over real sockets, with every delivery checked."""
