"""Data sets: what users give, checked once and held as the engines take it (floor 4)."""
