"""The documented client: raw JSON frames, close codes, and a connection that fits into the rooms."""
