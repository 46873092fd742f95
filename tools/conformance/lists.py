"""Which tests are run and which are not, with the reason: `run.txt` and `not_run.txt`, and whether that is all."""

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

HERE = Path(__file__).parent


@dataclass(frozen=True, slots=True)
class Lists:
    """`run`: names of tests; `not_run`: name -> reason."""

    run: frozenset[str]
    not_run: dict[str, str]

    @classmethod
    def read(cls, directory: Path = HERE) -> "Lists":
        """From the two files. Raises ValueError for a test without a reason, or in both files."""
        run = frozenset(_lines(directory / "run.txt"))
        not_run: dict[str, str] = {}
        reason = ""
        for line in _lines(directory / "not_run.txt"):
            if line.startswith("="):
                reason = line.removeprefix("=").strip()
            elif not reason:
                raise ValueError(f"{line} is not run, but no reason is given")
            else:
                not_run[line] = reason
        if both := sorted(run & not_run.keys()):
            raise ValueError(f"both run and not run: {', '.join(both)}")
        return cls(run, not_run)

    def objections(self, known: set[str]) -> list[str]:
        """What is wrong with the lists beside the tests that the suite has."""
        listed = self.run | self.not_run.keys()
        unlisted = [f"{name}: in the suite, but in neither list" for name in sorted(known - listed)]
        return unlisted + [f"{name}: listed, but not in the suite" for name in sorted(listed - known)]


def _lines(path: Path) -> Iterator[str]:
    for line in path.read_text().splitlines():
        if line.strip() and not line.startswith("#"):
            yield line.strip()
