-- Service level of each queue at 20 seconds, by six formulas; abandoned within 5 seconds counts for the fifth.
WITH visit AS (
    SELECT pbx, target AS queue, count(*) AS offered,
        count(*) FILTER (result = 'answered') AS a, count(*) FILTER (result = 'hung_up') AS ab,
        count(*) FILTER (result = 'answered' AND wait_s <= 20) AS a20,
        count(*) FILTER (result = 'hung_up' AND wait_s <= 20) AS ab20,
        count(*) FILTER (result = 'hung_up' AND wait_s <= 5) AS ab5
    FROM steps WHERE kind = 'queue' AND target IS NOT NULL GROUP BY ALL
), formula AS (
    SELECT pbx, queue, offered, 'sl_f1' AS variant, a20 + ab20 AS numerator, a + ab AS denominator FROM visit
    UNION ALL SELECT pbx, queue, offered, 'sl_f2', a20, a FROM visit
    UNION ALL SELECT pbx, queue, offered, 'sl_f3', a20, a + ab FROM visit
    UNION ALL SELECT pbx, queue, offered, 'sl_f4', a20, a + ab - ab20 FROM visit
    UNION ALL SELECT pbx, queue, offered, 'sl_f5', a20 + ab5, a + ab FROM visit
    UNION ALL SELECT pbx, queue, offered, 'sl_genesys', a20, a + ab FROM visit
)
SELECT pbx, queue, variant, variant = 'sl_f1' AS is_headline, offered, numerator, denominator,
    numerator / nullif(denominator, 0) AS service_level, 20 AS target_s
FROM formula ORDER BY queue, pbx, variant
