"""What is wrong with what a store, or a backup, holds: rules over its records, whatever store it is."""
