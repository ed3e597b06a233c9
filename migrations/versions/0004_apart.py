"""Terms apart: words beside the other terms of a version, and once more those by which events are counted."""

from alembic import op

revision = "0004"
down_revision = "0003"
branch_labels = None
depends_on = None

UP = (
    """
    ALTER TABLE version ADD COLUMN words integer[] NOT NULL DEFAULT '{}',
    ADD COLUMN facets integer[] NOT NULL DEFAULT '{}'
    """,
    "COMMENT ON COLUMN version.terms IS 'What the version is found by, but for its words.'",
    "COMMENT ON COLUMN version.words IS 'Terms of its words: as many as of all the rest, and seldom looked at.'",
    "COMMENT ON COLUMN version.facets IS 'Those of its terms by which events are counted, once more.'",
)
DOWN = (
    "ALTER TABLE version DROP COLUMN facets, DROP COLUMN words",
    "COMMENT ON COLUMN version.terms IS NULL",
    # Without its words a version has not all terms, until they are found again.
    "UPDATE head SET index_generation = least(index_generation, 3)",
)


def upgrade() -> None:
    for statement in UP:
        op.execute(statement)


def downgrade() -> None:
    for statement in DOWN:
        op.execute(statement)
