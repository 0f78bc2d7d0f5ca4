"""What moderators and admins do: its log in each context, and how it is read over HTTP."""
