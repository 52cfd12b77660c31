"""Labels are found in the order of the list

Revision 0042, after 0041.
"""

from alembic import op
import sqlalchemy as sa


revision = '0042'
down_revision = '0041'
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.add_column('inbox_labelled', sa.Column('last_activity_at', sa.DateTime(timezone=True), nullable=True))
    op.execute("SELECT set_config('offhook.team', '*', true)")  # rows of every team
    op.execute(
        'UPDATE inbox_labelled SET last_activity_at = conversations.last_activity_at'
        ' FROM conversations WHERE conversations.id = inbox_labelled.conversation_id'
    )
    op.alter_column('inbox_labelled', 'last_activity_at', nullable=False)
    op.create_index('ix_inbox_labelled_activity', 'inbox_labelled', ['team_id', 'label', 'last_activity_at', 'conversation_id'], unique=False)


def downgrade() -> None:
    op.drop_index('ix_inbox_labelled_activity', table_name='inbox_labelled')
    op.drop_column('inbox_labelled', 'last_activity_at')
