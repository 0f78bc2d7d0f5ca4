"""One request, from the rule it matches to a target and back."""
