"""Templates as text: JSON and YAML parsed into one tree."""
