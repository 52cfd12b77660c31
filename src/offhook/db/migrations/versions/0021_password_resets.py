"""password resets and choices of mail

Revision 0021, after 0020.
"""

from alembic import op
import sqlalchemy as sa


revision = '0021'
down_revision = '0020'
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table('password_resets',
    sa.Column('id', sa.String(length=40), nullable=False),
    sa.Column('email', sa.String(length=254), nullable=False),
    sa.Column('user_id', sa.String(length=40), nullable=True),
    sa.Column('token_hash', sa.String(length=64), nullable=True),
    sa.Column('asked_at', sa.DateTime(timezone=True), nullable=False),
    sa.Column('expires_at', sa.DateTime(timezone=True), nullable=False),
    sa.ForeignKeyConstraint(['user_id'], ['users.id'], name=op.f('fk_password_resets_user_id')),
    sa.PrimaryKeyConstraint('id', name=op.f('pk_password_resets')),
    sa.UniqueConstraint('token_hash', name=op.f('uq_password_resets_token_hash'))
    )
    op.create_index(op.f('ix_password_resets_asked_at'), 'password_resets', ['asked_at'], unique=False)
    op.create_index(op.f('ix_password_resets_user_id'), 'password_resets', ['user_id'], unique=False)
    op.create_table('notice_choices',
    sa.Column('user_id', sa.String(length=40), nullable=False),
    sa.Column('kind', sa.String(20), nullable=False),
    sa.Column('team_id', sa.String(length=40), nullable=False),
    sa.Column('wanted', sa.Boolean(), nullable=False),
    sa.ForeignKeyConstraint(['team_id'], ['teams.id'], name=op.f('fk_notice_choices_team_id')),
    sa.ForeignKeyConstraint(['user_id'], ['users.id'], name=op.f('fk_notice_choices_user_id')),
    sa.PrimaryKeyConstraint('user_id', 'kind', 'team_id', name=op.f('pk_notice_choices'))
    )
    op.execute('ALTER TABLE notice_choices ENABLE ROW LEVEL SECURITY')
    op.execute('ALTER TABLE notice_choices FORCE ROW LEVEL SECURITY')
    op.execute("CREATE POLICY team ON notice_choices USING (team_id = current_setting('offhook.team', true) OR current_setting('offhook.team', true) = '*') WITH CHECK (team_id = current_setting('offhook.team', true) OR current_setting('offhook.team', true) = '*')")


def downgrade() -> None:
    op.drop_table('notice_choices')
    op.drop_index(op.f('ix_password_resets_user_id'), table_name='password_resets')
    op.drop_index(op.f('ix_password_resets_asked_at'), table_name='password_resets')
    op.drop_table('password_resets')
