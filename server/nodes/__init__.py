"""This node among others on the same database: what it reads of them, and what it publishes to them."""
