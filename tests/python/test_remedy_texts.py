"""What the library tells to do is done: every text that names a remedy has a case that runs it.

A case (`remedy_cases/`) is code that is refused, or warned of, and the remedy as code. The message
must hold the remedy's wording; the remedy must give the value and the derivative of plain NumPy.
Every text of the sources that tells to do something must stand in the message of some case, or on
a list with the reason why not.
"""

import ast
import functools
import linecache
import re
import warnings
from pathlib import Path

import numpy as np
import pytest
from remedy_cases import CASES, EXEMPT, TABLES, Case, names_of

import tapegrad as tg
from tapegrad import numerical
from tapegrad.numpy.remedies import DRAWS, LIBRARIES, OWN_CALLS

ROOT = Path(__file__).resolve().parents[2]
PACKAGE = ROOT / "python" / "tapegrad"
ENGINE = (ROOT / "cpp" / "tapegrad", ROOT / "python" / "bindings")
X = np.array([0.7, 1.9, 2.6])

VERBS = (
    "add assign broadcast call cast change check choose collect compare compile compute convert "
    "copy differentiate draw format free give import insert iterate join keep leave make move "
    "name optimise pair pass pickle read record reduce regularise return say start take test "
    "transpose unset use wrap write"
).replace(" ", "|")
# A clause that begins with a verb tells to do something; so do some words wherever they stand.
TELLS = re.compile(
    rf"(?:^|[;:,(.] ?|\bor |\band |\bto |\belse )(?:{VERBS})\b(?! of\b|:)"
    r"|\bworks?\b|\binstead\b|\b(?:use|write|pass|give)\b(?!:)|converts\)|must return"
)


def run(code, names):
    """The value of the last of several statements, each with its source at hand."""
    tree = ast.parse(code)
    *first, last = tree.body
    name = f"<remedy {hash(code)}>"
    linecache.cache[name] = (len(code), None, [line + "\n" for line in code.splitlines()], name)
    exec(compile(ast.Module(first, []), name, "exec"), names)
    if not isinstance(last, ast.Expr):
        exec(compile(ast.Module([last], []), name, "exec"), names)
        return None
    return eval(compile(ast.Expression(last.value), name, "eval"), names)


# What stands in code, and what a message may call it.
CALLED = {
    "*": "multiply", "+": "add", "-": "subtract", "@": "matmul", "+=": "y", "~": "v",
    "[": "index", "] = ": "assignment", ".astype(": "dtype", "np.max(": "maximum",
    "f'{": "format", "; y += ": "place", ".step()": "optimiser", "tg.hessian(": "derivative",
    "tg.scan(": "arithmetic", "__setitem__": "assignment",
}  # fmt: skip


def names_the_operation(message, code):
    """Whether the message, up to its first reason or remedy, names what the code does."""
    head = re.split(r": | has no | would lose|; |, which", message, maxsplit=1)[0]
    known = {name for sign, name in CALLED.items() if sign in code}
    return bool(set(re.findall(r"\w+", head)) & (known | set(re.findall(r"\w+", code))))


@functools.cache
def told(case):
    """All that is said while the refused code runs."""
    with warnings.catch_warnings(record=True) as caught, np.errstate(all="ignore"):
        warnings.simplefilter("always")
        names = names_of(tg.Variable(X) * 1.0)
        try:
            run(case.refused, names)
            said = []
        except Exception as error:
            said = [str(error)]
    return "\n".join([*said, *(str(x.message) for x in caught)])


@functools.cache
def runs_in_numpy(code):
    """Whether plain NumPy takes the refused code."""
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            found = run(code, names_of(X.copy()))
    except Exception:
        return False
    return found is not None


def parts(found):
    found = found if isinstance(found, tuple) else (found,)
    return [np.asarray(x) if not isinstance(x, tg.Variable) else x for x in found]


def weighted(found):
    """One number of all parts."""
    total = 0.0
    for x in parts(found):
        shape = tuple(x.shape)
        size = int(np.prod(shape))
        total = total + np.sum(np.cos(np.arange(size)).reshape(shape) * x)
    return total


@pytest.mark.parametrize("case", CASES, ids=lambda case: case.refused[:60])
@pytest.mark.filterwarnings("ignore")
def test_remedy(case: Case) -> None:
    if not case.is_possible:
        pytest.skip(f"there is no np.{case.needs}, or no {case.module}")
    assert case.told in told(case), told(case)
    assert names_the_operation(told(case), case.refused), told(case)
    code = case.plain or (case.refused if runs_in_numpy(case.refused) else case.remedy)
    assert case.plain or "tg." not in code, "say what plain NumPy gives"

    def plain(x):
        return tuple(np.asarray(tg.value(e)) for e in parts(run(code, names_of(x))))

    names = names_of(tg.Variable(X) * 1.0)
    found = run(case.remedy, names)
    for x, expected in zip(parts(found), plain(X.copy()), strict=True):
        if expected.dtype.kind in "biuf":
            np.testing.assert_allclose(tg.value(x), expected, rtol=case.rtol, atol=1e-12)
        else:
            assert str(tg.value(x)) == str(expected)
    if not any(isinstance(x, tg.Variable) for x in parts(found)):
        assert "tg." in case.remedy or case.is_plain, "the derivative is lost"
        return
    wanted = numerical.grad(lambda x: float(weighted(plain(x))))(X)
    gradient = tg.grad(lambda x: weighted(run(case.remedy, names_of(x))))(X)
    np.testing.assert_allclose(tg.value(gradient), wanted, rtol=max(1e-5, case.rtol), atol=1e-7)


# What the sources say.


def texts_of_python(path):
    """Pieces of text between which values stand, without docstrings."""
    tree = ast.parse(path.read_text(encoding="utf-8"))
    documented = (ast.Module, ast.ClassDef, ast.FunctionDef, ast.AsyncFunctionDef)
    described = {
        node.body[0].value
        for node in ast.walk(tree)
        if isinstance(node, documented) and isinstance(node.body[0], ast.Expr)
    }
    for node in ast.walk(tree):
        if isinstance(node, ast.Constant) and isinstance(node.value, str) and node not in described:
            yield node.value


TOKEN = re.compile(r'//[^\n]*|/\*.*?\*/|"(?:\\.|[^"\\])*"|\'(?:\\.|[^\'\\])\'', re.DOTALL)


def texts_of_cpp(path):
    """The same: literals that follow each other are one."""
    source = path.read_text(encoding="utf-8")
    text, end = None, 0
    for token in TOKEN.finditer(source):
        if not token.group().startswith('"'):
            continue
        piece = token.group()[1:-1].encode().decode("unicode_escape")
        if text is not None and not source[end : token.start()].strip():
            text += piece
        else:
            if text is not None:
                yield text
            text = piece
        end = token.end()
    if text is not None:
        yield text


def sources():
    for path in sorted(PACKAGE.rglob("*.py")):
        if "cli" not in path.parts:
            yield path, texts_of_python(path)
    for folder in ENGINE:
        for path in sorted(folder.rglob("*")):
            if path.suffix in (".h", ".cpp"):
                yield path, texts_of_cpp(path)


def remedies():
    """Where something is told to do, and what."""
    for path, texts in sources():
        name = path.relative_to(ROOT).as_posix()
        if name not in TABLES:
            for text in texts:
                if " " in text.strip() and ">>>" not in text and TELLS.search(text):
                    yield name, text


def test_every_text_that_tells_a_remedy_has_a_case():
    if not all(case.is_possible for case in CASES):
        pytest.skip("functions or modules of the cases are not there")
    said = "\n".join(told(case) for case in CASES)
    found = list(remedies())
    assert len(found) > 150
    missing = [(name, text) for name, text in found if text not in said]
    unlisted = [(n, t) for n, t in missing if not any(e in t for e in EXEMPT.get(n, ()))]
    assert not unlisted, "\n".join(f"{name}: {text!r}" for name, text in unlisted)


def test_every_call_of_the_tables_has_a_case():
    said = "\n".join(told(case) for case in CASES)
    own = [text for name, text in LIBRARIES.items() if name.startswith("np.")]
    for text in (*OWN_CALLS.values(), *DRAWS.values(), *own):
        pattern = re.escape(text).replace(r"\{\}", ".*")
        assert re.search(pattern, said), text


def test_what_is_exempt_is_there_and_needs_it():
    said = "\n".join(told(case) for case in CASES)
    found = list(remedies())
    for name, exempt in EXEMPT.items():
        for piece in exempt:
            texts = [text for where, text in found if where == name and piece in text]
            assert texts, f"{name} says nothing like {piece!r}"
            assert any(text not in said for text in texts), f"{piece!r} has a case"
    for name, (test, piece) in TABLES.items():
        assert (ROOT / name).is_file()
        assert piece in (ROOT / test).read_text(encoding="utf-8")


def test_texts_of_both_languages_are_read(tmp_path):
    (tmp_path / "a.cpp").write_text('f("a", n, "; use " \n "np.x(\\"b\\")"); // "c"\n')
    assert list(texts_of_cpp(tmp_path / "a.cpp")) == ["a", '; use np.x("b")']
    (tmp_path / "a.py").write_text('"""Use it."""\nraise E(f"a {n}; use " "b")\n')
    assert list(texts_of_python(tmp_path / "a.py")) == ["a ", "; use b"]
