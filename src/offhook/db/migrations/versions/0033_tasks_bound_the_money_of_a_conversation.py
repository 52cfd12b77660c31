"""tasks bound the money of a conversation

Revision 0033, after 0032.
"""

import sqlalchemy as sa
from alembic import op

revision = '0033'
down_revision = '0032'
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.add_column('tasks', sa.Column('max_money', sa.Integer(), server_default=sa.text('500'), nullable=False))


def downgrade() -> None:
    op.drop_column('tasks', 'max_money')
