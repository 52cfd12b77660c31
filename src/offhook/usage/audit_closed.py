"""What must hold of closed months, as queries (UI6, UI8): run by audit.py with the others."""

CHECKS = {
    "UI8 entry": (
        "an entry is on no line though a month was closed after it was recorded",
        """
        SELECT entry.id, entry.team_id, entry.period_start, entry.recorded_at
        FROM usage_entries AS entry
        JOIN usage_periods AS month ON month.team_id = entry.team_id
          AND month.starts_at = entry.period_start AND month.closed_as IN ('invoiced', 'empty')
        WHERE entry.units <> 0
          AND NOT EXISTS (SELECT FROM usage_billed AS billed WHERE billed.entry_id = entry.id)
          AND EXISTS (
            SELECT FROM usage_periods AS later
            WHERE later.team_id = entry.team_id AND later.starts_at >= entry.period_start
              AND later.closed_as IN ('invoiced', 'empty')
              AND later.closed_at > entry.recorded_at + interval '1 hour')
        """,
    ),
    "UI8 line": (
        "a line is not the sum of its entries",
        """
        WITH held AS (
            SELECT billed.line_id, count(*) AS entries, sum(entry.units) AS units,
                coalesce(sum(entry.units) FILTER (WHERE billed.is_free), 0) AS free,
                count(*) FILTER (WHERE entry.number_id = line.number_id
                    AND entry.service = line.service AND entry.direction = line.direction
                    AND entry.period_start = line.period_start
                    AND entry.team_id = line.team_id AND billed.team_id = line.team_id
                    AND coalesce(entry.price_micros, 0) = line.price_micros
                    AND coalesce(entry.price_id, '') = line.price_id) AS matching
            FROM usage_billed AS billed
            JOIN usage_lines AS line ON line.id = billed.line_id
            JOIN usage_entries AS entry ON entry.id = billed.entry_id
            GROUP BY 1
        )
        SELECT id, team_id, period_start, line.units, line.free, line.entries,
            held.units AS held_units, held.free AS held_free, held.entries AS held_entries
        FROM usage_lines AS line LEFT JOIN held ON held.line_id = line.id
        WHERE held.entries IS DISTINCT FROM line.entries OR held.units <> line.units
           OR held.free <> line.free OR held.matching <> line.entries
        """,
    ),
    "UI8 orphan": (
        "an entry is said to be on a line, and one of the two is not there",
        """
        SELECT billed.entry_id, billed.line_id, billed.team_id FROM usage_billed AS billed
        WHERE NOT EXISTS (SELECT FROM usage_entries AS entry WHERE entry.id = billed.entry_id)
           OR NOT EXISTS (SELECT FROM usage_lines AS line WHERE line.id = billed.line_id)
        """,
    ),
    "UI6": (
        "the free units of a closed month are not the allowance, or not its first ones",
        """
        SELECT team_id, service, period_start, sum(units) AS units, sum(free) AS free
        FROM usage_lines WHERE kind <> 'expired'
        GROUP BY 1, 2, 3
        HAVING sum(free) > CASE service WHEN 'calls' THEN :free_calls ELSE :free_sms END
            OR sum(free) FILTER (WHERE kind = 'usage') <> least(
                CASE service WHEN 'calls' THEN :free_calls ELSE :free_sms END,
                sum(units) FILTER (WHERE kind = 'usage'))
        """,
    ),
}
