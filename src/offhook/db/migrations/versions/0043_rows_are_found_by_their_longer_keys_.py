"""Rows are found by their longer keys alone

Revision 0043, after 0042.
"""

from alembic import op


revision = '0043'
down_revision = '0042'
branch_labels = None
depends_on = None

KEYED = (
    'billing_buyers',
    'blocked_numbers',
    'booking_appointments',
    'business_facts',
    'contact_attributes',
    'contact_erasures',
    'contact_imports',
    'contact_numbers',
    'contact_screening',
    'contact_values',
    'contacts',
    'conversations',
    'cost_carrier',
    'cost_lines',
    'events',
    'gateway_customers',
    'invoices',
    'mails',
    'messages',
    'number_purchases',
    'opt_outs',
    'outbound_calls',
    'release_notices',
    'reply_times',
    'subscriptions',
    'task_runs',
    'tasks',
    'team_secrets',
    'texted_codes',
    'transfer_targets',
    'turns',
    'usage_counters',
    'usage_lines',
    'webhook_deliveries',
)
REPLACED = (
    ('ix_conversations_timeline', 'conversations', ['team_id', 'number_id', 'sender'], ['team_id', 'number_id', 'sender', 'opened_at']),
    ('ix_messages_thread', 'messages', ['conversation_id', 'turn_sequence'], ['team_id', 'conversation_id', 'turn_sequence']),
)


def upgrade() -> None:
    for table in KEYED:
        op.drop_index(f'ix_{table}_team_id', table_name=table)
    for name, table, _, columns in REPLACED:
        op.drop_index(name, table_name=table)
        op.create_index(name, table, columns)


def downgrade() -> None:
    for name, table, columns, _ in REPLACED:
        op.drop_index(name, table_name=table)
        op.create_index(name, table, columns)
    for table in KEYED:
        op.create_index(f'ix_{table}_team_id', table, ['team_id'])
