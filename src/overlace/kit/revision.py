"""The order of intents within one store (DESIGN: revisions and observations are two logs)."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True, order=True)
class Revision:
    """`number` counts commits of the store `origin` in the life `epoch` (one for each start).

    Revisions of different origins are not ordered with each other; comparing them orders by name only.
    """

    origin: str
    epoch: int
    number: int

    def next(self) -> "Revision":
        """The revision of the commit that follows."""
        return Revision(self.origin, self.epoch, self.number + 1)

    def __str__(self) -> str:
        return f"{self.origin}/{self.epoch}/{self.number}"

    @classmethod
    def parse(cls, text: str) -> "Revision":
        """Read what `str()` wrote. Raises ValueError on anything else."""
        origin, epoch, number = text.rsplit("/", 2)
        return cls(origin, int(epoch), int(number))
