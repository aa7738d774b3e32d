"""Names with dots and quotes come apart as they were put together."""

import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from compiler.names import Name, join, qualify, split

PART = st.text(st.sampled_from("ab.\"' é"), min_size=1)


@given(st.lists(PART, min_size=1, max_size=3).map(tuple))
def test_what_is_joined_is_split_again(parts: tuple[str, ...]) -> None:
    """Whatever is in the parts."""
    assert split(join(parts)) == parts


@given(st.text())
def test_any_text_is_a_name_of_some_parts(text: str) -> None:
    """Splitting never fails, and loses nothing but quotes and dots."""
    parts = split(text)

    assert parts
    assert "".join(parts).replace('"', "").replace(".", "") == text.replace('"', "").replace(".", "")


@pytest.mark.parametrize(
    "text, parts",
    [
        ("orders", ("orders",)),
        ("billing.orders", ("billing", "orders")),
        ('"odd.name"', ("odd.name",)),
        ('billing."odd.name"', ("billing", "odd.name")),
        ('"say ""hi"""', ('say "hi"',)),
        ('say "hi"', ('say "hi"',)),
        ('"open', ('"open',)),
        ("", ("",)),
        (".", ("", "")),
    ],
)
def test_names_as_people_write_them(text: str, parts: tuple[str, ...]) -> None:
    """Quotes count where they enclose a part; anywhere else they are characters like any other."""
    assert split(text) == parts


def test_a_name_without_a_schema_gets_one() -> None:
    """Two parts at most, and none of them empty."""
    assert qualify("orders", "app") == Name("app", "orders")
    assert qualify("billing.orders", "app") == Name("billing", "orders")
    for text in ("a.b.c", "", "a.", ".b"):
        with pytest.raises(ValueError, match=f"^{re.escape(text)}$"):
            qualify(text, "app")
