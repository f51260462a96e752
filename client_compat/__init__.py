"""The documented raw protocol: JSON frames, and a connection that the rooms of the engine can hold."""
