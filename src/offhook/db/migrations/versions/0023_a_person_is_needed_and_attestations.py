"""a person is needed, and what carriers say of a caller's number

Revision 0023, after 0022.
"""

import sqlalchemy as sa
from alembic import op

revision = '0023'
down_revision = '0022'
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.add_column('conversations', sa.Column('person_needed', sa.String(length=200), server_default='', nullable=False))
    op.alter_column('conversations', 'person_needed', server_default=None)
    op.create_index('ix_conversations_person_needed', 'conversations', ['team_id', 'last_activity_at'], postgresql_where=sa.text("person_needed <> ''"))
    op.add_column('calls', sa.Column('attestation', sa.String(length=12), server_default='', nullable=False))
    op.alter_column('calls', 'attestation', server_default=None)


def downgrade() -> None:
    op.drop_column('calls', 'attestation')
    op.drop_index('ix_conversations_person_needed', table_name='conversations')
    op.drop_column('conversations', 'person_needed')
