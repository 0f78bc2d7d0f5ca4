"""The stacks of templates: parameters, exports, nested stacks, and references between them."""
