"""The cases context: reports of posts, collected into cases that moderators decide."""
