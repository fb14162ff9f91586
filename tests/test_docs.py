"""The code of the guides in docs/ runs, page by page, and prints what the pages say."""

from __future__ import annotations

import doctest
import re
from pathlib import Path

import pytest

from source_tree import SOURCE

GENERATED = "keras-compatibility.md"
PAGES = sorted(path for path in (SOURCE / "docs").glob("*.md") if path.name != GENERATED)


@pytest.mark.parametrize("page", PAGES, ids=lambda path: path.name)
def test_guide(page: Path, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """Blocks share their names, as if typed one after the other; files go to an empty folder."""
    monkeypatch.chdir(tmp_path)
    text = page.read_text(encoding="utf-8")
    names: dict[str, object] = {"__name__": page.stem}
    blocks = list(re.finditer(r"```(python|pycon)\n(.*?)```", text, re.DOTALL))
    assert blocks
    for block in blocks:
        kind, code = block.groups()
        line = text[: block.start()].count("\n") + 1
        if kind == "python":
            exec(compile("\n" * line + code, str(page), "exec"), names)
        else:
            run_session(code, names, page, line)


def run_session(code: str, names: dict[str, object], page: Path, line: int) -> None:
    """Runs lines with prompts and compares what they print."""
    options = doctest.NORMALIZE_WHITESPACE | doctest.ELLIPSIS
    test = doctest.DocTestParser().get_doctest(code, names, page.name, str(page), line)
    runner = doctest.DocTestRunner(optionflags=options)
    runner.run(test, clear_globs=False)
    assert runner.failures == 0, f"{page.name}, line {line}: something else is printed"


@pytest.mark.parametrize(
    "page",
    [*PAGES, SOURCE / "CONTRIBUTING.md", SOURCE / "CHANGELOG.md"],
    ids=lambda path: path.name,
)
def test_links(page: Path) -> None:
    for link in re.findall(r"\]\(([^)#]+)\)", page.read_text(encoding="utf-8")):
        assert "://" in link or (page.parent / link).exists(), f"broken link {link}"
