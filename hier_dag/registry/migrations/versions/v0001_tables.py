"""Tables as they were before there was a log: each its own record."""

import sqlalchemy as sa
from alembic import op

revision = "0001"
down_revision = None


def upgrade() -> None:
    """Makes the tables."""
    moment = sa.DateTime(timezone=True)
    op.create_table(
        "environments",
        sa.Column("digest", sa.String, primary_key=True),
        sa.Column("facts", sa.JSON, nullable=False),
    )
    op.create_table(
        "artifacts",
        sa.Column("digest", sa.String, primary_key=True),
        sa.Column("kind", sa.String, nullable=False, index=True),
        sa.Column("partition", sa.String),
        sa.Column("request_key", sa.String, nullable=False, index=True),
        sa.Column("code_version", sa.String, nullable=False),
        sa.Column("code_commit", sa.String, nullable=False),
        sa.Column("environment", sa.String, sa.ForeignKey("environments.digest"), nullable=False),
        sa.Column("run_id", sa.String, nullable=False),
        sa.Column("created_at", moment, nullable=False),
        sa.Column("seconds", sa.Float, nullable=False),
        sa.Column("bytes", sa.Integer, nullable=False),
        sa.Column("manifest", sa.JSON, nullable=False),
    )
    op.create_table(
        "parents",
        sa.Column("child", sa.String, sa.ForeignKey("artifacts.digest"), primary_key=True),
        sa.Column("role", sa.String, primary_key=True),
        sa.Column("parent", sa.String, nullable=False, index=True),
    )
    op.create_table(
        "requests",
        sa.Column("id", sa.Integer, primary_key=True, autoincrement=True),
        sa.Column("platform", sa.String, nullable=False),
        sa.Column("request_key", sa.String, nullable=False, index=True),
        sa.Column("digest", sa.String, sa.ForeignKey("artifacts.digest"), nullable=False),
        sa.Column("run_id", sa.String, nullable=False),
        sa.Column("created_at", moment, nullable=False),
    )
    op.create_table(
        "checks",
        sa.Column("id", sa.Integer, primary_key=True, autoincrement=True),
        sa.Column("platform", sa.String, nullable=False),
        sa.Column("artifact", sa.String, index=True),
        sa.Column("request_key", sa.String, nullable=False),
        sa.Column("kind", sa.String, nullable=False),
        sa.Column("partition", sa.String),
        sa.Column("name", sa.String, nullable=False),
        sa.Column("passed", sa.Boolean, nullable=False),
        sa.Column("facts", sa.JSON, nullable=False),
        sa.Column("run_id", sa.String, nullable=False),
        sa.Column("created_at", moment, nullable=False),
    )
    op.create_table(
        "decisions",
        sa.Column("id", sa.Integer, primary_key=True, autoincrement=True),
        sa.Column("platform", sa.String, nullable=False),
        sa.Column("domain", sa.String, nullable=False),
        sa.Column("kind", sa.String, nullable=False),
        sa.Column("subject", sa.String, nullable=False, index=True),
        sa.Column("who", sa.String, nullable=False),
        sa.Column("why", sa.String, nullable=False),
        sa.Column("until", moment),
        sa.Column("created_at", moment, nullable=False),
    )
    op.create_table(
        "aliases",
        sa.Column("id", sa.Integer, primary_key=True, autoincrement=True),
        sa.Column("platform", sa.String, nullable=False),
        sa.Column("domain", sa.String, nullable=False),
        sa.Column("alias", sa.String, nullable=False),
        sa.Column("version", sa.Integer, nullable=False),
        sa.Column("digest", sa.String, nullable=False),
        sa.Column("action", sa.String, nullable=False),
        sa.Column("change", sa.String, nullable=False),
        sa.Column("space", sa.String, nullable=False),
        sa.Column("facts", sa.JSON, nullable=False),
        sa.Column("run_id", sa.String, nullable=False),
        sa.Column("who", sa.String, nullable=False),
        sa.Column("why", sa.String, nullable=False),
        sa.Column("created_at", moment, nullable=False),
        sa.UniqueConstraint("platform", "domain", "alias", "version"),
    )
