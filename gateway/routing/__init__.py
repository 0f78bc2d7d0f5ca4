"""Rules and settings: values and functions without I/O."""
