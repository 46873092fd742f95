"""make soak: live the life of clouds for a very long time, and hold every step against what must be true.

The steps are those of tests/compiler/proof, taken by a random generator: one seed, one life, so that a life that
failed is lived again with --seed. Prints progress and steps a second; writes build/soak.json.
"""

import argparse
import json
import sys
import time
from collections.abc import Iterator
from concurrent.futures import ProcessPoolExecutor, as_completed
from dataclasses import asdict, dataclass, field
from itertools import count, islice
from pathlib import Path
from random import Random

sys.path.insert(0, str(Path(__file__).parents[1]))

from tests.compiler.proof.choice import RandomChoice  # noqa: E402
from tests.compiler.proof.cloud import Cloud  # noqa: E402
from tests.compiler.proof.driver import step  # noqa: E402

LIFE = 1000
"""Steps of one life: worlds are full after some two hundred."""
COLD_EVERY = 25
"""The full recompute costs as much as all the rest of twenty steps."""
REPORT = Path("build/soak.json")


@dataclass(frozen=True)
class Failure:
    """A life that went wrong: at which step, after which operation, and what was found."""

    seed: int
    step: int
    found: str


@dataclass
class Soak:
    """What has been done so far."""

    first_seed: int
    steps: int = 0
    seconds: float = 0.0
    steps_per_second: int = 0
    failures: list[Failure] = field(default_factory=list)


def live(seed: int, steps: int) -> tuple[int, Failure | None]:
    """One life; returns the steps taken, and what ended it early."""
    cloud, choice = Cloud(), RandomChoice(Random(seed))
    for number in range(steps):
        try:
            step(cloud, choice, cold=number % COLD_EVERY == COLD_EVERY - 1, conversations=1)
        except Exception as error:
            return number + 1, Failure(seed, number, f"{type(error).__name__}: {error}")
    return steps, None


def soak(first_seed: int, steps: int, workers: int) -> Soak:
    """Live life after life, and say how it goes every ten seconds."""
    done, begun, told = Soak(first_seed), time.monotonic(), 0.0
    seeds: Iterator[int] = islice(count(first_seed), -(-steps // LIFE))
    with ProcessPoolExecutor(workers) as pool:
        waiting = {pool.submit(live, seed, min(LIFE, steps)) for seed in islice(seeds, 2 * workers)}
        while waiting:
            life = next(as_completed(waiting))
            waiting.remove(life)
            taken, failure = life.result()
            if (seed := next(seeds, None)) is not None and len(done.failures) < 10:
                waiting.add(pool.submit(live, seed, LIFE))
            done.steps += taken
            done.seconds = round(time.monotonic() - begun, 1)
            done.steps_per_second = round(done.steps / max(done.seconds, 0.1))
            if failure is not None:
                done.failures.append(failure)
                print(f"seed {failure.seed}, step {failure.step}: {failure.found}", flush=True)
            if done.seconds - told > 10:
                told = done.seconds
                print(f"{done.steps:,} steps, {done.steps_per_second} a second", flush=True)
    return done


def main() -> int:
    """Read the options, soak, report."""
    options = argparse.ArgumentParser(description=__doc__)
    options.add_argument("--steps", type=int, default=1_000_000)
    options.add_argument(
        "--seed", type=int, default=1, help="of the first life; the next has the next number"
    )
    options.add_argument("--workers", type=int, default=2)
    given = options.parse_args()
    done = soak(given.seed, given.steps, given.workers)
    REPORT.parent.mkdir(exist_ok=True)
    REPORT.write_text(json.dumps(asdict(done), indent=2) + "\n")
    lives = f"seeds {given.seed} to {given.seed + max(0, done.steps - 1) // LIFE}"
    print(f"{done.steps:,} steps in {done.seconds:,} s: {done.steps_per_second} a second ({lives})")
    print(f"{len(done.failures)} failures; {REPORT}")
    return 1 if done.failures else 0


if __name__ == "__main__":
    sys.exit(main())
