"""Starting, logging and stopping a process."""
