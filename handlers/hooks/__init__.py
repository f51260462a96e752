"""Hooks: what is delivered to other programs, in which order, and when it is tried again."""
