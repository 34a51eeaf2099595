"""Errors say where, what and how to mend it, also from another process."""

import multiprocessing
from concurrent.futures import ProcessPoolExecutor

import pytest

from hier_dag import errors
from hier_dag.pipeline.workshop import Refused
from hier_dag.registry import CheckRow

ABOUT = {"domain": "food", "file": "a.csv", "column": "uid", "fix": "mend it", "detail": {"rows": 3}}
ALL = [v for v in vars(errors).values() if isinstance(v, type) and issubclass(v, errors.HierError)]


@pytest.fixture(scope="module")
def elsewhere():
    with ProcessPoolExecutor(1, mp_context=multiprocessing.get_context("spawn")) as pool:
        yield pool


def fail(kind):
    raise kind("broken.", **ABOUT)


@pytest.mark.parametrize("kind", ALL)
def test_an_error_survives_the_way_from_another_process(kind, elsewhere):
    with pytest.raises(kind) as caught:
        elsewhere.submit(fail, kind).result()
    assert type(caught.value) is kind
    assert caught.value.as_dict() == {"code": kind.code, "message": "broken.", **ABOUT}


def test_the_message_names_place_and_fix():
    text = str(errors.SourceError("no such column.", domain="food", file="a.csv", column="uid", fix="rename"))
    assert text == "[source] domain food, file a.csv, column uid: no such column. Fix: rename"


def test_a_refusal_keeps_its_checks():
    checks = [CheckRow("row_schema", False, {"count": 2})]
    assert Refused("no", checks=checks, domain="food").checks == checks
