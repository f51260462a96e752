"""Measures a real server over real sockets, and checks every delivery."""
