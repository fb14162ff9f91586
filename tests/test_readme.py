"""The README's code runs and reaches what the README says."""

from __future__ import annotations

import re

from source_tree import SOURCE

README = (SOURCE / "README.md").read_text(encoding="utf-8")


def test_readme_code() -> None:
    names: dict[str, object] = {}
    for code in re.findall(r"```python\n(.*?)```", README, re.DOTALL):
        exec(compile(code, "README.md", "exec"), names)
    accuracy = names["accuracy"]
    assert isinstance(accuracy, float)
    assert accuracy >= 0.95


def test_readme_says_what_a_reader_needs() -> None:
    for words in ("make demo", "make test", "pip install pynn-mlp", "import pynn", "PYNN_HOME"):
        assert words in README
    for link in re.findall(r"\]\(([^)#]+)\)", README):
        assert "://" in link or (SOURCE / link).exists(), f"broken link {link}"
