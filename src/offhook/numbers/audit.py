"""What must hold of numbers and the ledger together: nothing is used on a disabled one (UI9).

app.py joins it to the ledger's audit: `usage.audit_also(numbers.audit)`. Suspended teams are
billing's, which knows since when they are.
"""

from offhook import usage
from offhook.db import Session

CHECKS = {
    "UI9 disabled": (
        "a minute or message began while its number was disabled",
        """
        WITH change AS (
            SELECT number_id, action, at,
                lead(at) OVER (PARTITION BY number_id ORDER BY position) AS until
            FROM number_activity WHERE action IN ('enabled', 'disabled')
        )
        SELECT entry.id, entry.number_id, entry.service, entry.subject_id, entry.starts_at,
            change.at AS disabled_at
        FROM change JOIN usage_entries AS entry ON entry.number_id = change.number_id
        WHERE change.action = 'disabled' AND entry.units > 0
          AND entry.starts_at > change.at + interval '2 seconds'  -- a live call ends within (UN1)
          AND (change.until IS NULL OR entry.starts_at < change.until)
        """,
    ),
}


async def audit(session: Session) -> list[usage.Violation]:
    return await usage.violations(session, CHECKS)
