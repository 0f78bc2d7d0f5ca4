"""The admin socket, the command line, and the commands of an operator."""
