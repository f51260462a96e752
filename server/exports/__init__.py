"""What `vestnik export` makes of a chat, or of what a person has said: lines of JSON, a page, and files."""
