"""words of passages have a table

Revision 0037, after 0036.
"""

from alembic import op
import sqlalchemy as sa
from sqlalchemy.dialects import postgresql

revision = '0037'
down_revision = '0036'
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.execute("SELECT set_config('offhook.team', '*', true)")  # rows of every team are moved
    op.create_table('knowledge_words',
    sa.Column('passage_id', sa.String(length=40), nullable=False),
    sa.Column('words', postgresql.TSVECTOR(), nullable=False),
    sa.ForeignKeyConstraint(['passage_id'], ['knowledge_passages.id'], name=op.f('fk_knowledge_words_passage_id'), ondelete='CASCADE'),
    sa.PrimaryKeyConstraint('passage_id', name=op.f('pk_knowledge_words'))
    )
    op.execute(
        "INSERT INTO knowledge_words (passage_id, words) SELECT id,"
        " setweight(to_tsvector('english', heading), 'B') || setweight(to_tsvector('english', text), 'A')"
        " || array_to_tsvector(ARRAY['@' || team_id]) FROM knowledge_passages"
    )
    op.create_index('ix_knowledge_words', 'knowledge_words', ['words'], unique=False, postgresql_using='gin')
    op.drop_index(op.f('ix_knowledge_passages_words'), table_name='knowledge_passages', postgresql_using='gin')
    op.drop_column('knowledge_passages', 'words')


def downgrade() -> None:
    op.add_column('knowledge_passages', sa.Column('words', postgresql.TSVECTOR(), sa.Computed('(setweight(to_tsvector(\'english\'::regconfig, heading), \'B\'::"char") || setweight(to_tsvector(\'english\'::regconfig, text), \'A\'::"char"))', persisted=True), autoincrement=False, nullable=False))
    op.create_index(op.f('ix_knowledge_passages_words'), 'knowledge_passages', ['words'], unique=False, postgresql_using='gin')
    op.drop_index('ix_knowledge_words', table_name='knowledge_words', postgresql_using='gin')
    op.drop_table('knowledge_words')
