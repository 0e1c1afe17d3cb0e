"""Matrix products of dense rows (floor 2)."""
