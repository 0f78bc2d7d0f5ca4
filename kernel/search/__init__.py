"""Full-text search: words by Unicode's rules, and scans that stop after bounded work."""
