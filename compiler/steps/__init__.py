"""The kinds of steps that a plan is made of: KINDS is all of them, in the order in which a table meets them."""

from compiler.plan import Kind
from compiler.steps.constrain import ConstrainTable
from compiler.steps.create import CreateTable
from compiler.steps.finish import FinishTable
from compiler.steps.index import BuildIndexes
from compiler.steps.load import LoadTable
from compiler.steps.map import FillMap
from compiler.steps.prepare import PrepareTable
from compiler.steps.reconcile import ReconcileTables
from compiler.steps.require import RequireExtension, RequireSchema, RequireType
from compiler.steps.verify import VerifyTable

KINDS: tuple[type[Kind], ...] = (
    RequireSchema, RequireType, RequireExtension, CreateTable, PrepareTable, FillMap, LoadTable, BuildIndexes,
    ReconcileTables, ConstrainTable, FinishTable, VerifyTable,
)  # fmt: skip
