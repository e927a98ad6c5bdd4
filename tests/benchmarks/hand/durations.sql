-- Five times of a call, by direction; each over the calls that have such a time.
WITH measured AS (
    SELECT direction, unnest([
        {n: 1, measure: 'talk_s', has: outcome = 'answered', value: talk_s},
        {n: 2, measure: 'wait_s', has: outcome IN ('answered', 'no_answer') OR phones > 0 OR queue IS NOT NULL,
         value: wait_s},
        {n: 3, measure: 'ring_s', has: phones > 0 AND queue IS NULL OR ring_s > 0, value: ring_s},
        {n: 4, measure: 'ivr_s', has: contains(path, 'ivr:'), value: ivr_s},
        {n: 5, measure: 'queue_s', has: queue IS NOT NULL, value: queue_s}
    ], recursive := true)
    FROM calls WHERE NOT is_forward
)
SELECT measure, direction, count(value) FILTER (has) AS calls, median(value) FILTER (has) AS median_s,
    avg(value) FILTER (has) AS mean_s, quantile_cont(value, 0.9) FILTER (has) AS p90_s,
    quantile_cont(value, 0.95) FILTER (has) AS p95_s, min(value) FILTER (has) AS min_s,
    max(value) FILTER (has) AS max_s, coalesce(sum(value) FILTER (has), 0)::BIGINT AS total_s
FROM measured GROUP BY n, measure, direction ORDER BY n, direction
