"""The first layer of sparse rows: only what is not zero is multiplied (floor 2)."""
