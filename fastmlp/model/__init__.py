"""What a network is: layers, activations, losses, optimizers, schedules and their state (floor 1)."""
