"""Every rule of every contract has a canary: a table that must fail it, does, and fails nothing else."""

from __future__ import annotations

import importlib
import pkgutil

import pyarrow as pa
import pytest

import schemas
from schemas.validate import Contract, validate
from tests.schemas.canaries import CANARIES, VALID, rules_of

CONTRACTS: dict[str, Contract] = {
    name: value
    for module in pkgutil.iter_modules(schemas.__path__)
    if not module.ispkg
    for name, value in vars(importlib.import_module(f"schemas.{module.name}")).items()
    if isinstance(value, Contract)
}
RULES = [(c, columns, rule) for c, contract in CONTRACTS.items() for columns, rule in rules_of(contract)]


def failures(engine, contract, columns):
    table = engine.create_table("t", pa.table(columns), overwrite=True)
    return {(f.column, f.rule): f.count for f in validate(table, CONTRACTS[contract], name="t")}


def test_every_contract_has_a_table_that_holds():
    assert set(VALID) == set(CONTRACTS)
    assert len(RULES) > 150


@pytest.mark.parametrize("contract", CONTRACTS)
def test_the_valid_table_holds(engine, contract):
    assert failures(engine, contract, VALID[contract]) == {}


@pytest.mark.parametrize(("contract", "columns", "rule"), RULES, ids=[" ".join(r) for r in RULES])
def test_the_canary_of_a_rule_is_caught_with_its_count(engine, contract, columns, rule):
    assert rule in CANARIES, f"{rule} of {contract}.{columns} has no canary"
    canary = CANARIES[rule](VALID[contract], columns)
    assert failures(engine, contract, canary.columns) == {(columns, rule): canary.count, **canary.also}
