"""Waiting for news, at most so long."""

import asyncio


async def comes(news: asyncio.Event, seconds: float) -> bool:
    """Whether it was set within the time; it is cleared. Who is cancelled in the moment when it is set is cancelled:
    `asyncio.wait_for` of Python 3.11 would go on."""
    try:
        async with asyncio.timeout(seconds):
            await news.wait()
    except TimeoutError:
        return False
    finally:
        news.clear()
    return True
