"""`transhume init` drafts specs: small catalogs in, whole files out; what cannot be decided is said aloud."""

from __future__ import annotations

import uuid
from pathlib import Path

import pytest
from click.testing import CliRunner, Result

from compiler.catalog import Catalog
from compiler.diagnostics import Span
from compiler.init import drafts, file_name
from compiler.init_draft import Keys
from compiler.init_text import text
from compiler.spec import Database, Ids, Limits, Project, Reason, Word
from transhume import main

HERE = Span("project.yaml", 1, 1, 1)
SHOP = """
  public.dispatch_customer:
    kind: table
    columns:
      id: {type: integer, 'null': false}
      email: {type: text}
      no: {type: integer}
      age: {type: integer}
    primary_key: {name: customer_pkey, columns: [id], definition: PRIMARY KEY (id)}
    unique:
      customer_email_key: {columns: [email], definition: UNIQUE (email)}
    checks:
      old_enough: {definition: CHECK ((age > 17))}
    indexes:
      a_lower: {definition: CREATE INDEX a_lower ON public.dispatch_customer USING btree (lower(email))}
      b_age: {columns: [age], definition: CREATE INDEX b_age ON public.dispatch_customer USING btree (age)}
      c_down: {columns: [age], definition: CREATE INDEX c_down ON public.dispatch_customer USING btree (age DESC)}
      d_hash: {columns: [age], definition: CREATE INDEX d_hash ON public.dispatch_customer USING hash (age)}
      e_again: {columns: [age], definition: CREATE INDEX e_again ON public.dispatch_customer USING btree (age)}
  public.dispatch_order:
    kind: table
    columns:
      id: {type: integer, 'null': false}
      customer_id: {type: integer}
      customer_no: {type: integer}
      parent_id: {type: integer}
      placed: {type: date}
      total: {type: 'numeric(10,2)'}
      legacy_id: {type: text}
    primary_key: {name: order_pkey, columns: [id], definition: PRIMARY KEY (id)}
    foreign_keys:
      a: {columns: [customer_id], references: public.dispatch_customer, to: [id], definition: FOREIGN KEY a}
      b: {columns: [customer_no], references: public.dispatch_customer, to: [no], definition: FOREIGN KEY b}
      c: {columns: [parent_id], references: public.dispatch_order, to: [id], definition: FOREIGN KEY c}
      d: {columns: [customer_id, total], references: public.dispatch_customer, to: [id, age], definition: FOREIGN KEY d}
    checks:
      known: {definition: CHECK ((customer_id > 0))}
"""
APP = """
  app.orders:
    kind: table
    columns:
      id: {type: uuid, 'null': false}
      customer_id: {type: uuid}
      placed: {type: timestamp with time zone}
      total: {type: 'numeric(10,2)', generated: '1'}
      note: {type: text, 'null': false}
      since: {type: date, 'null': false}
      kind: {type: text, 'null': false, default: "''::text"}
      legacy_id: {type: integer}
    primary_key: {name: orders_pkey, columns: [id], definition: PRIMARY KEY (id)}
"""


def catalog(tmp_path: Path, database: str, relations: str) -> Catalog:
    """The catalog of a database that holds `relations`."""
    path = tmp_path / f"{database}.yaml"
    text = f"format: 1\ndatabase: {database}\nserver: 18\n" + (f"relations:{relations}" if relations else "")
    path.write_text(text, encoding="utf-8")
    return Catalog.read(path)


def written(tmp_path: Path, source: str, target: str = "", keys: Keys = "uuid", skip: str = "") -> dict[str, str]:
    """The files that `init` writes for two catalogs."""
    project = Project(
        name=Word("shop", HERE),
        about="",
        source=Database("A", "public", "UTC", HERE),
        target=Database("B", "app", "UTC", HERE),
        ids=Ids(uuid.UUID(int=1), 3, HERE),
        protect=(),
        skip=(Reason(Word(skip, HERE), "not wanted"),) if skip else (),
        limits=Limits(),
        extensions=(),
        env=(),
        span=HERE,
    )
    found = drafts(project, catalog(tmp_path, "source", source), catalog(tmp_path, "target", target), keys)
    return {file_name(each): text(each, "table.json") for each in found}


def test_a_new_home_keeps_everything(tmp_path: Path) -> None:
    """New tables: derived ids beside the legacy ones, references, indexes, checks; the rest is noted."""
    assert written(tmp_path, SHOP) == {
        "dispatch_customer.yaml": """\
# yaml-language-server: $schema=table.json
table: dispatch_customer
from: dispatch_customer
key: {id: {uuid: id}}
columns:
  legacy_id: id
same: [email, 'no', age]
indexes:
  - {columns: [email], unique: true}
  - {columns: [age]}
  - {columns: [age], using: hash}
checks:
  old_enough: (age > 17)
# not carried over: index a_lower: CREATE INDEX a_lower ON public.dispatch_customer USING btree (lower(email))
# not carried over: index c_down: CREATE INDEX c_down ON public.dispatch_customer USING btree (age DESC)
""",
        "dispatch_order.yaml": """\
# yaml-language-server: $schema=table.json
table: dispatch_order
from: dispatch_order
key: {id: {uuid: id}}
columns:
  legacy_id_: id
  customer_id: {ref: dispatch_customer, by: customer_id}
  customer_no: {ref: dispatch_customer, by: customer_no, 'on': 'no'}
  parent_id: {ref: dispatch_order, by: parent_id}
same: [placed, total, legacy_id]
# not carried over: check known: CHECK ((customer_id > 0))
# not carried over: foreign key d: FOREIGN KEY d
""",
    }


def test_a_target_that_is_there_already(tmp_path: Path) -> None:
    """The app's prefix is stripped; types are converted; what the target lacks or computes is dropped by name."""
    assert written(tmp_path, SHOP, APP, skip="dispatch_customer") == {
        "orders.yaml": """\
# yaml-language-server: $schema=table.json
table: orders
from: dispatch_order
key: {id: {uuid: id}}
columns:
  customer_id: {from: customer_id, type: uuid}
  placed: {from: placed, type: timestamp with time zone}
  legacy_id: {from: legacy_id, type: integer}
  note: {value: ''}  # undecided: required in the target, not in the source
drop:
  customer_no: not in the target
  parent_id: not in the target
  total: the target computes it
create: false
# undecided: required in the target, not in the source: since
"""
    }


def test_keys_as_they_are(tmp_path: Path) -> None:
    """With `--keys same`, a key keeps its value, and needs no second column."""
    found = written(tmp_path, SHOP, keys="same")
    assert "key: {id: {same: id}}\nsame: [email, 'no', age]\n" in found["dispatch_customer.yaml"]
    assert "known: (customer_id > 0)" not in found["dispatch_order.yaml"]


TREE = """
  public.animal:
    kind: table
    columns: {id: {type: bigint, 'null': false}}
    primary_key: {name: p, columns: [id], definition: PRIMARY KEY (id)}
    children: [public.cat]
  public.cat:
    kind: table
    columns: {id: {type: bigint, 'null': false}%s}
    parents: [public.animal]
"""


@pytest.mark.parametrize(
    "more, files",
    [("", {"animal.yaml": "animal"}), (", lives: {type: integer}", {"animal.yaml": "{sql:", "cat.yaml": "{sql:"})],
    ids=["the parent's rows are all", "a child with more columns"],
)
def test_inheritance(tmp_path: Path, more: str, files: dict[str, str]) -> None:
    """Children are read through their parent, but where that would lose columns: then each table is on its own."""
    found = written(tmp_path, TREE % more)
    assert {name: text.split("from: ")[1].split()[0] for name, text in found.items()} == files


def transhume(folder: Path, *arguments: str) -> Result:
    """What the command does in a folder."""
    with pytest.MonkeyPatch.context() as patch:
        patch.chdir(folder)
        return CliRunner().invoke(main, ["init", *arguments])


def test_an_empty_folder_gets_a_project(tmp_path: Path) -> None:
    """The first call writes project.yaml, which `lint` takes; the second wants catalogs and says how to get them."""
    first = transhume(tmp_path, "shop")
    assert first.output == (
        "specs/shop/project.yaml: new\nedit it, then: transhume snapshot shop && transhume init shop\n"
    )
    second = transhume(tmp_path, "shop")
    assert second.exit_code == 3
    assert second.stderr == (
        'error[E303]: there is no catalog of the source: "specs/shop/catalog/source.yaml"\n'
        " = hint: write it with `transhume snapshot shop`\n"
        "\n1 error\n"
    )


@pytest.fixture
def shop(tmp_path: Path) -> Path:
    """A project with catalogs of SHOP and APP."""
    transhume(tmp_path, "shop")
    (tmp_path / "specs/shop/catalog").mkdir()
    catalog(tmp_path / "specs/shop/catalog", "source", SHOP)
    catalog(tmp_path / "specs/shop/catalog", "target", APP)
    return tmp_path


def test_what_is_written_and_what_is_not_decided(shop: Path) -> None:
    """The output names each column that somebody must decide about."""
    done = transhume(shop, "specs/shop")
    assert (
        done.stdout
        == """\
specs/shop/tables: 2 specs written, 0 kept
undecided: 2 columns of 1 tables are required in the target and not in the source; look for `undecided` in
  specs/shop/tables/orders.yaml: note, since
left behind: 3 columns under `drop:`, 2 indexes and constraints in comments
"""
    )
    assert transhume(shop, "shop").stdout == "specs/shop/tables: 0 specs written, 2 kept\n"


def test_specs_that_are_there_stay(shop: Path) -> None:
    """A table that a spec reads gets no second one, whatever its file's name; references use that spec's name."""
    tables = shop / "specs/shop/tables"
    tables.mkdir()
    mine = "table: clients\nfrom: {sql: select id from public.dispatch_customer as c, key: id}\n"
    (tables / "mine.yaml").write_text(mine, encoding="utf-8")
    (shop / "specs/shop/catalog/target.yaml").unlink()

    assert transhume(shop, "shop").stdout.startswith("specs/shop/tables: 1 specs written, 1 kept\n")
    assert sorted(path.name for path in tables.iterdir()) == ["dispatch_order.yaml", "mine.yaml"]
    assert "customer_id: {ref: clients, by: customer_id}" in (tables / "dispatch_order.yaml").read_text()
    assert (tables / "mine.yaml").read_text() == mine


def test_a_table_of_replies_gets_no_spec(shop: Path) -> None:
    """It is read beside the rows that hang by it."""
    tables = shop / "specs/shop/tables"
    tables.mkdir()
    tree = "tree: {parent: {from: {table: dispatch_order, child: id, parent: parent_id}, to: parent_id}}"
    (tables / "mine.yaml").write_text(f"table: clients\nfrom: dispatch_customer\n{tree}\n", encoding="utf-8")

    assert transhume(shop, "shop").stdout.startswith("specs/shop/tables: 0 specs written, 1 kept\n")


def test_derived_keys_need_a_namespace(shop: Path) -> None:
    """`--keys uuid` without ids in the project is a mistake in the call."""
    path = shop / "specs/shop/project.yaml"
    lines = path.read_text(encoding="utf-8").splitlines()
    path.write_text("\n".join(line for line in lines if not line.startswith("ids")), encoding="utf-8")
    done = transhume(shop, "shop", "--keys", "uuid")
    assert done.exit_code == 2
    assert '--keys uuid needs "ids: {namespace: <a new UUID>, version: 3}" in project.yaml' in done.stderr
    assert not (shop / "specs/shop/tables").exists()
