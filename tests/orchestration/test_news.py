"""Given somebody who waits for news, when it comes, or does not, or they are cancelled, then they are told so."""

import asyncio
from contextlib import suppress

import pytest

from overlace.orchestration import news


async def test_news_that_comes_is_told_once() -> None:
    event = asyncio.Event()
    event.set()
    assert await news.comes(event, 10)
    assert not await news.comes(event, 0.001)


@pytest.mark.parametrize("later", range(5))
async def test_who_is_cancelled_as_the_news_comes_does_not_go_on(later: int) -> None:
    event = asyncio.Event()
    went_on = False

    async def waits() -> None:
        nonlocal went_on
        await news.comes(event, 10)
        went_on = True

    async with asyncio.TaskGroup() as tasks:
        waiting = tasks.create_task(waits())
        await asyncio.sleep(0.001)
        event.set()
        for _ in range(later):
            await asyncio.sleep(0)
        cancelled = waiting.cancel()
        with suppress(asyncio.CancelledError):
            await waiting
    assert went_on is not cancelled
