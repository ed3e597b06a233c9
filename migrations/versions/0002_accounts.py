"""Accounts and merges: dates that claims give, actors that stand for others, and which terms the index holds."""

from alembic import op

revision = "0002"
down_revision = "0001"
branch_labels = None
depends_on = None

# A claim's voice is found when it is needed, since actors may be merged; facts no longer begin with it.
WITHOUT_VOICES = """
UPDATE version v SET facts = json_build_object('claims', (
    SELECT coalesce(json_agg(f.value::jsonb - 0 ORDER BY f.place), '[]')
    FROM json_array_elements(v.facts -> 'claims') WITH ORDINALITY AS f(value, place)))
WHERE v.facts IS NOT NULL
"""
WITH_VOICES = """
UPDATE version v SET facts = json_build_object('claims', (
    SELECT coalesce(json_agg(jsonb_build_array(
        CASE WHEN c.value -> 'speakers' ->> 0 IS NOT NULL THEN 'actor:' || (c.value -> 'speakers' ->> 0)
             WHEN f.value ->> 0 IS NOT NULL THEN 'actor:' || (f.value ->> 0)
             ELSE 'source:' || (c.value ->> 'source') END
    ) || f.value::jsonb ORDER BY f.place), '[]')
    FROM json_array_elements(v.facts -> 'claims') WITH ORDINALITY AS f(value, place)
    JOIN json_array_elements(v.document -> 'claims') WITH ORDINALITY AS c(value, place) USING (place)))
WHERE v.facts IS NOT NULL
"""

UP = (
    WITHOUT_VOICES,
    "ALTER TABLE version ADD COLUMN told bigint[] NOT NULL DEFAULT '{}'",
    """
    CREATE TABLE merge (
        actor integer NOT NULL REFERENCES resource,
        revision bigint NOT NULL REFERENCES revision DEFERRABLE INITIALLY DEFERRED,
        into_actor integer REFERENCES resource,
        PRIMARY KEY (actor, revision)
    )
    """,
    "CREATE INDEX merge_revision ON merge (revision)",
    "CREATE INDEX version_known ON version (known, event)",
    "ALTER TABLE head ADD COLUMN index_generation smallint NOT NULL DEFAULT 1",
    "COMMENT ON COLUMN version.told IS "
    "'Pairs of bounds: dates other than its own that claims give the event, by which accounts of it are ordered.'",
    "COMMENT ON TABLE merge IS "
    "'From a revision on an actor stands for another (into_actor null: for itself again), only ever inserted.'",
    "COMMENT ON COLUMN head.index_generation IS "
    "'Which terms the index holds. Below what the service posts, migrating makes the index anew from the versions.'",
)
DOWN = (
    WITH_VOICES,
    "ALTER TABLE head DROP COLUMN index_generation",
    "DROP TABLE merge",
    "DROP INDEX version_known",
    "ALTER TABLE version DROP COLUMN told",
    # Postings of dates that claims give have no place in the index as it was.
    "DELETE FROM posting WHERE span >= 32",
    "DELETE FROM term_span WHERE span >= 32",
)


def upgrade() -> None:
    for statement in UP:
        op.execute(statement)


def downgrade() -> None:
    for statement in DOWN:
        op.execute(statement)
