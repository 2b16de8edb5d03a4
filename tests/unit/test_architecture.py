"""The shape of the code, as the rules of the project draw it."""

from __future__ import annotations

import ast
import io
import tokenize
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
PACKAGE = ROOT / "layers/grapevine/python/grapevine"
MODULES = sorted(PACKAGE.rglob("*.py"))
HANDLERS = sorted((ROOT / "functions").glob("*/app.py"))
OURS = [*MODULES, *HANDLERS, *sorted((ROOT / "local").glob("*.py"))]
MOST_LINES = 300

# What each part may import of the package, besides itself.
ALLOWED = {
    "table": {"runtime", "months"},
    "engine": {"table", "runtime", "months", "errors", "ids", "log"},
    "http": {"engine", "table", "runtime", "months", "errors", "ids", "log"},
    "consume": {"table", "log"},
    "log": set[str](),
    "runtime": {"errors"},
    "errors": set[str](),
    "ids": set[str](),
    "months": set[str](),
    "__init__": set[str](),
}


def paths(files: list[Path]) -> list[object]:
    return [pytest.param(path, id=str(path.relative_to(ROOT))) for path in files]


def tree_of(path: Path) -> ast.Module:
    return ast.parse(path.read_text(encoding="utf-8"))


def imported_by(path: Path) -> set[str]:
    """The full names of all modules (and names in them) that a file imports, wherever."""
    names: set[str] = set()
    for node in ast.walk(tree_of(path)):
        if isinstance(node, ast.Import):
            names |= {alias.name for alias in node.names}
        elif isinstance(node, ast.ImportFrom) and node.module:
            assert node.level == 0, f"{path}: a relative import"
            names |= {f"{node.module}.{alias.name}" for alias in node.names}
    return names


def part_of(path: Path) -> str:
    return path.relative_to(PACKAGE).parts[0].removesuffix(".py")


def parts_imported_by(path: Path) -> set[str]:
    inside = {name for name in imported_by(path) if name.split(".")[0] == "grapevine"}
    return {name.split(".")[1] for name in inside}


def test_there_is_something_to_look_at() -> None:
    assert len(MODULES) > 20
    assert len(HANDLERS) > 15


@pytest.mark.parametrize("path", paths(MODULES))
def test_dependencies_point_from_http_to_the_engine_to_the_table(path: Path) -> None:
    part = part_of(path)

    assert parts_imported_by(path) <= ALLOWED[part] | {part}


@pytest.mark.parametrize("path", paths(MODULES))
def test_only_the_table_speaks_to_dynamodb(path: Path) -> None:
    sdks = {"boto3", "botocore"} & {name.split(".")[0] for name in imported_by(path)}

    # Whether SES or a queue has taken something is told by the kind of its client's error.
    told_by_errors = {
        PACKAGE / f"engine/mail/{name}.py" for name in ("asking", "identities", "ses")
    }
    assert not sdks or part_of(path) in {"table", "runtime"} or path in told_by_errors


@pytest.mark.parametrize("path", paths(MODULES))
def test_a_number_sign_stands_in_the_key_builders_only(path: Path) -> None:
    docstrings = {
        ast.get_docstring(node, clean=False)
        for node in ast.walk(tree_of(path))
        if isinstance(node, ast.Module | ast.ClassDef | ast.FunctionDef | ast.AsyncFunctionDef)
    }
    texts = {
        node.value
        for node in ast.walk(tree_of(path))
        if isinstance(node, ast.Constant) and isinstance(node.value, str)
    } - docstrings

    # `#name` at the beginning of a word is a placeholder of DynamoDB's expressions.
    spelled = {text for text in texts if "#" in text and not is_expression(path, text)}

    builders = {
        PACKAGE / f"table/{name}.py"
        for name in (
            "email_keys",
            "event_keys",
            "fraud_keys",
            "keys",
            "mechanics_keys",
            "places",
            "player_keys",
            "rank_keys",
        )
    }
    assert not spelled or path in builders


def is_expression(path: Path, text: str) -> bool:
    speaks = {PACKAGE / "table/store.py", PACKAGE / "table/writes.py"}
    return path in speaks and all(part[:1].islower() or not part for part in text.split("#")[1:])


@pytest.mark.parametrize("path", paths([*OURS, *sorted((ROOT / "tests").rglob("*.py"))]))
def test_nothing_edits_the_search_path(path: Path) -> None:
    touched = [
        node
        for node in ast.walk(tree_of(path))
        if isinstance(node, ast.Attribute)
        and node.attr == "path"
        and isinstance(node.value, ast.Name)
        and node.value.id == "sys"
    ]

    assert not touched
    assert "sys.path" not in imported_by(path)


@pytest.mark.parametrize("path", paths(OURS))
def test_every_module_says_what_it_is_for_in_its_first_line(path: Path) -> None:
    docstring = ast.get_docstring(tree_of(path))

    assert docstring
    assert docstring.splitlines()[0].strip()


@pytest.mark.parametrize("path", paths(OURS))
def test_no_module_has_grown_beyond_its_purpose(path: Path) -> None:
    assert len(path.read_text(encoding="utf-8").splitlines()) <= MOST_LINES


@pytest.mark.parametrize("path", paths(MODULES))
def test_importing_a_module_does_nothing_but_define(path: Path) -> None:
    """No call at the top level reaches for the environment, the clock or a client."""
    reached = {
        ast.unparse(node)
        for statement in tree_of(path).body
        if not isinstance(statement, ast.FunctionDef | ast.ClassDef)
        for node in ast.walk(statement)
        if isinstance(node, ast.Attribute)
    }

    assert not reached & {"os.environ", "time.time", "time.time_ns", "boto3.client"}


# Handlers


def lines_of_code(path: Path) -> int:
    source = path.read_text(encoding="utf-8")
    skipped = {tokenize.COMMENT, tokenize.NL, tokenize.NEWLINE, tokenize.INDENT, tokenize.DEDENT}
    tokens = tokenize.generate_tokens(io.StringIO(source).readline)
    return len({token.start[0] for token in tokens if token.type not in skipped and token.string})


@pytest.mark.parametrize("path", paths(HANDLERS))
def test_a_handler_has_no_sdk_no_branch_and_no_try(path: Path) -> None:
    forbidden = (ast.If, ast.Try, ast.While, ast.IfExp, ast.Match)

    assert not {name.split(".")[0] for name in imported_by(path)} & {"boto3", "botocore", "os"}
    assert not [node for node in ast.walk(tree_of(path)) if isinstance(node, forbidden)]


@pytest.mark.parametrize("path", paths(HANDLERS))
def test_a_handler_is_short(path: Path) -> None:
    assert lines_of_code(path) <= 40


@pytest.mark.parametrize("path", paths(HANDLERS))
def test_a_handler_module_offers_a_handler(path: Path) -> None:
    defined = {
        name.id
        for node in tree_of(path).body
        if isinstance(node, ast.Assign)
        for name in node.targets
        if isinstance(name, ast.Name)
    }
    defined |= {node.name for node in tree_of(path).body if isinstance(node, ast.FunctionDef)}
    defined |= {
        alias.asname or alias.name
        for node in tree_of(path).body
        if isinstance(node, ast.ImportFrom)
        for alias in node.names
    }

    assert "handler" in defined


@pytest.mark.parametrize("path", paths(HANDLERS))
def test_handlers_do_not_know_each_other_nor_the_tables_items(path: Path) -> None:
    imported = imported_by(path)

    assert not {name for name in imported if name.split(".")[0] in {"functions", "local"}}
    assert "table" not in parts_imported_by(path)


@pytest.mark.parametrize("path", paths(HANDLERS))
def test_a_handlers_first_line_names_what_calls_it(path: Path) -> None:
    docstring = ast.get_docstring(tree_of(path)) or ""

    assert ":" in docstring.splitlines()[0]
