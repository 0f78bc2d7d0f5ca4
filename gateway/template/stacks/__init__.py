"""The stacks that templates make: parameters, exports, nested stacks, and who refers to whom."""
