"""Files that people send: received, kept, read and taken away."""
