-- Calls at once on each trunk: one sweep over all starts and ends, with every midnight of the clock put in.
WITH held AS (
    SELECT pbx, trunk, local_at, utc_offset_s, local_at - to_seconds(utc_offset_s) AS utc,
        to_seconds(greatest(duration_s, 0)) AS hold
    FROM calls WHERE trunk IS NOT NULL AND NOT (is_forward AND coalesce(entry, '') LIKE 'park:%')
), clock AS (
    SELECT DISTINCT pbx, date_trunc('hour', local_at) AS local_at, utc_offset_s FROM held
), span AS (
    SELECT pbx, min(local_at)::DATE AS first, max(local_at)::DATE AS last,
        arg_min(utc_offset_s, local_at) AS first_offset
    FROM clock GROUP BY pbx
), midnights AS (
    SELECT pbx, unnest(range(first, last + 2, INTERVAL 1 DAY)) AS day, first_offset FROM span
), days AS (
    SELECT m.pbx, m.day, coalesce(utc_offset_s, first_offset) AS utc_offset_s,
        m.day - to_seconds(coalesce(utc_offset_s, first_offset)) AS utc
    FROM midnights m ASOF LEFT JOIN clock c ON m.pbx = c.pbx AND m.day >= c.local_at
), grid AS (
    SELECT pbx, trunk, day, utc, utc_offset_s, lead(utc) OVER (PARTITION BY pbx, trunk ORDER BY day) AS until
    FROM days JOIN (SELECT DISTINCT pbx, trunk FROM held) USING (pbx)
), events AS (
    SELECT pbx, trunk, utc, min(local_at) AS local_at, sum(delta) AS delta FROM (
        SELECT pbx, trunk, utc, local_at, 1 AS delta FROM held
        UNION ALL SELECT pbx, trunk, utc + hold, local_at + hold, -1 FROM held
        UNION ALL SELECT pbx, trunk, utc, day, 0 FROM grid
    ) GROUP BY pbx, trunk, utc
), levels AS (
    SELECT *, sum(delta) OVER sweep AS level, lead(utc) OVER sweep AS next
    FROM events WINDOW sweep AS (PARTITION BY pbx, trunk ORDER BY utc)
), peaks AS (
    SELECT pbx, trunk, local_at::DATE AS day, max(level)::BIGINT AS peak,
        arg_max(local_at, (level, -epoch(utc))) AS peak_at, sum(level * epoch(next - utc))::BIGINT AS busy_s
    FROM levels GROUP BY ALL
), counts AS (
    SELECT pbx, trunk, local_at::DATE AS day, count(*) AS calls FROM held GROUP BY ALL
)
SELECT pbx, trunk, day AS local_at, coalesce(calls, 0) AS calls, peak, CASE WHEN peak > 0 THEN peak_at END AS peak_at,
    busy_s, busy_s / epoch(until - utc) AS traffic
FROM grid JOIN peaks USING (pbx, trunk, day) LEFT JOIN counts USING (pbx, trunk, day)
WHERE until IS NOT NULL ORDER BY pbx, trunk, day
