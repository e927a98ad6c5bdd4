-- Each phone: the calls that it was offered, what came of them, and the calls that it placed.
WITH per_call AS (
    SELECT pbx, extension, call_id, count(*) AS rung, sum(talk_s) AS talk_s,
        bool_or(result = 'answered') AS answered, bool_or(result = 'elsewhere') AS elsewhere,
        bool_or(result = 'missed') AS missed,
        count(*) FILTER (result = 'answered') AS answers, sum(ring_s) FILTER (result = 'answered') AS answered_ring_s
    FROM rings WHERE extension IS NOT NULL GROUP BY ALL
), rung AS (
    SELECT pbx, extension, count(*) AS offered, sum(rung)::BIGINT AS rung,
        count(*) FILTER (answered) AS answered,
        count(*) FILTER (elsewhere AND NOT answered) AS elsewhere,
        count(*) FILTER (missed AND NOT elsewhere AND NOT answered) AS missed,
        count(*) FILTER (NOT missed AND NOT elsewhere AND NOT answered) AS unreachable,
        sum(talk_s)::BIGINT AS talk_s, sum(answered_ring_s) / nullif(sum(answers), 0) AS mean_ring_s
    FROM per_call GROUP BY ALL
), made AS (
    SELECT pbx, caller AS extension, local_at, talk_s FROM calls
    WHERE direction IN ('outbound', 'internal') AND NOT is_forward AND caller IS NOT NULL
), placed AS (
    SELECT pbx, extension, count(*) AS placed, sum(talk_s)::BIGINT AS placed_talk_s FROM made GROUP BY ALL
), hours AS (
    SELECT pbx, extension, hour(local_at) AS hour, count(*) AS events
    FROM (SELECT pbx, extension, local_at FROM rings WHERE extension IS NOT NULL
          UNION ALL SELECT pbx, extension, local_at FROM made) GROUP BY ALL
), busiest AS (
    SELECT pbx, extension, arg_max(hour, (events, -hour)) AS busiest_hour FROM hours GROUP BY ALL
)
SELECT pbx, extension, coalesce(offered, 0) AS offered, coalesce(rung, 0) AS rung, coalesce(answered, 0) AS answered,
    coalesce(elsewhere, 0) AS elsewhere, coalesce(missed, 0) AS missed, coalesce(unreachable, 0) AS unreachable,
    answered / nullif(answered + missed, 0) AS answered_rate, coalesce(talk_s, 0) AS talk_s,
    talk_s / nullif(answered, 0) AS mean_talk_s, mean_ring_s, coalesce(placed, 0) AS placed,
    coalesce(placed_talk_s, 0) AS placed_talk_s, busiest_hour
FROM rung FULL JOIN placed USING (pbx, extension) LEFT JOIN busiest USING (pbx, extension)
ORDER BY extension, pbx
