"""Where published sets are delivered to besides the files: `stages.publish.sinks`."""

from __future__ import annotations

from typing import Annotated, Literal
from urllib.parse import urlsplit

from pydantic import BaseModel, ConfigDict, Field, SecretStr, field_validator, model_validator

# A URL may hold a password: no message of pydantic repeats what was given.
_STRICT = ConfigDict(extra="forbid", frozen=True, hide_input_in_errors=True)
_SCHEMES = ("s3", "gs", "az")


class PgVectorSink(BaseModel):
    """A Postgres database with the extension pgvector (extra `pgvector`)."""

    model_config = _STRICT
    type: Literal["pgvector"] = "pgvector"
    url: SecretStr = Field(description="postgresql://user:${PASSWORD}@host/database")
    schema_name: str = Field(
        "hier",
        alias="schema",
        pattern=r"^[a-z_][a-z0-9_]*$",
        max_length=63,
        description="database schema of the tables; one platform each",
    )
    index_from: int = Field(
        100_000, ge=1, description="items from which on an HNSW index is built; fewer are scanned exactly"
    )
    m: int = Field(16, ge=2, le=100, description="neighbours of a vector in the HNSW graph")
    ef_construction: int = Field(
        64, ge=4, le=1000, description="candidates looked at when a vector enters the HNSW graph"
    )
    build_memory_mb: int = Field(
        256,
        ge=1,
        description="maintenance_work_mem while the index is built; beyond it building is slow",
    )
    lock_seconds: float = Field(
        60.0,
        gt=0,
        le=3600,
        allow_inf_nan=False,
        description="patience with readers when sets are swapped",
    )

    @field_validator("url")
    @classmethod
    def _postgres(cls, value: SecretStr) -> SecretStr:
        # Imported late: hier_dag.config itself imports these models.
        from hier_dag.config.database_url import source_url_problem

        driver, given, _ = value.get_secret_value().partition("://")
        if given and driver not in ("postgresql", "postgresql+psycopg2"):
            raise ValueError(f"a pgvector sink is a postgresql:// database, not {driver}://")
        problem = source_url_problem(value.get_secret_value())
        if problem is not None:
            raise ValueError(f"{problem[0]} {problem[1][0].upper()}{problem[1][1:]}")
        return value

    @model_validator(mode="after")
    def _wide_enough(self) -> PgVectorSink:
        if self.ef_construction < 2 * self.m:
            raise ValueError(
                f"`ef_construction` must be at least twice `m` ({2 * self.m}), is {self.ef_construction}"
            )
        return self


class LanceSink(BaseModel):
    """A LanceDB database: a folder, or a place in an object store (extra `lance`)."""

    model_config = _STRICT
    type: Literal["lance"] = "lance"
    uri: str = Field(
        description="absolute folder, or s3://, gs://, az://; keys come from the environment alone"
    )
    keep: int = Field(2, ge=1, description="newest versions whose tables stay, for whoever still reads them")

    @field_validator("uri")
    @classmethod
    def _place(cls, value: str) -> str:
        if "\0" in value:
            raise ValueError("`uri` holds a NUL character")
        if value.startswith("/"):
            return value
        parts = urlsplit(value)
        if parts.scheme not in _SCHEMES or not parts.netloc:
            raise ValueError(
                "`uri` must be an absolute folder or start with " + ", ".join(f"{s}://" for s in _SCHEMES)
            )
        if "@" in parts.netloc or parts.query:
            raise ValueError("`uri` holds credentials or options: keys come from the environment alone")
        return value


SinkParams = Annotated[PgVectorSink | LanceSink, Field(discriminator="type")]
