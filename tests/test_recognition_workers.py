"""The pool of recognition processes: what callers are told, and that nothing a photo does costs a process for good."""

import asyncio
import logging
import os
import signal
import socket
import subprocess
import sys
import textwrap
from collections.abc import Awaitable, Callable, Iterable
from contextlib import aclosing
from pathlib import Path

import psutil
import pytest
import uvloop

from aggregator.errors import Unavailable, UnsupportedMedia
from aggregator.recognition.workers import Pool
from tests import samples

SCRIPTED = "tests.readers:scripted"
ROOT = Path(__file__).resolve().parent.parent


def run(story: Callable[[Pool], Awaitable[None]], loop: Callable[..., None] = uvloop.run, **options: object) -> None:
    """Tells a story about a started pool, closes it, and finds that nothing is left of it."""

    async def main() -> None:
        pool = Pool(**{"workers": 2, "queue": 4, "reader": SCRIPTED} | options)
        await pool.start()
        try:
            async with asyncio.timeout(60):
                await story(pool)
        finally:
            await pool.close()
        assert not processes()

    loop(main())


def processes() -> list[psutil.Process]:
    """What this process has started for recognition and what still lives."""
    return [child for child in psutil.Process().children() if "aggregator.recognition.worker" in child.cmdline()]


async def crew(pool: Pool, size: int, without: frozenset[int] = frozenset()) -> None:
    """Waits until the pool has `size` processes, none of them from `without`."""
    while pool.alive != size or pool.pids & without:
        await asyncio.sleep(0.02)


async def outcome(reading: Awaitable[object]) -> str:
    try:
        await reading
    except Unavailable as problem:
        return problem.code
    return "read"


@pytest.mark.parametrize("loop", [asyncio.run, uvloop.run], ids=["asyncio", "uvloop"])
def test_a_photo_is_read_in_a_process_of_the_pool(loop):
    async def story(pool):
        reading = await pool.read([b"look", b"at", b"these"])
        assert int(reading.lines[0].text) in pool.pids
        assert [line.text for line in reading.lines[1:]] == ["look", "at", "these"]
        assert os.getpid() not in pool.pids
        assert pool.alive == 2

    run(story, loop)


def test_the_real_reader_answers_with_codes_and_a_face():
    async def story(pool):
        reading = await pool.read([samples.encoded(samples.card())])
        assert reading.best_code.text == "4607001234562"
        assert reading.best_code.raw == b"4607001234562"
        assert reading.face.picture.startswith(b"RIFF")

    run(story, workers=1, reader="aggregator.recognition.pipeline:read")


def test_a_process_killed_over_a_photo_is_answered_and_replaced():
    async def story(pool):
        before = pool.pids
        with pytest.raises(Unavailable) as refusal:
            await pool.read([b"die"])
        assert refusal.value.code == "reading-failed"
        assert "Retry-After" in refusal.value.headers
        await crew(pool, 2)
        assert len(pool.pids - before) == 1
        assert await outcome(pool.read([b"look"])) == "read"

    run(story)


def test_a_photo_that_hangs_is_given_up_and_its_process_is_gone():
    async def story(pool):
        before = pool.pids
        assert await outcome(pool.read([b"hang"])) == "reading-failed"
        await crew(pool, 2)
        gone = before - pool.pids
        assert len(gone) == 1
        assert not psutil.pid_exists(*gone)
        assert await outcome(pool.read([b"look"])) == "read"

    run(story, timeout_s=0.5)


def test_a_process_killed_while_idle_is_replaced_before_anybody_notices():
    async def story(pool):
        before = pool.pids
        for pid in before:
            os.kill(pid, signal.SIGKILL)
        await crew(pool, 2, without=before)
        assert await asyncio.gather(*(outcome(pool.read([b"look"])) for _ in range(4))) == ["read"] * 4

    run(story)


def test_of_twenty_at_once_as_many_are_read_as_fit_and_the_rest_are_told_to_come_again(tmp_path):
    async def story(pool):
        before = pool.pids
        waiting = b"wait " + bytes(tmp_path / "go")
        readings = [asyncio.create_task(pool.read([waiting])) for _ in range(20)]
        refused = [task for task in readings if (await asyncio.wait([task], timeout=0.1))[0]]
        (tmp_path / "go").touch()
        outcomes = await asyncio.gather(*(outcome(task) for task in readings))
        assert outcomes.count("read") == 10
        assert outcomes.count("busy") == 10 == len(refused)
        waits = [int(task.exception().headers["Retry-After"]) for task in refused]
        assert 1 <= waits[0] < waits[-1] <= 60
        assert waits == sorted(waits)
        assert pool.pids == before

    run(story, queue=8)


def test_a_full_queue_empties_again(tmp_path):
    async def story(pool):
        first = [asyncio.create_task(pool.read([b"wait " + bytes(tmp_path / "go")])) for _ in range(3)]
        await asyncio.sleep(0.1)
        assert await outcome(pool.read([b"look"])) == "busy"
        (tmp_path / "go").touch()
        await asyncio.gather(*first)
        assert await outcome(pool.read([b"look"])) == "read"

    run(story, workers=1, queue=2)


def test_a_refusal_of_the_reader_reaches_the_caller_as_it_is():
    async def story(pool):
        before = pool.pids
        with pytest.raises(UnsupportedMedia) as refusal:
            await pool.read([b"refuse"])
        assert refusal.value.code == "not-a-picture"
        assert pool.pids == before

    run(story)


def test_a_mistake_of_ours_is_logged_with_its_trace_and_told_without(caplog):
    async def story(pool):
        with caplog.at_level(logging.ERROR), pytest.raises(Unavailable) as refusal:
            await pool.read([b"stumble"])
        assert refusal.value.code == "reading-failed"
        assert "stumbled" not in refusal.value.detail
        assert "RuntimeError: the reader stumbled" in caplog.text
        await crew(pool, 2)

    run(story)


def test_a_photo_that_wants_all_the_memory_costs_one_process_and_no_other_photo():
    async def story(pool):
        greedy, modest = await asyncio.gather(
            outcome(pool.read([b"eat 3000000000"])), outcome(pool.read([b"eat 300000000"]))
        )
        assert (greedy, modest) == ("reading-failed", "read")
        await crew(pool, 2)

    run(story)


def test_a_process_that_keeps_too_much_memory_gives_way_without_losing_a_photo():
    async def story(pool):
        before = pool.pids
        for _ in range(25):
            assert await outcome(pool.read([b"look"])) == "read"
        await crew(pool, 1, without=before)

    run(story, workers=1, resident_bytes=1)


def test_a_caller_who_leaves_spoils_nothing_for_the_next(tmp_path):
    async def story(pool):
        left = asyncio.create_task(pool.read([b"wait " + bytes(tmp_path / "go"), b"the one who left"]))
        queued = asyncio.create_task(pool.read([b"look", b"also left"]))
        next_one = asyncio.create_task(pool.read([b"look", b"mine"]))
        await asyncio.sleep(0.1)
        left.cancel()
        queued.cancel()
        (tmp_path / "go").touch()
        assert (await next_one).lines[2].text == "mine"

    run(story, workers=1)


def kill_unheard(pids: Iterable[int]) -> None:
    """Kill processes and wait until they are dead, while nobody in this process can hear of it."""
    for pid in pids:
        os.kill(pid, signal.SIGKILL)
        # A process whose first thread is dead may have others that are not: it is over when it can be waited for.
        os.waitid(os.P_PID, pid, os.WEXITED | os.WNOWAIT)


def test_a_photo_that_comes_to_a_process_which_has_just_died_is_read_by_another():
    async def story(pool):
        kill_unheard(pool.pids)
        assert await outcome(pool.read([b"look"])) == "read"

    run(story)


def test_without_a_process_every_photo_is_refused_at_once():
    async def story(pool):
        assert await outcome(pool.read([b"look"])) == "busy"

    run(story, workers=0)


def test_closing_ends_every_process_and_tells_who_waits():
    async def story(pool):
        before = pool.pids
        waiting = [asyncio.create_task(outcome(pool.read([b"hang"]))) for _ in range(3)]
        await asyncio.sleep(0.1)
        await pool.close()
        assert await asyncio.gather(*waiting) == ["reading-failed"] * 3
        assert not any(psutil.pid_exists(pid) for pid in before)
        assert pool.alive == 0

    run(story)


def test_a_pool_closed_the_moment_it_is_warm_leaves_no_process():
    async def story(pool):
        assert len(processes()) == 2

    run(story)


def test_a_pool_that_cannot_start_says_so_and_leaves_no_process(capfd):
    async def main():
        with pytest.raises(OSError):  # noqa: PT011 -- any of its kinds: what matters is that nothing hangs
            await Pool(2, 1, reader="tests.readers:missing").start()

    asyncio.run(main())
    assert "missing" in capfd.readouterr().err
    assert not processes()


def test_processes_inherit_no_listening_socket_and_no_ctrl_c():
    with socket.create_server(("127.0.0.1", 0)) as listening:
        listening.set_inheritable(True)
        ours = os.fstat(listening.fileno()).st_ino

        async def story(pool):
            for pid in pool.pids:
                theirs = {path.stat().st_ino for path in Path(f"/proc/{pid}/fd").iterdir()}
                assert ours not in theirs
                assert os.getpgid(pid) != os.getpgid(0)

        run(story)


def test_processes_die_with_a_parent_killed_by_force():
    script = """
        import asyncio
        from aggregator.recognition.workers import Pool
        async def main():
            pool = Pool(2, 2, reader="tests.readers:scripted")
            await pool.start()
            asyncio.create_task(pool.read([b"hang"]))
            await asyncio.sleep(0.1)
            print(*pool.pids, flush=True)
            await asyncio.sleep(3600)
        asyncio.run(main())
    """
    command = [sys.executable, "-c", textwrap.dedent(script)]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True, cwd=ROOT) as parent:
        pids = [int(pid) for pid in parent.stdout.readline().split()]
        parent.kill()
    children = [psutil.Process(pid) for pid in pids if psutil.pid_exists(pid)]
    assert len(pids) == 2
    assert not psutil.wait_procs(children, timeout=10)[1]


# ---------------------------------------------------------------- step by step


async def told(pool: Pool, *photos: bytes) -> list[tuple[str, list[str]]]:
    """What a caller hears: each step, and the lines read by then."""
    return [(one.step, [line.text for line in one.reading.lines]) async for one in pool.read_by_steps(photos)]


def test_what_is_known_is_told_after_every_step_and_in_the_end_the_whole():
    async def story(pool):
        assert await told(pool, b"step", b"two") == [
            ("step", ["step"]),
            ("two", ["step", "two"]),
            ("done", ["step", "two"]),
        ]

    run(story)


def test_a_process_that_dies_between_steps_takes_nothing_back_and_fails_the_rest():
    async def story(pool):
        steps = pool.read_by_steps([b"step", b"die"])
        assert (await anext(steps)).step == "step"
        assert await outcome(anext(steps)) == "reading-failed"
        await crew(pool, 2)
        assert (await told(pool, b"step"))[-1] == ("done", ["step"])

    run(story)


def test_a_listener_who_leaves_between_steps_leaves_no_steps_to_the_next_caller():
    async def story(pool):
        async with aclosing(pool.read_by_steps([b"step", b"two", b"three"])) as steps:
            await anext(steps)
        assert await told(pool, b"step", b"mine") == [
            ("step", ["step"]),
            ("mine", ["step", "mine"]),
            ("done", ["step", "mine"]),
        ]

    run(story, workers=1)


def test_many_callers_at_once_hear_their_own_steps_only():
    async def story(pool):
        heard = await asyncio.gather(*(told(pool, b"step", str(n).encode()) for n in range(6)))
        assert [steps[-1][1] for steps in heard] == [["step", str(n)] for n in range(6)]

    run(story, queue=8)
