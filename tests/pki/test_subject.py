"""Names in certificates."""

import pytest
from hypothesis import given, strategies as st

from overlace.pki.errors import RequestRefused
from overlace.pki.subject import Role, Subject


@given(
    st.sampled_from((Role.HOST, Role.SWITCH)),
    st.from_regex(r"[A-Za-z0-9][A-Za-z0-9._-]{0,56}", fullmatch=True),
)
def test_a_subject_is_read_as_it_was_written_and_fits_a_common_name(role: Role, name: str) -> None:
    subject = Subject(role, name)
    assert Subject.parse(str(subject)) == subject
    assert len(str(subject)) <= 64  # RFC 5280, ub-common-name


@pytest.mark.parametrize(
    "text", ["", "h1", "host:", "host:-x", "guest:h1", "host:a b", "host:a/b", "host:" + "x" * 58]
)
def test_what_is_no_subject_is_refused(text: str) -> None:
    with pytest.raises(RequestRefused):
        Subject.parse(text)


@given(st.text())
def test_any_text_is_read_or_refused(text: str) -> None:
    try:
        assert str(Subject.parse(text)) == text
    except RequestRefused:
        pass
