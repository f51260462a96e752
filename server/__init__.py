"""How the outside reaches the chat: gates, settings, wiring."""
