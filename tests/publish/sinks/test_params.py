"""What a declared sink may say, and that no message about it repeats a password."""

import pytest
from pydantic import BaseModel, ConfigDict, ValidationError

from hier_dag.publish.sinks.params import LanceSink, PgVectorSink, SinkParams

URL = "postgresql://hier:s3cret@db.example/vectors"


class Publish(BaseModel):
    model_config = ConfigDict(hide_input_in_errors=True)
    sinks: tuple[SinkParams, ...] = ()


def declared(*sinks):
    return Publish.model_validate({"sinks": sinks}).sinks


def test_a_sink_is_known_by_its_type():
    one, other = declared(
        {"type": "pgvector", "url": URL, "schema": "shop"}, {"type": "lance", "uri": "/data/lance"}
    )
    assert isinstance(one, PgVectorSink)
    assert one.schema_name == "shop"
    assert isinstance(other, LanceSink)


def test_a_sink_shows_its_password_nowhere():
    (sink,) = declared({"type": "pgvector", "url": URL})
    assert "s3cret" not in repr(sink) + str(sink) + sink.model_dump_json()


@pytest.mark.parametrize(
    ("mistake", "says"),
    [
        ({"url": "s3cret"}, "not a SQLAlchemy URL"),
        ({"url": "sqlite:///s3cret.db"}, "postgresql:// database, not sqlite://"),
        ({"url": "mysql://u:s3cret@h/d"}, "postgresql:// database, not mysql://"),
        ({"url": URL + "?options=-csearch_path%3Ds3cret"}, "options that are not allowed"),
        ({"url": URL, "schema": 'x"; DROP'}, "schema"),
        ({"url": URL, "m": 40}, "at least twice `m` (80)"),
        ({"url": URL, "speed": 3}, "speed"),
    ],
)
def test_a_mistake_in_a_postgres_sink_is_named(mistake, says):
    with pytest.raises(ValidationError) as refused:
        declared({"type": "pgvector", **mistake})
    assert says in str(refused.value)
    assert "s3cret" not in str(refused.value)


@pytest.mark.parametrize(
    "uri",
    [
        "relative/folder",
        "https://host/x",
        "s3://",
        "s3://key:s3cret@bucket/x",
        "s3://bucket/x?key=s3cret",
        "/a\0b",
    ],
)
def test_a_lance_place_is_an_absolute_folder_or_a_bucket_without_keys(uri):
    with pytest.raises(ValidationError, match="uri") as refused:
        declared({"type": "lance", "uri": uri})
    assert "s3cret" not in str(refused.value)
