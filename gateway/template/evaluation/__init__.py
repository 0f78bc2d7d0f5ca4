"""What a template's functions, parameters and conditions evaluate to."""
