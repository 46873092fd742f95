import importlib.util
from pathlib import Path
from types import ModuleType

import hypothesis.strategies as st
from hypothesis import given

from overlace.compiler.pipeline import Cookie, CookieClass, cookie, is_learned

ROOT = Path(__file__).parent.parent.parent


def generator() -> ModuleType:
    path = ROOT / "tools/generate_pipeline_document.py"
    spec = importlib.util.spec_from_file_location("generate_pipeline_document", path)
    assert spec is not None and spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def test_the_document_is_what_the_module_declares() -> None:
    source = (ROOT / "src/overlace/compiler/pipeline.py").read_text()
    assert (ROOT / "docs/pipeline.md").read_text() == generator().document(source), "run `make docs`"


@given(st.sampled_from(CookieClass), st.integers(0, 0xFFFFFFFF), st.integers(0, 0xFFFF))
def test_a_cookie_leads_back_to_its_cause(kind: CookieClass, key: int, detail: int) -> None:
    number = cookie(kind, key, detail)
    assert 0 <= number < 1 << 64
    assert Cookie.parse(number) == Cookie(kind, key, detail)
    assert is_learned(number) == (kind is CookieClass.LEARNED)


def test_a_foreign_cookie_is_nobodys() -> None:
    assert Cookie.parse(0) is None
    assert Cookie.parse(0xFF << 56) is None
