"""What must hold of invoices, as queries (UI8): every ledger line on one invoice, sums exact.

app.py joins it to the ledger's audit: `usage.audit_also(billing.audit)`.
"""

from offhook import usage
from offhook.db import Session

CHECKS = {
    "UI8 invoice": (
        "an invoice is not the sum of its lines, tax and balance",
        """
        SELECT invoice.id, invoice.team_id, net_micros, tax_micros, total_micros, due_micros,
            (SELECT sum(amount_micros) FROM invoice_lines WHERE invoice_id = invoice.id) AS lines
        FROM invoices AS invoice
        WHERE net_micros IS DISTINCT FROM
                (SELECT sum(amount_micros) FROM invoice_lines WHERE invoice_id = invoice.id)
           OR total_micros <> net_micros + tax_micros
           OR total_micros + balance_before_micros <> due_micros + balance_after_micros
           OR due_micros < 0
        """,
    ),
    "UI8 rate": (
        "a line is not its charged units at its price, rounded once",
        """
        SELECT id, team_id, invoice_id, units, free, price_micros, amount_micros
        FROM invoice_lines
        WHERE abs(amount_micros - CASE kind WHEN 'expired' THEN 0
                ELSE price_micros * (units - free) END) > 500000
        """,
    ),
    "UI8 twice": (
        "a line of the ledger is not on exactly one invoice, or stands there as something else",
        """
        SELECT usage_line.id, usage_line.team_id, shown.id AS invoice_line_id
        FROM usage_lines AS usage_line
        LEFT JOIN invoice_lines AS shown ON shown.usage_line_id = usage_line.id
        LEFT JOIN invoices AS invoice ON invoice.id = shown.invoice_id
        WHERE shown.id IS NULL OR invoice.team_id <> usage_line.team_id
           OR invoice.period_start <> usage_line.closed_in OR shown.units <> usage_line.units
           OR shown.free <> usage_line.free OR shown.price_micros <> usage_line.price_micros
           OR shown.entries <> usage_line.entries
        """,
    ),
    "UI8 month": (
        "a month has an invoice and was not closed as invoiced, or the other way round",
        """
        SELECT month.team_id, month.starts_at, month.closed_as, invoice.id
        FROM usage_periods AS month
        FULL JOIN invoices AS invoice
          ON invoice.team_id = month.team_id AND invoice.period_start = month.starts_at
        WHERE (invoice.id IS NULL) = (coalesce(month.closed_as, '') = 'invoiced')
        """,
    ),
    "U10 paid": (
        "an invoice is paid without a charge that was taken, or by more than one",
        """
        WITH paying AS (
            SELECT invoice.id, invoice.team_id, invoice.state,
                count(*) FILTER (WHERE charge.state = 'captured') AS taken,
                count(*) FILTER (WHERE charge.state = 'voided') AS given_back
            FROM invoices AS invoice
            LEFT JOIN charges AS charge ON charge.reference = invoice.id
            GROUP BY invoice.id)
        SELECT * FROM paying
        WHERE taken > 1 OR state = 'paid' AND taken + given_back = 0
           OR state <> 'paid' AND taken > 0
        """,
    ),
    "UI9": (
        "a unit began while its team was suspended or cancelled",
        """
        WITH off AS (
            SELECT team_id, at AS since, lead(at, 1, 'infinity'::timestamptz)
                OVER (PARTITION BY team_id ORDER BY id) AS until, after
            FROM subscription_changes
        )
        SELECT entry.id, entry.team_id, entry.number_id, entry.starts_at, off.since
        FROM off
        JOIN usage_entries AS entry ON entry.team_id = off.team_id AND entry.units > 0
          AND entry.starts_at > off.since + interval '5 seconds' AND entry.starts_at < off.until
        WHERE off.after IN ('suspended', 'cancelled')
        """,
    ),
    "U10 numbers": (
        "the numbers of the invoices have a gap",
        """
        SELECT count(*) AS invoices, coalesce(max(sequence), 0) AS highest,
            (SELECT max(last) FROM invoice_numbers) AS counted
        FROM invoices
        HAVING count(*) <> coalesce(max(sequence), 0)
            OR count(*) <> coalesce((SELECT max(last) FROM invoice_numbers), 0)
        """,
    ),
    "UI9 suspended": (
        "a minute or message began while its team was suspended",
        """
        WITH change AS (
            SELECT team_id, before, after, at,
                lead(at) OVER (PARTITION BY team_id ORDER BY at, id) AS until
            FROM subscription_changes
        )
        SELECT entry.id, entry.team_id, entry.service, entry.subject_id, entry.starts_at,
            change.at AS suspended_at
        FROM change JOIN usage_entries AS entry ON entry.team_id = change.team_id
        WHERE change.after = 'suspended' AND entry.units > 0
          AND entry.starts_at > change.at + interval '2 seconds'  -- a live call ends within (UN1)
          AND (change.until IS NULL OR entry.starts_at < change.until)
        """,
    ),
    "U10 balance": (
        "an invoice does not begin with what the one before left over",
        """
        SELECT id, team_id, balance_before_micros, before FROM (
            SELECT id, team_id, balance_before_micros, coalesce(lag(balance_after_micros)
                OVER (PARTITION BY team_id ORDER BY sequence), 0) AS before
            FROM invoices) AS chain
        WHERE balance_before_micros <> before
        """,
    ),
}


async def audit(session: Session) -> list[usage.Violation]:
    """Every violation by the invoices of all teams (system scope)."""
    return await usage.violations(session, CHECKS)
