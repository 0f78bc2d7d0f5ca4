"""How much work generative tests do: little in `make test`, much in `make prove`."""

from dataclasses import dataclass
from pathlib import Path
from typing import Final

import pytest

LEFT_OUT: Final = pytest.StashKey[frozenset[Path]]()
"""The files with tests that only `make prove` runs, and that this run leaves out."""


@dataclass(frozen=True)
class Effort:
    """Each API document is fuzzed for `fuzzing` seconds, in the `phases` of schemathesis; a state
    machine does `steps` at least, in runs of `steps_a_run` at most; `clients` send random bytes to
    the gateway, in each of its modes; it reads `templates` random sets of templates; `texts` random
    posts are rendered; every operation gets
    bodies of `body_sizes` bytes, with `every_shape` also of shapes that all operations treat alike;
    `case_runs` cases meet crashes and duplicates; a process of cases
    is killed at each `kill_every`th point; with `mutate`, the tests run against each mutation of
    the code."""

    fuzzing: int
    phases: str
    steps: int
    steps_a_run: int
    clients: int
    templates: int
    texts: int
    mutate: bool
    body_sizes: tuple[int, ...]
    every_shape: bool
    case_runs: int
    kill_every: int


BRIEF = Effort(
    fuzzing=2,
    phases="fuzzing",
    steps=100,
    steps_a_run=25,
    clients=80,
    templates=100,
    texts=20,
    mutate=False,
    body_sizes=(15_000,),
    every_shape=False,
    case_runs=25,
    kill_every=4,
)
THOROUGH = Effort(
    fuzzing=120,
    phases="examples,coverage,fuzzing",
    steps=20_000,
    steps_a_run=100,
    clients=5_000,
    templates=20_000,
    texts=3_000,
    mutate=True,
    body_sizes=(100, 3_000, 15_000, 100_000, 500_000, 1_100_000),
    every_shape=True,
    case_runs=1_000,
    kill_every=1,
)
