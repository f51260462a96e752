"""This node among others on the same database: what it knows of them, and what it tells them."""
