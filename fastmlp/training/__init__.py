"""Training: the epoch loop, and what may happen between epochs (floor 7)."""
