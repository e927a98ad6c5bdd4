"""Each phone that rang."""

from __future__ import annotations

SQL = """
SELECT
    l.call_no, l.step_no, s.kind AS via,
    CAST(row_number() OVER (PARTITION BY l.call_no ORDER BY l.leg_no) AS INTEGER) AS ring_no,
    l.person AS extension, greatest(l.t_start, s.t_entered) AS t_start,
    CASE
        WHEN l.by_person THEN greatest(coalesce(s.t_pickup, l.t_answer), l.t_start)
        -- the leg of a busy phone lasts as long as what follows it
        ELSE least(l.t_end, s.t_left)
    END AS t_stop,
    CASE WHEN l.by_person THEN l.t_end END AS t_talked,
    CASE
        WHEN l.by_person THEN 'answered'
        WHEN l.result = 'busy' THEN 'busy'
        WHEN l.result IN ('failed', 'unknown') THEN 'failed'
        WHEN s.t_pickup BETWEEN l.t_start AND l.t_end + 1 AND (s.t_won < l.t_end OR s.t_won = l.t_start)
        THEN 'elsewhere'
        ELSE 'missed'
    END AS result
FROM leg l JOIN step s USING (call_no, step_no)
WHERE l.is_ring
"""

SELECT = """
SELECT
    c.pbx, c.call_id, r.step_no, r.ring_no, r.extension,
    c.began + to_seconds(r.t_start) AS rang_at,
    c.began + to_seconds(r.t_start + c.offset_s) AS local_at,
    greatest(r.t_stop - r.t_start, 0) AS ring_s,
    coalesce(r.t_talked - r.t_stop, 0) AS talk_s,
    r.result, r.via, c.direction
FROM ring r JOIN call c USING (call_no)
ORDER BY c.began, c.pbx, c.call_id, r.ring_no
"""
