"""Every engine computes the token that the secret does, and finds ids in whatever text rows were kept as."""

import ibis
import pyarrow as pa
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from hier_dag.erasure.erased import Erased
from hier_dag.erasure.mentions import names
from hier_dag.erasure.recognise import found, naming, token
from hier_dag.erasure.secret import Secret
from hier_dag.ingest.connection import connect

SECRET = Secret("ab" * 32)
IDS = st.text(st.characters(codec="utf-8", exclude_characters="\0"), min_size=1)


@pytest.fixture(scope="module")
def con(tmp_path_factory):
    with connect(tmp_path_factory.mktemp("scratch"), threads=1) as con:
        yield con


def erased(*users):
    return Erased(SECRET, tuple(sorted(map(SECRET.token, users))))


def table(con, **columns):
    return con.create_table("given", pa.table(columns), temp=True, overwrite=True)


@settings(max_examples=20, deadline=None)
@given(ids=st.lists(IDS, min_size=1, max_size=20))
def test_the_engine_makes_the_same_tokens(con, ids):
    rows = table(con, id=pa.array(ids, pa.string()))
    made = con.to_pyarrow(rows.select(token=token(rows["id"], SECRET)))["token"].to_pylist()
    assert made == [SECRET.token(user) for user in ids]


def test_spark_is_asked_for_the_same_hash():
    rows = ibis.table({"id": "string"}, name="t")
    sql = "".join(ibis.to_sql(rows.select(t=token(rows["id"], SECRET)), dialect="pyspark").split())
    assert f"SHA2(CONCAT('{SECRET.text}',`t0`.`id`),256)" in sql


def test_ids_of_any_type_are_found_once_each_whatever_the_column(con):
    rows = table(con, a=pa.array(["ann", "bob", None, "ann"]), b=pa.array([7, 8, None, 7]))
    assert sorted(found(con, [rows.a, rows.b], erased("ann", "7", "cy")).to_pylist()) == ["7", "ann"]


@pytest.mark.parametrize(
    ("text", "user"),
    [
        ('{"uid":"ann","sku":null}', "ann"),
        ('{"uid":"d, e:f","sku":"s"}', "d, e:f"),
        ('{"uid":"say \\"hi\\"","sku":"s"}', 'say "hi"'),
        ('{"uid":17,"sku":"s"}', "17"),
        ('{"uid": "ann", "sku": ', "ann"),
        ('{"uid":17,"sku": ', "17"),
        ("2024-05-01,ann,i1,extra", "ann"),
        ("a:b;x", "a:b"),
        ("ann", "ann"),
    ],
)
def test_an_id_is_found_in_the_text_of_a_row_whole_or_broken(con, text, user):
    rows = table(con, raw=pa.array([text, None, '{"uid":"annabel"}']))
    assert naming(con, rows, ["raw"], erased(user)).to_pylist() == [user]
    assert names({"sample": [{"raw": text}]}, frozenset({user}))
    assert naming(con, rows, ["raw"], erased(user[:-1] + "~")).to_pylist() == []
    assert not names({"sample": [{"raw": text}]}, frozenset({user + "~"}))
