"""Python's cyclic garbage collector, set for a process with much long-lived, acyclic data.

By default it looks at young objects after every 700 allocations, which one port create exceeds many times, and now
and then walks over everything: milliseconds in the middle of a change, and all of it out of the processor's caches.
Nearly all that Overlace makes is freed by reference counting. So what stands at the start (modules, the loaded
snapshot, the first plan) is set apart for good without being walked over while it is made, and the rest is looked at
much less often.
"""

import gc

_YOUNG, _MIDDLE, _OLD = 50_000, 20, 50
"""Allocations before a look at the young; such looks before one at the middle-aged; those before one at all."""


def postpone_collector() -> None:
    """Call it once, before what lives long is made."""
    gc.collect()
    gc.disable()


def settle_collector() -> None:
    """Call it once, when that has been made."""
    gc.freeze()
    gc.enable()
    gc.set_threshold(_YOUNG, _MIDDLE, _OLD)
