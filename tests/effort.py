"""How long the tests that could go on for ever go on."""

from dataclasses import dataclass


@dataclass(frozen=True)
class Effort:
    """`fuzzing` is in seconds for each API document, in the ways that `phases` names; a state
    machine does `runs` times `steps`."""

    fuzzing: int
    phases: str
    runs: int
    steps: int


IN_PASSING = Effort(fuzzing=3, phases="fuzzing", runs=6, steps=25)
AS_PROOF = Effort(fuzzing=120, phases="examples,coverage,fuzzing", runs=200, steps=100)
