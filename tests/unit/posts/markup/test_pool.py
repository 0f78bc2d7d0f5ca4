"""Rendering in processes that can be killed."""

import asyncio
import os
import subprocess
import sys
from collections.abc import AsyncIterator, Sequence
from pathlib import Path

import pytest
from hypothesis import given, settings

from kernel.errors import FieldError, Invalid, Unavailable
from services.posts.markup.bounds import Unrenderable, largest_html
from services.posts.markup.pool import RenderPool
from services.posts.markup.renderer import Renderer
from tests.effort import Effort
from tests.repository import ROOT
from tests.unit.posts.markup.hostile import CORPUS, texts

ORIGIN = "https://board.example"


def program(render: str) -> Sequence[str]:
    """A worker with another way to render."""
    return [
        sys.executable,
        "-c",
        f"import os, sys, time\n"
        f"from pathlib import Path\n"
        f"from services.posts.markup.worker import serve\n"
        f"{render}\n"
        f"serve(render, sys.stdin.buffer, sys.stdout.buffer)\n",
    ]


SPINS = program("""
def render(text):
    while text == "spin":
        pass
    return text
""")


@pytest.fixture
async def pool() -> AsyncIterator[RenderPool]:
    async with RenderPool.open(ORIGIN, 2) as pool:
        yield pool


async def test_text_is_rendered_in_another_process(pool: RenderPool) -> None:
    assert await pool.render("*Hällo* 😀", 1) == "<p><em>Hällo</em> 😀</p>\n"


async def test_refusal_names_the_field(pool: RenderPool) -> None:
    with pytest.raises(Invalid) as refused:
        await pool.render("[a]: b", 1)
    assert [(error.pointer, error.detail) for error in refused.value.errors] == [
        ("/text", "This text shows nothing.")
    ]


async def test_text_above_a_second_of_cpu_is_refused_and_the_next_is_rendered() -> None:
    async with RenderPool.of_command(SPINS, 1) as pool:
        with pytest.raises(Invalid, match="too long to render"):
            await pool.render("spin", 1)
        assert await pool.render("a", 1) == "a"


async def test_one_user_never_keeps_all_workers_busy(tmp_path: Path) -> None:
    entered = tmp_path / "entered"
    waits = program(f"""
def render(text):
    if text == "wait":
        with open({str(entered)!r}, "a") as file:
            file.write("x")
        while not Path({str(tmp_path / "leave")!r}).exists():
            time.sleep(0.01)
    return text
""")
    async with RenderPool.of_command(waits, 2) as pool:
        waiting = [asyncio.create_task(pool.render("wait", 1)) for _ in range(2)]
        assert await pool.render("a", 2) == "a"
        assert await pool.render("b", 2) == "b"
        (tmp_path / "leave").touch()
        assert await asyncio.gather(*waiting) == ["wait", "wait"]


async def test_worker_that_ends_by_itself_is_replaced(tmp_path: Path) -> None:
    dies_once = program(f"""
def render(text):
    if not Path({str(tmp_path / "died")!r}).exists():
        Path({str(tmp_path / "died")!r}).touch()
        os._exit(3)
    return text
""")
    async with RenderPool.of_command(dies_once, 1) as pool:
        assert await pool.render("a", 1) == "a"


async def test_worker_that_cannot_stay_is_unavailable() -> None:
    async with RenderPool.of_command(program("def render(text): os._exit(3)"), 1) as pool:
        with pytest.raises(Unavailable):
            await pool.render("a", 1)


async def test_defect_is_raised_with_its_traceback() -> None:
    async with RenderPool.of_command(program("def render(text): return text + 1"), 1) as pool:
        with pytest.raises(RuntimeError, match="TypeError"):
            await pool.render("a", 1)
        with pytest.raises(RuntimeError, match="TypeError"):
            await pool.render("a", 1)


async def test_text_that_needs_too_much_memory_is_refused() -> None:
    greedy = program("""
import resource
resource.setrlimit(resource.RLIMIT_DATA, (64 * 1024 * 1024,) * 2)
def render(text):
    return str(len(bytearray(128 * 1024 * 1024))) if text == "much" else text
""")
    async with RenderPool.of_command(greedy, 1) as pool:
        with pytest.raises(Invalid, match="too intricate"):
            await pool.render("much", 1)
        assert await pool.render("a", 1) == "a"


async def test_cancelled_request_leaves_no_answer_for_the_next() -> None:
    slow = program("""
def render(text):
    if text == "slow":
        time.sleep(60)
    return text
""")
    async with RenderPool.of_command(slow, 1) as pool:
        with pytest.raises(TimeoutError):
            async with asyncio.timeout(0.3):
                await pool.render("slow", 1)
        assert await pool.render("a", 1) == "a"


async def test_workers_end_with_the_pool_and_get_no_environment(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setenv("POSTS_DATABASE_PASSWORD", "secret")
    tells = program("def render(text): return f'{os.getpid()} {dict(os.environ)}'")
    async with RenderPool.of_command(tells, 1) as pool:
        process, environment = (await pool.render("a", 1)).split(" ", 1)
        assert "secret" not in environment
        os.kill(int(process), 0)
    with pytest.raises(ProcessLookupError):
        os.kill(int(process), 0)


@pytest.mark.measured
async def test_no_longest_text_takes_a_second(pool: RenderPool, effort: Effort) -> None:
    async def render(text: str) -> None:
        refusal = ""
        try:
            html = await pool.render(text, 1)
        except Invalid as refused:
            html, refusal = "", refused.detail
        assert "too long to render" not in refusal
        assert len(html) <= largest_html(len(text))

    for text in CORPUS.values():
        await render(text)
    loop = asyncio.get_running_loop()

    @settings(max_examples=effort.texts)
    @given(texts())
    def run(text: str) -> None:
        asyncio.run_coroutine_threadsafe(render(text), loop).result()

    await asyncio.to_thread(run)


@pytest.mark.prove
async def test_processes_answer_byte_for_byte_alike(effort: Effort) -> None:
    documents = [
        '![a](https://b.example "c") [d](https://e.example "f") https://g.example h.example',
        *CORPUS.values(),
    ]

    @settings(max_examples=effort.texts)
    @given(texts())
    def collect(text: str) -> None:
        documents.append(text)

    collect()
    here = Renderer(ORIGIN)
    async with RenderPool.open(ORIGIN, 1) as one, RenderPool.open(ORIGIN, 1) as two:
        for text in documents:
            beginning = text[:2_000]
            answers = {await answer(one, beginning), await answer(two, beginning)}
            assert answers == {answer_here(here, beginning)}, beginning


async def answer(pool: RenderPool, text: str) -> str:
    """The HTML of a text, or why it has none."""
    try:
        return await pool.render(text, 1)
    except Invalid as refused:
        return refused.detail


def answer_here(renderer: Renderer, text: str) -> str:
    """The same, in this process."""
    try:
        return renderer.to_html(text)
    except Unrenderable as refused:
        return Invalid(FieldError("/text", str(refused))).detail


def test_only_workers_import_the_libraries_that_render() -> None:
    code = "import sys, services.posts.wiring; print({'markdown_it', 'nh3'} & {*sys.modules})"
    done = subprocess.run(
        [sys.executable, "-c", code], cwd=ROOT, capture_output=True, text=True, check=True
    )
    assert done.stdout == "set()\n"
