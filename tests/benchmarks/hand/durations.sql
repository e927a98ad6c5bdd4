-- Five times of a call, by direction; each over the calls that have such a time.
WITH call AS (
    FROM calls WHERE NOT is_forward
), measured AS (
    SELECT 1 AS n, 'talk_s' AS measure, direction, CASE WHEN outcome = 'answered' THEN talk_s END AS value FROM call
    UNION ALL SELECT 2, 'wait_s', direction,
        CASE WHEN outcome IN ('answered', 'no_answer') OR phones > 0 OR queue IS NOT NULL THEN wait_s END FROM call
    UNION ALL SELECT 3, 'ring_s', direction,
        CASE WHEN phones > 0 AND queue IS NULL OR ring_s > 0 THEN ring_s END FROM call
    UNION ALL SELECT 4, 'ivr_s', direction, CASE WHEN contains(path, 'ivr:') THEN ivr_s END FROM call
    UNION ALL SELECT 5, 'queue_s', direction, CASE WHEN queue IS NOT NULL THEN queue_s END FROM call
)
SELECT measure, direction, count(value) AS calls, median(value) AS median_s, avg(value) AS mean_s,
    quantile_cont(value, 0.9) AS p90_s, quantile_cont(value, 0.95) AS p95_s, min(value) AS min_s, max(value) AS max_s,
    coalesce(sum(value), 0)::BIGINT AS total_s
FROM measured GROUP BY n, measure, direction ORDER BY n, direction
