"""Threads that share a step (floor 2)."""
