-- Calls and answered calls of each hour that the clock went through, by direction.
-- In an hour without calls the clock's offset is that of the last call before it.
WITH seen AS MATERIALIZED (
    SELECT date_trunc('hour', local_at) AS local_at, utc_offset_s, direction,
        count(*) AS calls, count(*) FILTER (outcome = 'answered') AS answered
    FROM calls WHERE NOT is_forward GROUP BY ALL
), clock AS (
    SELECT local_at - to_seconds(utc_offset_s) AS utc, utc_offset_s FROM seen
    QUALIFY utc_offset_s IS DISTINCT FROM lag(utc_offset_s) OVER (ORDER BY utc)
), span AS (
    SELECT min(local_at)::DATE AS first, max(local_at)::DATE + 1 AS stop,
        arg_min(utc_offset_s, local_at) AS first_offset, arg_max(utc_offset_s, local_at) AS last_offset FROM seen
), ticks AS (
    SELECT unnest(range(first - to_seconds(first_offset), stop - to_seconds(last_offset), INTERVAL 1 HOUR)) AS utc,
        first_offset
    FROM span
), hours AS (
    SELECT ticks.utc, coalesce(utc_offset_s, first_offset) AS utc_offset_s
    FROM ticks ASOF LEFT JOIN clock ON ticks.utc >= clock.utc
)
SELECT utc + to_seconds(h.utc_offset_s) AS local_at, h.utc_offset_s, d.direction, coalesce(calls, 0) AS calls,
    coalesce(answered, 0) AS answered, '1h' AS freq
FROM hours h CROSS JOIN (SELECT DISTINCT direction FROM seen) d LEFT JOIN seen s
    ON s.local_at = utc + to_seconds(h.utc_offset_s) AND s.utc_offset_s = h.utc_offset_s AND s.direction = d.direction
ORDER BY utc, d.direction
