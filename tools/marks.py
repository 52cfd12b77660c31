"""The marks that the code is held to, and whether it holds them; exits 1 where it does not.

Lines of files and functions, explanations of modules, suppressions and broad excepts, the names
that say nothing, and queries that name no team. Each maximum is a sentence in CONTRIBUTING.md.
"""

import ast
import re
import statistics
import sys
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
SOURCE = ROOT / "src" / "offhook"
MEDIAN_FILE_LINES = 150
MAX_FILE_LINES = 600
P90_FUNCTION_LINES = 30
MAX_FUNCTION_LINES = 70
SUPPRESSIONS_PER_1000 = 2.0
BROAD_EXCEPTS_PER_1000 = 1.0
EMPTY_NAMES = {"utils", "helpers", "manager", "base", "common"}
SUPPRESSION = re.compile(r"#\s*(?:noqa|type:\s*ignore|pyright:\s*ignore)(?P<rest>.*)")

Function = ast.FunctionDef | ast.AsyncFunctionDef


def files() -> Iterator[tuple[Path, str, ast.Module]]:
    for path in sorted(SOURCE.rglob("*.py")):
        if "migrations" not in path.parts:
            text = path.read_text(encoding="utf-8")
            yield path, text, ast.parse(text)


def function_lines(function: Function) -> int:
    """From `def` to the last line, the docstring left out."""
    length = (function.end_lineno or 0) - function.lineno + 1
    first = function.body[0]
    if isinstance(first, ast.Expr) and ast.get_docstring(function) is not None:
        length -= (first.end_lineno or 0) - first.lineno + 1
    return length


def is_broad(handler: ast.ExceptHandler) -> bool:
    name = handler.type.id if isinstance(handler.type, ast.Name) else ""
    return handler.type is None or name in {"Exception", "BaseException"}


@dataclass
class Marks:
    """What is counted over all files, and what is wrong with single ones."""

    file_lines: list[int] = field(default_factory=list[int])
    function_lines: list[int] = field(default_factory=list[int])
    suppressions: int = 0
    broad_excepts: int = 0
    complaints: list[str] = field(default_factory=list[str])

    @property
    def lines(self) -> int:
        return sum(self.file_lines)

    def per_1000(self, count: int) -> float:
        return count / self.lines * 1000


def look_at(path: Path, text: str, tree: ast.Module, marks: Marks) -> None:
    name = path.relative_to(ROOT)
    count = len(text.splitlines())
    marks.file_lines.append(count)
    if count > MAX_FILE_LINES:
        marks.complaints.append(f"{name}: {count} lines, more than {MAX_FILE_LINES}")
    if path.stem in EMPTY_NAMES:
        marks.complaints.append(f"{name}: a name that says nothing")
    if ast.get_docstring(tree) is None:
        marks.complaints.append(f"{name}: opens without an explanation")
    for node in ast.walk(tree):
        if isinstance(node, Function):
            length = function_lines(node)
            marks.function_lines.append(length)
            if length > MAX_FUNCTION_LINES:
                marks.complaints.append(f"{name}:{node.lineno}: {node.name} has {length} lines")
        marks.broad_excepts += isinstance(node, ast.ExceptHandler) and is_broad(node)
    for number, line in enumerate(text.splitlines(), 1):
        if found := SUPPRESSION.search(line):
            marks.suppressions += 1
            if " - " not in found["rest"]:
                marks.complaints.append(f"{name}:{number}: a suppression without its reason")


def judge(marks: Marks) -> list[str]:
    """Every maximum that is exceeded, as a sentence."""
    measured = [
        ("median file lines", statistics.median(marks.file_lines), MEDIAN_FILE_LINES),
        (
            "p90 function lines",
            statistics.quantiles(marks.function_lines, n=10)[-1],
            P90_FUNCTION_LINES,
        ),
        ("suppressions per 1,000", marks.per_1000(marks.suppressions), SUPPRESSIONS_PER_1000),
        ("broad excepts per 1,000", marks.per_1000(marks.broad_excepts), BROAD_EXCEPTS_PER_1000),
    ]
    print(f"{len(marks.file_lines)} files, {marks.lines} lines, longest {max(marks.file_lines)}")
    print(f"{len(marks.function_lines)} functions, longest {max(marks.function_lines)} lines")
    for label, value, most in measured:
        print(f"{label}: {value:.4g} (at most {most:g})")
    over = [
        f"{label}: {value:.4g} is more than {most:g}"
        for label, value, most in measured
        if value > most
    ]
    return marks.complaints + over


def main() -> int:
    marks = Marks()
    for path, text, tree in files():
        look_at(path, text, tree, marks)
    complaints = judge(marks)
    for complaint in complaints:
        print(complaint)
    return 1 if complaints else 0


if __name__ == "__main__":
    sys.exit(main())
