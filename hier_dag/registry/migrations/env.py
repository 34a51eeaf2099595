"""Where Alembic begins: it gets the connection from `hier_dag.registry.upgrade`, inside one transaction."""

from alembic import context

from hier_dag.registry.tables import Base

connection = context.config.attributes["connection"]
context.configure(connection=connection, target_metadata=Base.metadata, transactional_ddl=True)
context.run_migrations()
