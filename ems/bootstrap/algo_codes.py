"""Our algorithms by their ids, and the digest of the code that each means.

The digest is over the meaning of the source, comments, docstrings and layout left out: of the algorithm's module and of all
modules of `models.planners` that it imports. What lies below (nets, their kernels) has digests of its own in every decision.
"""

from __future__ import annotations

import ast
import hashlib
from pathlib import Path
from typing import Final

from ems.bootstrap.build import ROOT

_ROOM: Final = ROOT / "models" / "planners"
_PACKAGE: Final = "models.planners."
_ID: Final = "NAME"


def algo_codes(room: Path = _ROOM) -> dict[str, str]:
    """SHA-256 by id: "vwap/1". An algorithm is a class of the room with a NAME."""
    trees = {path.stem: ast.parse(path.read_text("utf-8")) for path in sorted(room.glob("*.py"))}
    return {name: _digest(trees, module) for module, tree in trees.items() for name in _names(tree)}


def _names(tree: ast.Module) -> list[str]:
    return [
        part.value.value
        for each in tree.body
        if isinstance(each, ast.ClassDef)
        for part in each.body
        if isinstance(part, ast.AnnAssign) and isinstance(part.target, ast.Name) and part.target.id == _ID
        if isinstance(part.value, ast.Constant) and isinstance(part.value.value, str)
    ]


def _digest(trees: dict[str, ast.Module], module: str) -> str:
    found, waiting = set[str](), [module]
    while waiting:
        if (name := waiting.pop()) in found or name not in trees:
            continue
        found.add(name)
        imports = (each for each in ast.walk(trees[name]) if isinstance(each, ast.ImportFrom) and each.module)
        waiting += [str(each.module).removeprefix(_PACKAGE) for each in imports if str(each.module).startswith(_PACKAGE)]
    sha = hashlib.sha256()
    for name in sorted(found):
        sha.update(f"{name}\n{ast.dump(_bare(trees[name]))}\n".encode())
    return sha.hexdigest()


def _bare(tree: ast.Module) -> ast.Module:
    """Without docstrings."""
    bare = ast.parse(ast.unparse(tree))
    for each in ast.walk(bare):
        if isinstance(each, ast.Module | ast.ClassDef | ast.FunctionDef | ast.AsyncFunctionDef) and ast.get_docstring(each):
            each.body = each.body[1:]
    return bare
