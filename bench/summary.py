"""Figures of repeated measurements: quantiles, ratios and differences with their confidence interval."""

import json
import random
import statistics
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

RESAMPLES = 2_000


def quantile(samples: Sequence[float], share: float) -> float:
    """The sample that so large a share of the others does not exceed."""
    return sorted(samples)[round(share * (len(samples) - 1))]


def p99(samples: Sequence[float]) -> float:
    """What one sample in a hundred exceeds."""
    return quantile(samples, 0.99)


@dataclass(frozen=True, slots=True)
class Summary:
    """`n` samples; all figures in the samples' unit."""

    n: int
    p50: float
    p90: float
    p99: float
    least: float
    most: float

    @classmethod
    def of(cls, samples: Sequence[float]) -> "Summary":
        """Raises ValueError for no samples."""
        if not samples:
            raise ValueError("no samples")
        middle, tails = statistics.median(samples), (quantile(samples, 0.9), p99(samples))
        return cls(len(samples), middle, *tails, min(samples), max(samples))

    def as_json(self) -> dict[str, float]:
        """For build/bench.json."""
        return {
            "n": self.n,
            "p50": round(self.p50, 3),
            "p90": round(self.p90, 3),
            "p99": round(self.p99, 3),
            "min": round(self.least, 3),
            "max": round(self.most, 3),
        }

    def __str__(self) -> str:
        return (
            f"n={self.n} p50={self.p50:.2f} p90={self.p90:.2f} p99={self.p99:.2f} "
            f"min={self.least:.2f} max={self.most:.2f}"
        )


@dataclass(frozen=True, slots=True)
class Ratio:
    """The median of one series over that of another, or another figure of both, with the 95 % interval of a
    percentile bootstrap."""

    value: float
    low: float
    high: float

    @classmethod
    def of(
        cls,
        ours: Sequence[float],
        theirs: Sequence[float],
        figure: Callable[[Sequence[float]], float] = statistics.median,
        seed: int = 1,
    ) -> "Ratio":
        """Resample both series independently; `seed` makes the interval repeatable."""
        source = random.Random(seed)

        def one() -> float:
            mine, others = source.choices(ours, k=len(ours)), source.choices(theirs, k=len(theirs))
            return figure(mine) / figure(others)

        ratios = sorted(one() for _ in range(RESAMPLES))
        value = figure(ours) / figure(theirs)
        return cls(value, ratios[int(0.025 * RESAMPLES)], ratios[int(0.975 * RESAMPLES)])

    @classmethod
    def paired(cls, ours: Sequence[float], theirs: Sequence[float], seed: int = 1) -> "Ratio":
        """The median of the ratios of samples that were taken side by side; the pairs are resampled.

        Raises ValueError when the series are not of one length.
        """
        return cls(*_median([mine / other for mine, other in zip(ours, theirs, strict=True)], seed))

    def as_json(self) -> dict[str, float]:
        """For build/bench.json."""
        return {"value": round(self.value, 3), "low": round(self.low, 3), "high": round(self.high, 3)}

    def __str__(self) -> str:
        return f"{self.value:.3f} (95 % interval {self.low:.3f} to {self.high:.3f})"


@dataclass(frozen=True, slots=True)
class Difference:
    """The median of the differences of samples that were taken side by side, with the 95 % interval of a percentile
    bootstrap; in the samples' unit."""

    value: float
    low: float
    high: float

    @classmethod
    def paired(cls, ours: Sequence[float], theirs: Sequence[float], seed: int = 1) -> "Difference":
        """Raises ValueError when the series are not of one length."""
        return cls(*_median([mine - other for mine, other in zip(ours, theirs, strict=True)], seed))

    def as_json(self) -> dict[str, float]:
        """For build/bench.json."""
        return {"value": round(self.value, 3), "low": round(self.low, 3), "high": round(self.high, 3)}


def _median(each: Sequence[float], seed: int) -> tuple[float, float, float]:
    """With the ends of its 95 % interval, the samples being resampled."""
    source = random.Random(seed)
    medians = sorted(statistics.median(source.choices(each, k=len(each))) for _ in range(RESAMPLES))
    return statistics.median(each), medians[int(0.025 * RESAMPLES)], medians[int(0.975 * RESAMPLES)]


def write(figures: object, output: Path) -> None:
    """Write a scenario's figures as JSON."""
    output.parent.mkdir(parents=True, exist_ok=True)
    output.write_text(json.dumps(figures, indent=1) + "\n")
