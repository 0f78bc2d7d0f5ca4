"""Load generators that are programs of their own."""
