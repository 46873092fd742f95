"""make fuzz: the tests of bad input against the running product, many times over, each time with other bytes.

Every round is one run of tests/app/test_bad_input.py with a seed of its own, which is printed, so that a round that
failed is seen again with --seed. Goes on after a failure; exits with 1 if there was any.
"""

import argparse
import os
import random
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).parents[1]
TESTS = "tests/app/test_bad_input.py"


def main() -> None:
    """Run the rounds, a line each, and the whole output of those that fail."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--seeds", type=int, default=10, help="rounds")
    parser.add_argument("--seed", type=int, help="of the first round; later ones count on from it")
    options = parser.parse_args()
    first = random.SystemRandom().randrange(1 << 32) if options.seed is None else options.seed
    failed = [seed for seed in range(first, first + options.seeds) if not passes(seed)]
    print(f"{options.seeds} rounds, {len(failed)} failed" + "".join(f"; make fuzz SEED={s}" for s in failed))
    raise SystemExit(bool(failed))


def passes(seed: int) -> bool:
    """One round."""
    run = subprocess.run(
        [sys.executable, "-m", "pytest", "-q", TESTS],
        cwd=ROOT,
        env=os.environ | {"OVERLACE_SEED": str(seed)},
        capture_output=True,
        text=True,
    )
    print(f"seed {seed}: {run.stdout.strip().splitlines()[-1]}", flush=True)
    if run.returncode:
        print(run.stdout, run.stderr, flush=True)
    return not run.returncode


if __name__ == "__main__":
    main()
