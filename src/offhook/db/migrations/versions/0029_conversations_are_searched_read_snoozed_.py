"""conversations are searched read snoozed assigned taken over

Revision 0029, after 0028.
"""

from alembic import op
import sqlalchemy as sa
from sqlalchemy.dialects import postgresql

revision = '0029'
down_revision = '0028'
branch_labels = None
depends_on = None

# The same reading of words as offhook/inbox/words.py, as near as SQL comes to it.
PLAIN = "lower(regexp_replace(normalize(text, NFKD), '[\u0300-\u036f\u0591-\u05c7\u064b-\u065f]', '', 'g'))"
SIGNS = "[\u0e00-\u0eff\u1000-\u109f\u1780-\u17ff\u3041-\u30ff\u3400-\u4dbf\u4e00-\u9fff]"
WORDS = f"regexp_replace(regexp_replace({PLAIN}, '({SIGNS})', ' \\1 ', 'g'), '[^[:alnum:]]+', ' ', 'g')"


def upgrade() -> None:
    op.execute("SELECT set_config('offhook.team', '*', true)")  # rows of every team are moved
    op.create_table('inbox_labels',
    sa.Column('team_id', sa.String(length=40), nullable=False),
    sa.Column('name', sa.String(length=30), nullable=False),
    sa.ForeignKeyConstraint(['team_id'], ['teams.id'], name=op.f('fk_inbox_labels_team_id')),
    sa.PrimaryKeyConstraint('team_id', 'name', name=op.f('pk_inbox_labels'))
    )
    op.create_table('inbox_readers',
    sa.Column('team_id', sa.String(length=40), nullable=False),
    sa.Column('reader', sa.String(length=40), nullable=False),
    sa.Column('all_read_at', sa.DateTime(timezone=True), nullable=False),
    sa.ForeignKeyConstraint(['team_id'], ['teams.id'], name=op.f('fk_inbox_readers_team_id')),
    sa.PrimaryKeyConstraint('team_id', 'reader', name=op.f('pk_inbox_readers'))
    )
    op.create_table('inbox_labelled',
    sa.Column('team_id', sa.String(length=40), nullable=False),
    sa.Column('label', sa.String(length=30), nullable=False),
    sa.Column('conversation_id', sa.String(length=40), nullable=False),
    sa.ForeignKeyConstraint(['conversation_id'], ['conversations.id'], name=op.f('fk_inbox_labelled_conversation_id')),
    sa.ForeignKeyConstraint(['team_id'], ['teams.id'], name=op.f('fk_inbox_labelled_team_id')),
    sa.PrimaryKeyConstraint('team_id', 'label', 'conversation_id', name=op.f('pk_inbox_labelled'))
    )
    op.create_index(op.f('ix_inbox_labelled_conversation_id'), 'inbox_labelled', ['conversation_id'], unique=False)
    op.create_table('inbox_reads',
    sa.Column('team_id', sa.String(length=40), nullable=False),
    sa.Column('reader', sa.String(length=40), nullable=False),
    sa.Column('conversation_id', sa.String(length=40), nullable=False),
    sa.Column('read_at', sa.DateTime(timezone=True), nullable=False),
    sa.ForeignKeyConstraint(['conversation_id'], ['conversations.id'], name=op.f('fk_inbox_reads_conversation_id')),
    sa.ForeignKeyConstraint(['team_id'], ['teams.id'], name=op.f('fk_inbox_reads_team_id')),
    sa.PrimaryKeyConstraint('team_id', 'reader', 'conversation_id', name=op.f('pk_inbox_reads'))
    )
    op.create_index('ix_inbox_reads_time', 'inbox_reads', ['team_id', 'reader', 'read_at'], unique=False)
    op.create_table('turn_words',
    sa.Column('turn_id', sa.String(length=40), nullable=False),
    sa.Column('conversation_id', sa.String(length=40), nullable=False),
    sa.Column('words', postgresql.TSVECTOR(), nullable=False),
    sa.ForeignKeyConstraint(['turn_id'], ['turns.id'], name=op.f('fk_turn_words_turn_id'), ondelete='CASCADE'),
    sa.PrimaryKeyConstraint('turn_id', name=op.f('pk_turn_words'))
    )
    op.create_index('ix_turn_words', 'turn_words', ['words'], unique=False, postgresql_using='gin')
    op.create_index(op.f('ix_turn_words_conversation_id'), 'turn_words', ['conversation_id'], unique=False)
    op.add_column('conversations', sa.Column('last_heard_at', sa.DateTime(timezone=True), nullable=True))
    op.add_column('conversations', sa.Column('assignee_id', sa.String(length=40), nullable=True))
    op.add_column('conversations', sa.Column('snoozed_until', sa.DateTime(timezone=True), nullable=True))
    op.add_column('conversations', sa.Column('snoozed_by', sa.String(length=40), server_default='', nullable=False))
    op.add_column('conversations', sa.Column('taken_over_by', sa.String(length=40), server_default='', nullable=False))
    op.add_column('conversations', sa.Column('taken_over_at', sa.DateTime(timezone=True), nullable=True))
    op.add_column('conversations', sa.Column('title', sa.String(length=120), server_default='', nullable=False))
    op.add_column('conversations', sa.Column('summary', sa.Text(), server_default='', nullable=False))
    op.add_column('conversations', sa.Column('summary_by', sa.String(length=120), server_default='', nullable=False))
    op.create_index('ix_conversations_assignee', 'conversations', ['team_id', 'assignee_id', 'last_activity_at', 'id'], unique=False, postgresql_where='assignee_id IS NOT NULL')
    op.create_index('ix_conversations_number', 'conversations', ['team_id', 'number_id', 'last_activity_at', 'id'], unique=False)
    op.create_index('ix_conversations_opened', 'conversations', ['team_id', 'opened_at', 'id'], unique=False)
    op.create_index('ix_conversations_snoozed', 'conversations', ['snoozed_until'], unique=False, postgresql_where='snoozed_until IS NOT NULL')
    op.create_index('ix_conversations_state', 'conversations', ['team_id', 'state', 'last_activity_at', 'id'], unique=False)
    op.execute("UPDATE conversations SET last_heard_at = heard.at FROM (SELECT conversation_id, max(started_at) AS at FROM turns WHERE speaker = 'caller' GROUP BY conversation_id) AS heard WHERE heard.conversation_id = conversations.id")
    op.execute("INSERT INTO inbox_readers (team_id, reader, all_read_at) SELECT team_id, user_id, now() FROM memberships")
    op.execute("INSERT INTO inbox_reads (team_id, reader, conversation_id, read_at) SELECT member.team_id, member.user_id, talk.id, talk.last_heard_at - interval '1 microsecond' FROM conversations AS talk JOIN memberships AS member ON member.team_id = talk.team_id WHERE talk.unread AND talk.last_heard_at IS NOT NULL")
    op.execute("INSERT INTO inbox_labelled (team_id, label, conversation_id) SELECT DISTINCT team_id, unnest(labels), id FROM conversations")
    op.execute("INSERT INTO inbox_labels (team_id, name) SELECT DISTINCT team_id, label FROM inbox_labelled")
    op.execute(f"INSERT INTO turn_words (turn_id, conversation_id, words) SELECT id, conversation_id, to_tsvector('simple', {WORDS}) || array_to_tsvector(ARRAY['@' || team_id]) FROM turns")
    op.drop_column('conversations', 'unread')
    op.drop_index(op.f('ix_turns_words'), table_name='turns', postgresql_using='gin')
    op.drop_column('turns', 'words')
    op.execute('ALTER TABLE inbox_labels ENABLE ROW LEVEL SECURITY')
    op.execute('ALTER TABLE inbox_labels FORCE ROW LEVEL SECURITY')
    op.execute("CREATE POLICY team ON inbox_labels USING (team_id = current_setting('offhook.team', true) OR current_setting('offhook.team', true) = '*') WITH CHECK (team_id = current_setting('offhook.team', true) OR current_setting('offhook.team', true) = '*')")
    op.execute('ALTER TABLE inbox_readers ENABLE ROW LEVEL SECURITY')
    op.execute('ALTER TABLE inbox_readers FORCE ROW LEVEL SECURITY')
    op.execute("CREATE POLICY team ON inbox_readers USING (team_id = current_setting('offhook.team', true) OR current_setting('offhook.team', true) = '*') WITH CHECK (team_id = current_setting('offhook.team', true) OR current_setting('offhook.team', true) = '*')")
    op.execute('ALTER TABLE inbox_labelled ENABLE ROW LEVEL SECURITY')
    op.execute('ALTER TABLE inbox_labelled FORCE ROW LEVEL SECURITY')
    op.execute("CREATE POLICY team ON inbox_labelled USING (team_id = current_setting('offhook.team', true) OR current_setting('offhook.team', true) = '*') WITH CHECK (team_id = current_setting('offhook.team', true) OR current_setting('offhook.team', true) = '*')")
    op.execute('ALTER TABLE inbox_reads ENABLE ROW LEVEL SECURITY')
    op.execute('ALTER TABLE inbox_reads FORCE ROW LEVEL SECURITY')
    op.execute("CREATE POLICY team ON inbox_reads USING (team_id = current_setting('offhook.team', true) OR current_setting('offhook.team', true) = '*') WITH CHECK (team_id = current_setting('offhook.team', true) OR current_setting('offhook.team', true) = '*')")


def downgrade() -> None:
    op.add_column('turns', sa.Column('words', postgresql.TSVECTOR(), sa.Computed("to_tsvector('simple'::regconfig, text)", persisted=True), nullable=False))
    op.create_index(op.f('ix_turns_words'), 'turns', ['words'], unique=False, postgresql_using='gin')
    op.add_column('conversations', sa.Column('unread', sa.Boolean(), server_default=sa.false(), nullable=False))
    op.drop_index('ix_conversations_state', table_name='conversations')
    op.drop_index('ix_conversations_snoozed', table_name='conversations', postgresql_where='snoozed_until IS NOT NULL')
    op.drop_index('ix_conversations_opened', table_name='conversations')
    op.drop_index('ix_conversations_number', table_name='conversations')
    op.drop_index('ix_conversations_assignee', table_name='conversations', postgresql_where='assignee_id IS NOT NULL')
    op.drop_column('conversations', 'summary_by')
    op.drop_column('conversations', 'summary')
    op.drop_column('conversations', 'title')
    op.drop_column('conversations', 'taken_over_at')
    op.drop_column('conversations', 'taken_over_by')
    op.drop_column('conversations', 'snoozed_by')
    op.drop_column('conversations', 'snoozed_until')
    op.drop_column('conversations', 'assignee_id')
    op.drop_column('conversations', 'last_heard_at')
    op.drop_index(op.f('ix_turn_words_conversation_id'), table_name='turn_words')
    op.drop_index('ix_turn_words', table_name='turn_words', postgresql_using='gin')
    op.drop_table('turn_words')
    op.drop_index('ix_inbox_reads_time', table_name='inbox_reads')
    op.drop_table('inbox_reads')
    op.drop_index(op.f('ix_inbox_labelled_conversation_id'), table_name='inbox_labelled')
    op.drop_table('inbox_labelled')
    op.drop_table('inbox_readers')
    op.drop_table('inbox_labels')
