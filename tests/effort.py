"""How long the tests that could go on for ever go on."""

from dataclasses import dataclass


@dataclass(frozen=True)
class Effort:
    """`fuzzing` is in seconds for each API document, in the ways that `phases` names; a state
    machine does `steps` at least, in runs of `steps_a_run` at most; `clients` is how many send
    the gateway whatever bytes they like, in each of its modes; `texts` is how many posts are
    rendered; `body_sizes` are the bytes of the bodies that every operation gets; with `mutate`,
    each mutation's tests are run."""

    fuzzing: int
    phases: str
    steps: int
    steps_a_run: int
    clients: int
    texts: int
    mutate: bool
    body_sizes: tuple[int, ...]


IN_PASSING = Effort(
    fuzzing=2,
    phases="fuzzing",
    steps=100,
    steps_a_run=25,
    clients=450,
    texts=20,
    mutate=False,
    body_sizes=(15_000,),
)
AS_PROOF = Effort(
    fuzzing=120,
    phases="examples,coverage,fuzzing",
    steps=20_000,
    steps_a_run=100,
    clients=5_000,
    texts=3_000,
    mutate=True,
    body_sizes=(100, 3_000, 15_000, 100_000, 500_000, 1_100_000),
)
