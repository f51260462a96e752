"""Clients to test the server with, and the clock they turn."""
