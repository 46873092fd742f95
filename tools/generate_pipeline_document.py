"""Write docs/pipeline.md from the declarations in overlace.compiler.pipeline (`make docs`)."""

import ast
import sys
from pathlib import Path

ROOT = Path(__file__).parent.parent
SOURCE = ROOT / "src/overlace/compiler/pipeline.py"
TARGET = ROOT / "docs/pipeline.md"


def main() -> int:
    """Write the document; exit 0."""
    TARGET.write_text(document(SOURCE.read_text()))
    return 0


def document(source: str) -> str:
    """The document that the source of the pipeline module describes."""
    module = ast.parse(source)
    theory = ast.get_docstring(module) or ""
    parts = [
        "# The pipeline\n\n*Made from `src/overlace/compiler/pipeline.py` by `make docs`.*\n",
        f"```\n{theory}\n```\n",
        "## Tables\n\n| number | table | question (who writes it) |\n|---|---|---|\n"
        + _rows(module, "Table"),
        "## Registers\n\n| name | field | meaning |\n|---|---|---|\n" + _registers(module),
        "## Flags\n\n| bit | flag | meaning |\n|---|---|---|\n" + _rows(module, "Flag"),
        "## Cookie classes\n\n| class | name | meaning |\n|---|---|---|\n" + _rows(module, "CookieClass"),
    ]
    return "\n".join(parts)


def _rows(module: ast.Module, name: str) -> str:
    body = next(node for node in module.body if isinstance(node, ast.ClassDef) and node.name == name).body
    rows = []
    for node, after in zip(body, [*body[1:], None], strict=True):
        if isinstance(node, ast.Assign):
            target = node.targets[0]
            assert isinstance(target, ast.Name)
            rows.append(f"| {ast.unparse(node.value)} | {target.id} | {_text(after)} |\n")
    return "".join(rows)


def _registers(module: ast.Module) -> str:
    rows = []
    for node, after in zip(module.body, [*module.body[1:], None], strict=True):
        if isinstance(node, ast.Assign) and ast.unparse(node.value).startswith("Field."):
            target = node.targets[0]
            assert isinstance(target, ast.Name)
            rows.append(
                f"| {target.id} | {ast.unparse(node.value).removeprefix('Field.')} | {_text(after)} |\n"
            )
    return "".join(rows)


def _text(node: ast.stmt | None) -> str:
    if (
        isinstance(node, ast.Expr)
        and isinstance(node.value, ast.Constant)
        and isinstance(node.value.value, str)
    ):
        return " ".join(node.value.value.split())
    return ""


if __name__ == "__main__":
    sys.exit(main())
