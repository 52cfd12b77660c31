"""payments that wait for their owner

Revision 0003, after 0002.
"""

from alembic import op
import sqlalchemy as sa


revision = '0003'
down_revision = '0002'
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.execute("SET LOCAL offhook.team = '*'")  # rows of every team are moved
    op.create_table('gateway_events',
    sa.Column('id', sa.String(length=80), nullable=False),
    sa.Column('type', sa.String(length=80), nullable=False),
    sa.Column('object_id', sa.String(length=80), nullable=False),
    sa.Column('received_at', sa.DateTime(timezone=True), nullable=False),
    sa.PrimaryKeyConstraint('id', name=op.f('pk_gateway_events'))
    )
    op.create_table('gateway_customers',
    sa.Column('id', sa.String(length=40), nullable=False),
    sa.Column('gateway', sa.String(length=10), nullable=False),
    sa.Column('customer', sa.String(length=80), nullable=False),
    sa.Column('team_id', sa.String(length=40), nullable=False),
    sa.ForeignKeyConstraint(['team_id'], ['teams.id'], name=op.f('fk_gateway_customers_team_id')),
    sa.PrimaryKeyConstraint('id', name=op.f('pk_gateway_customers')),
    sa.UniqueConstraint('customer', name=op.f('uq_gateway_customers_customer')),
    sa.UniqueConstraint('team_id', 'gateway', name=op.f('uq_gateway_customers_team_id_gateway'))
    )
    op.create_index(op.f('ix_gateway_customers_team_id'), 'gateway_customers', ['team_id'], unique=False)
    op.add_column('charges', sa.Column('dispute', sa.String(length=30), nullable=False, server_default=''))
    op.alter_column('charges', 'state',
               existing_type=sa.VARCHAR(length=10),
               type_=sa.String(length=16),
               existing_nullable=False)
    op.add_column('number_purchases', sa.Column('waits_since', sa.DateTime(timezone=True), nullable=True))
    op.execute('UPDATE number_purchases SET waits_since = created_at')
    op.alter_column('number_purchases', 'waits_since', nullable=False)
    op.add_column('number_purchases', sa.Column('charge_id', sa.String(length=40), nullable=True))
    op.alter_column('number_purchases', 'state',
               existing_type=sa.VARCHAR(length=12),
               type_=sa.String(length=16),
               existing_nullable=False)
    op.add_column('payment_methods', sa.Column('gateway', sa.String(length=10), nullable=False, server_default='test'))
    op.create_unique_constraint(op.f('uq_payment_methods_token'), 'payment_methods', ['token'])
    op.add_column('test_gateway_cards', sa.Column('kind', sa.String(length=20), nullable=False, server_default='visa'))
    op.add_column('test_gateway_cards', sa.Column('last4', sa.String(length=4), nullable=False, server_default=''))
    op.add_column('test_gateway_cards', sa.Column('state', sa.String(length=10), nullable=False, server_default='done'))
    op.add_column('test_gateway_cards', sa.Column('action_id', sa.String(length=40), nullable=True))
    op.create_unique_constraint(op.f('uq_test_gateway_cards_action_id'), 'test_gateway_cards', ['action_id'])
    # A card that its bank declined is one that declines when it is charged.
    op.execute("UPDATE test_gateway_cards SET kind = 'declines later' WHERE declines_with <> ''")
    op.execute("UPDATE test_gateway_cards SET last4 = p.last4 FROM payment_methods p WHERE p.token = test_gateway_cards.token")
    op.drop_column('test_gateway_cards', 'declines_with')
    op.add_column('test_gateway_holds', sa.Column('customer', sa.String(length=40), nullable=False, server_default=''))
    op.execute("UPDATE test_gateway_holds SET customer = c.team_id FROM charges c WHERE c.key = test_gateway_holds.key")
    op.add_column('test_gateway_holds', sa.Column('takes_at_once', sa.Boolean(), nullable=False, server_default=sa.false()))
    op.add_column('test_gateway_holds', sa.Column('action_id', sa.String(length=40), nullable=True))
    op.alter_column('test_gateway_holds', 'state',
               existing_type=sa.VARCHAR(length=10),
               type_=sa.String(length=16),
               existing_nullable=False)
    op.create_unique_constraint(op.f('uq_test_gateway_holds_action_id'), 'test_gateway_holds', ['action_id'])
    op.execute('ALTER TABLE gateway_customers ENABLE ROW LEVEL SECURITY')
    op.execute('ALTER TABLE gateway_customers FORCE ROW LEVEL SECURITY')
    op.execute("CREATE POLICY team ON gateway_customers USING (team_id = current_setting('offhook.team', true) OR current_setting('offhook.team', true) = '*') WITH CHECK (team_id = current_setting('offhook.team', true) OR current_setting('offhook.team', true) = '*')")
    op.alter_column('charges', 'dispute', server_default=None)
    op.alter_column('payment_methods', 'gateway', server_default=None)
    op.alter_column('test_gateway_cards', 'kind', server_default=None)
    op.alter_column('test_gateway_cards', 'last4', server_default=None)
    op.alter_column('test_gateway_cards', 'state', server_default=None)
    op.alter_column('test_gateway_holds', 'customer', server_default=None)
    op.alter_column('test_gateway_holds', 'takes_at_once', server_default=None)


def downgrade() -> None:
    op.drop_constraint(op.f('uq_test_gateway_holds_action_id'), 'test_gateway_holds', type_='unique')
    op.alter_column('test_gateway_holds', 'state',
               existing_type=sa.String(length=16),
               type_=sa.VARCHAR(length=10),
               existing_nullable=False)
    op.drop_column('test_gateway_holds', 'action_id')
    op.drop_column('test_gateway_holds', 'takes_at_once')
    op.drop_column('test_gateway_holds', 'customer')
    op.add_column('test_gateway_cards', sa.Column('declines_with', sa.VARCHAR(length=40), nullable=False, server_default=''))
    op.drop_constraint(op.f('uq_test_gateway_cards_action_id'), 'test_gateway_cards', type_='unique')
    op.drop_column('test_gateway_cards', 'action_id')
    op.drop_column('test_gateway_cards', 'state')
    op.drop_column('test_gateway_cards', 'last4')
    op.drop_column('test_gateway_cards', 'kind')
    op.drop_constraint(op.f('uq_payment_methods_token'), 'payment_methods', type_='unique')
    op.drop_column('payment_methods', 'gateway')
    op.alter_column('number_purchases', 'state',
               existing_type=sa.String(length=16),
               type_=sa.VARCHAR(length=12),
               existing_nullable=False)
    op.drop_column('number_purchases', 'charge_id')
    op.drop_column('number_purchases', 'waits_since')
    op.alter_column('charges', 'state',
               existing_type=sa.String(length=16),
               type_=sa.VARCHAR(length=10),
               existing_nullable=False)
    op.drop_column('charges', 'dispute')
    op.drop_index(op.f('ix_gateway_customers_team_id'), table_name='gateway_customers')
    op.drop_table('gateway_customers')
    op.drop_table('gateway_events')
