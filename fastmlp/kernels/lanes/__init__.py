"""Tiny networks of one shape side by side, one a lane of each vector (floor 2)."""
