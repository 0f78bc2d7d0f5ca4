"""The contexts. Each is complete in its folder, and knows the others by `kernel.contracts` only."""
