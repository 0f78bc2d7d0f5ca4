"""An interpreter of the Amazon States Language, for the subset that `definition.py` names.

Pure: no input or output, no clock, no threads. `definition.load` reads a state machine and refuses
what is not supported, by name. `transition.advance` takes a definition, an execution's record, an
event and the time, and returns the next record with its commands. A host stores the record before
it carries out the commands, and gets the same commands from a stored record again.
"""
