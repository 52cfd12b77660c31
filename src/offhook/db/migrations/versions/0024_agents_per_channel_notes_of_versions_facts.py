"""agents per channel, notes of versions, business facts

Revision 0024, after 0023.
"""

import sqlalchemy as sa
from alembic import op

revision = '0024'
down_revision = '0023'
branch_labels = None
depends_on = None

TEXTS = ('call_instructions', 'sms_instructions', 'person_when')
TEAM = "team_id = current_setting('offhook.team', true) OR current_setting('offhook.team', true) = '*'"


def upgrade() -> None:
    for name in TEXTS:
        op.add_column('agents', sa.Column(name, sa.Text(), server_default='', nullable=False))
        op.alter_column('agents', name, server_default=None)
    op.add_column('agent_versions', sa.Column('note', sa.String(length=200), server_default='', nullable=False))
    op.alter_column('agent_versions', 'note', server_default=None)
    op.create_table('business_facts',
    sa.Column('id', sa.String(length=40), nullable=False),
    sa.Column('text', sa.Text(), nullable=False),
    sa.Column('source_id', sa.String(length=40), nullable=True),
    sa.Column('updated_at', sa.DateTime(timezone=True), nullable=False),
    sa.Column('team_id', sa.String(length=40), nullable=False),
    sa.ForeignKeyConstraint(['team_id'], ['teams.id'], name=op.f('fk_business_facts_team_id_teams')),
    sa.PrimaryKeyConstraint('id', name=op.f('pk_business_facts')),
    sa.UniqueConstraint('team_id', name=op.f('uq_business_facts_team_id'))
    )
    op.create_index(op.f('ix_business_facts_team_id'), 'business_facts', ['team_id'], unique=False)
    op.execute('ALTER TABLE business_facts ENABLE ROW LEVEL SECURITY')
    op.execute('ALTER TABLE business_facts FORCE ROW LEVEL SECURITY')
    op.execute(f'CREATE POLICY team ON business_facts USING ({TEAM}) WITH CHECK ({TEAM})')


def downgrade() -> None:
    op.drop_table('business_facts')
    op.drop_column('agent_versions', 'note')
    for name in TEXTS:
        op.drop_column('agents', name)
