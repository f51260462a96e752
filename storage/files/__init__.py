"""The bytes of files: in a folder, or in the database that nodes share. `ports` says what both do."""
