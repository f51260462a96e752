"""What is known while the server runs: connections, chats in memory, presence, typing, limits. No commands."""
