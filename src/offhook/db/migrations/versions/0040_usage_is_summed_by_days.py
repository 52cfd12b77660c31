"""usage is summed by days

Revision 0040, after 0039. The days of a month are told by its zone's rules as they are now.
"""

from datetime import UTC, datetime, time, timedelta
from zoneinfo import ZoneInfo

from alembic import op
import sqlalchemy as sa
from sqlalchemy.dialects import postgresql

revision = '0040'
down_revision = '0039'
branch_labels = None
depends_on = None

TIMES = postgresql.ARRAY(sa.DateTime(timezone=True))


def upgrade() -> None:
    op.execute("SELECT set_config('offhook.team', '*', true)")  # rows of every team are summed
    op.add_column('usage_periods', sa.Column('day_starts', TIMES, nullable=True))
    connection = op.get_bind()
    for starts_at, ends_at, zone in connection.execute(sa.text("SELECT DISTINCT starts_at, ends_at, zone FROM usage_periods")).all():
        connection.execute(
            sa.text("UPDATE usage_periods SET day_starts = :days WHERE starts_at = :starts_at AND ends_at = :ends_at AND zone = :zone").bindparams(sa.bindparam('days', type_=TIMES)),
            {"days": day_starts(starts_at, ends_at, ZoneInfo(zone)), "starts_at": starts_at, "ends_at": ends_at, "zone": zone},
        )
    op.alter_column('usage_periods', 'day_starts', nullable=False)
    op.create_table('usage_days',
    sa.Column('team_id', sa.String(length=40), nullable=False),
    sa.Column('period_start', sa.DateTime(timezone=True), nullable=False),
    sa.Column('service', sa.String(length=5), nullable=False),
    sa.Column('number_id', sa.String(length=80), nullable=False),
    sa.Column('day', sa.SmallInteger(), nullable=False),
    sa.Column('direction', sa.String(length=8), nullable=False),
    sa.Column('price_id', sa.String(length=60), nullable=False),
    sa.Column('price_micros', sa.BigInteger(), nullable=False),
    sa.Column('currency', sa.String(length=3), nullable=False),
    sa.Column('units', sa.Integer(), nullable=False),
    sa.ForeignKeyConstraint(['number_id'], ['usage_meters.number_id'], name=op.f('fk_usage_days_number_id')),
    sa.ForeignKeyConstraint(['team_id'], ['teams.id'], name=op.f('fk_usage_days_team_id')),
    sa.PrimaryKeyConstraint('team_id', 'period_start', 'service', 'number_id', 'day', 'direction', 'price_id', 'price_micros', 'currency', name=op.f('pk_usage_days')),
    postgresql_with={'fillfactor': 50}
    )
    op.execute(
        "INSERT INTO usage_days (team_id, period_start, service, number_id, day, direction, price_id, price_micros, currency, units)"
        " SELECT unit.team_id, unit.period_start, unit.service, unit.number_id,"
        " width_bucket(unit.starts_at, month.day_starts) - 1, unit.direction, coalesce(unit.price_id, ''),"
        " coalesce(unit.price_micros, 0), coalesce(unit.currency, 'USD'), sum(unit.units)"
        " FROM usage_entries AS unit JOIN usage_periods AS month"
        " ON month.team_id = unit.team_id AND month.starts_at = unit.period_start"
        " WHERE unit.units <> 0 GROUP BY 1, 2, 3, 4, 5, 6, 7, 8, 9"
    )
    op.execute('ALTER TABLE usage_days ENABLE ROW LEVEL SECURITY')
    op.execute('ALTER TABLE usage_days FORCE ROW LEVEL SECURITY')
    op.execute("CREATE POLICY team ON usage_days USING (team_id = current_setting('offhook.team', true) OR current_setting('offhook.team', true) = '*') WITH CHECK (team_id = current_setting('offhook.team', true) OR current_setting('offhook.team', true) = '*')")


def day_starts(starts_at: datetime, ends_at: datetime, zone: ZoneInfo) -> list[datetime]:
    """The first instant of each day of the month."""
    found: list[datetime] = []
    start, named = starts_at, starts_at.astimezone(zone).date()
    while start < ends_at:
        named += timedelta(days=1)
        end = min(datetime.combine(named, time(), zone).astimezone(UTC), ends_at)
        if end > start:
            found.append(start)
            start = end
    return found


def downgrade() -> None:
    op.drop_table('usage_days')
    op.drop_column('usage_periods', 'day_starts')
