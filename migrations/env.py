"""Runs the migrations on the connection that the service hands over (service/storage/migrating.py)."""

from alembic import context

connection = context.config.attributes["connection"]
context.configure(connection=connection, transaction_per_migration=False)
with context.begin_transaction():
    # Two services that start at once migrate one after the other; the lock ends with the transaction.
    connection.exec_driver_sql("SELECT pg_advisory_xact_lock(7239465012)")
    context.run_migrations()
