"""The login of the users' own backend: its keys, its tokens, and the accounts of its people."""
