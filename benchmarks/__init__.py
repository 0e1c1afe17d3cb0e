"""What fastmlp's speed is, measured; see README.md in this folder."""
