"""One processor for a sender and the switches behind it, who take turns in the order in which a packet meets them.

Left to the scheduler, they race: how many packets of a burst a switch finds when it wakes depends on which processor
it wakes on, how fast the sender goes on meanwhile, and when in its round of all ports the switch comes to the
sender's. A wake-up costs as much as twenty packets, so it is the race that would be measured. Here the sender comes
before the first switch and that before the second: each does all that it has to before the next one is let in, so that
a burst is met as one batch everywhere, and nothing else on the machine comes between.
"""

import os
from collections.abc import Iterator, Sequence
from contextlib import contextmanager

_SENDER = 40
_THIS = 0


@contextmanager
def one_processor(switches: Sequence[int]) -> Iterator[None]:
    """Until the end of the block the calling thread, the sender, and these threads share a processor, the earlier
    one first.

    Raises PermissionError without the right to give real-time priorities (CAP_SYS_NICE).
    """
    everywhere = os.sched_getaffinity(_THIS)
    threads = (_THIS, *switches)
    try:
        for place, thread in enumerate(threads):
            os.sched_setaffinity(thread, {max(everywhere)})
            os.sched_setscheduler(thread, os.SCHED_FIFO, os.sched_param(_SENDER - place))
        yield
    finally:
        for thread in threads:
            os.sched_setscheduler(thread, os.SCHED_OTHER, os.sched_param(0))
            os.sched_setaffinity(thread, everywhere)
