"""What a chat does: a file per noun, no sockets, no HTTP, no SQL."""
