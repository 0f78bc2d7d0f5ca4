"""What the posts context stores besides posts themselves."""
