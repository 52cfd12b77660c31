"""meanings are found by an index

Revision 0041, after 0040. Before the deploy: the old code reads the new columns.
"""

from alembic import op

revision = '0041'
down_revision = '0040'
branch_labels = None
depends_on = None


def upgrade() -> None:
    for column in ('meaning', 'own_meaning'):
        op.execute(f"ALTER TABLE knowledge_passages ALTER COLUMN {column} TYPE halfvec(384)")
        op.create_index(f'ix_knowledge_passages_{column}', 'knowledge_passages', [column], unique=False, postgresql_using='hnsw', postgresql_ops={column: 'halfvec_cosine_ops'})


def downgrade() -> None:
    for column in ('meaning', 'own_meaning'):
        op.drop_index(f'ix_knowledge_passages_{column}', table_name='knowledge_passages', postgresql_using='hnsw')
        op.execute(f"ALTER TABLE knowledge_passages ALTER COLUMN {column} TYPE vector(384)")
