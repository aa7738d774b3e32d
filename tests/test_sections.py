"""Sections: a step's file is split at its markers, each section with its place."""

from __future__ import annotations

import pytest

from runner.errors import Refused
from runner.sections import split

FILE = """-- load.orders: orders (source) -> app.orders (target)
-- from  specs/x/tables/orders.yaml:2

-- transhume: extract on source binds after.1 upto.1 -- the rows of one chunk
COPY (SELECT 1
  WHERE $1 < $2) TO STDOUT

-- transhume: settle of "patient \\"id\\"" on target binds run step
DELETE FROM t WHERE '$9' = $1 AND $2 = ''
-- transhume: checksum on source binds rejected nulled."a b" nulled."c"
SELECT $1, $2, $3
-- transhume: stage on target
"""


def test_split() -> None:
    """Names, objects, sides and binds are read from the markers; text and line follow."""
    extract, settle, checksum, stage = split(FILE, "plans/x/load/orders.sql").sections

    assert (extract.name, extract.side, extract.binds, extract.line) == ("extract", "source", ("after.1", "upto.1"), 5)
    assert extract.text == "COPY (SELECT 1\n  WHERE $1 < $2) TO STDOUT\n\n"
    assert (settle.of, settle.title) == ('patient "id"', 'settle of "patient "id""')
    assert checksum.binds == ("rejected", 'nulled."a b"', 'nulled."c"')
    assert (stage.text, stage.binds) == ("", ())


def test_places() -> None:
    """A place is the line of the first statement, or line and column of a character."""
    file = split(FILE, "plans/x/load/orders.sql")
    extract = file.need("extract")

    assert str(extract.place()) == "plans/x/load/orders.sql:5"
    assert str(extract.place(extract.text.index("WHERE"))) == "plans/x/load/orders.sql:6:3"


def test_header_and_lookup() -> None:
    """The header is what stands before the first marker; sections are found by name, side and object."""
    file = split(FILE, "f.sql")

    assert file.header.startswith("-- load.orders")
    assert file.header.endswith(":2\n\n")
    assert file.find("settle", of="no") is None
    assert file.find("checksum", "target") is None
    with pytest.raises(Refused, match='section "bound" on source is missing'):
        file.need("bound", "source")


@pytest.mark.parametrize(
    "marker",
    [
        "-- transhume: load",
        "-- transhume: load on both",
        "-- transhume: Load on target",
        "-- transhume: build of patient on target",
        "-- transhume: load on target binds ",
        "-- transhume: load on target bind first",
    ],
)
def test_a_marker_that_cannot_be_read_is_refused(marker: str) -> None:
    """A marker line in no known form is refused, with its place: it must not become a comment of the section above."""
    with pytest.raises(Refused, match="marker cannot be read") as caught:
        split(f"-- header\n{marker}\nSELECT 1\n", "f.sql")
    assert str(caught.value.place) == "f.sql:2"


def test_a_parameter_that_is_not_bound_is_refused() -> None:
    """A $n beyond the marker's binds is refused before anything runs, at its character."""
    with pytest.raises(Refused, match=r"\$2 stands for nothing here") as caught:
        split("-- transhume: load on target binds first\nSELECT $1,\n       $2\n", "f.sql")
    assert str(caught.value.place) == "f.sql:3:8"
