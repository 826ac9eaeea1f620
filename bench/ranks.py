"""Whether two samples may be of one distribution: Mann and Whitney's test of ranks."""

import math
from collections import Counter
from collections.abc import Sequence
from itertools import chain


def likeness(first: Sequence[float], second: Sequence[float]) -> float:
    """Return the chance that two samples of one distribution differ as much.

    Args:
        first: At least some twenty values.
        second: As many, or others.

    Returns:
        The two-sided p-value by the normal approximation, corrected for ties
        (Mann and Whitney 1947; Lehmann, Nonparametrics, 1975).
    """
    n, m = len(first), len(second)
    ties = Counter(chain(first, second))
    ranks: dict[float, float] = {}
    below = 0
    for value in sorted(ties):
        ranks[value] = below + (ties[value] + 1) / 2
        below += ties[value]
    u = sum(ranks[value] for value in first) - n * (n + 1) / 2
    uneven = sum(t**3 - t for t in ties.values()) / ((n + m) * (n + m - 1))
    spread = math.sqrt(n * m / 12 * (n + m + 1 - uneven))
    if not spread:
        return 1.0
    return math.erfc(abs(u - n * m / 2) / spread / math.sqrt(2))
