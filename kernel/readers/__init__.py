"""What the page reads, over HTTP: the reader contracts of `kernel.contracts`."""
