"""A program that is run for its answer: it does not outlive the wait for that, whatever ends it."""

import asyncio


async def start(program: str, *words: str) -> asyncio.subprocess.Process:
    """With nothing to read, and both its outputs to be read. Raises OSError when it cannot be run."""
    pipe = asyncio.subprocess.PIPE
    return await asyncio.create_subprocess_exec(
        program, *words, stdin=asyncio.subprocess.DEVNULL, stdout=pipe, stderr=pipe
    )


async def answer(process: asyncio.subprocess.Process, seconds: float | None) -> tuple[str, str]:
    """What it prints, and what it says of failures. Raises TimeoutError after so many seconds."""
    try:
        async with asyncio.timeout(seconds):
            out, err = await process.communicate()
    finally:
        await end(process)
    return out.decode(errors="replace"), err.decode(errors="replace")


async def end(process: asyncio.subprocess.Process) -> None:
    """Kill it if it still runs."""
    if process.returncode is None:
        process.kill()
        await process.wait()
