"""Words: by which of them the names of actors are found, and an index of terms for what words begin with."""

from alembic import op

revision = "0003"
down_revision = "0002"
branch_labels = None
depends_on = None

UP = (
    """
    CREATE TABLE actor_word (
        word text COLLATE "C" NOT NULL,
        resource integer NOT NULL,
        revision bigint NOT NULL,
        PRIMARY KEY (word, resource, revision),
        FOREIGN KEY (resource, revision) REFERENCES resource_version
    )
    """,
    "COMMENT ON TABLE actor_word IS "
    "'Derived: the words, folded, in the names that an actor had from a revision on. Only ever inserted.'",
    'CREATE INDEX term_range ON term (dimension, value COLLATE "C")',
)
DOWN = (
    "DROP TABLE actor_word",
    "DROP INDEX term_range",
    # Where the schema goes up again, the words of names are found again.
    "UPDATE head SET index_generation = least(index_generation, 3)",
)


def upgrade() -> None:
    for statement in UP:
        op.execute(statement)


def downgrade() -> None:
    for statement in DOWN:
        op.execute(statement)
