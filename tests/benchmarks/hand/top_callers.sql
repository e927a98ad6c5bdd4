-- The hundred most frequent callers. A caller is the last ten digits of the number, shown as it came most often.
WITH seen AS (
    SELECT coalesce(caller_number, caller) AS number, caller_name, count(*) AS calls,
        count(*) FILTER (outcome = 'answered') AS answered, sum(talk_s)::BIGINT AS talk_s,
        min(local_at) AS first_at, max(local_at) AS last_at
    FROM calls WHERE direction = 'inbound' AND NOT is_forward GROUP BY ALL
), known AS (
    SELECT *, sum(calls) OVER (PARTITION BY number) AS shown, CASE WHEN regexp_full_match(number, '[+0-9 ()./-]+')
        THEN nullif(right(ltrim(regexp_replace(number, '[^0-9]', '', 'g'), '0'), 10), '') END AS who
    FROM seen
)
SELECT arg_min(number, (-shown, number)) AS caller,
    arg_min(caller_name, (-shown, number, -calls, caller_name)) FILTER (caller_name IS NOT NULL) AS caller_name,
    sum(calls)::BIGINT AS calls, sum(calls) / sum(sum(calls)) OVER () AS share, sum(answered)::BIGINT AS answered,
    sum(answered) / sum(calls) AS answered_rate, sum(talk_s)::BIGINT AS talk_s,
    min(first_at) AS first_at, max(last_at) AS last_at
FROM known WHERE who IS NOT NULL GROUP BY who ORDER BY sum(calls) DESC, caller LIMIT 100
