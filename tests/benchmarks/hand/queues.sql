-- Each queue: how its calls ended, how long they waited, and how many callers came again within an hour.
WITH visit AS (
    SELECT s.*, target AS queue, result = 'answered' AND t.call_id IS NOT NULL AS sent_on
    FROM steps s LEFT JOIN (SELECT pbx, call_id, step_no - 1 AS step_no FROM steps WHERE kind = 'transfer') t
        USING (pbx, call_id, step_no)
    WHERE kind = 'queue' AND target IS NOT NULL
), counted AS (
    SELECT pbx, queue, count(*) AS offered,
        count(*) FILTER (result = 'answered') AS answered, count(*) FILTER (result = 'hung_up') AS abandoned,
        count(*) FILTER (result = 'hung_up' AND wait_s < 5) AS abandoned_short,
        count(*) FILTER (result = 'next') AS overflowed,
        avg(wait_s) FILTER (result = 'answered') AS asa_s, median(wait_s) AS median_wait_s,
        quantile_cont(wait_s, 0.9) AS p90_wait_s, max(wait_s) AS longest_wait_s,
        sum(talk_s)::BIGINT AS talk_s, count(*) FILTER (sent_on) AS transferred
    FROM visit GROUP BY ALL
), coming AS (
    SELECT s.pbx, s.queue, regexp_replace(caller, '[^0-9]', '', 'g') AS who, call_id,
        min(s.local_at - to_seconds(utc_offset_s)) AS came,
        max(s.local_at - to_seconds(utc_offset_s) + to_seconds(dwell_s)) AS went
    FROM visit s JOIN calls c USING (pbx, call_id)
    WHERE NOT is_forward AND who <> '' GROUP BY ALL
), again AS (
    SELECT pbx, queue, lead(came) OVER (PARTITION BY pbx, queue, who ORDER BY came, call_id) - went AS gap FROM coming
), recalls AS (
    SELECT pbx, queue, count(*) AS recalls FROM again WHERE gap <= INTERVAL 1 HOUR GROUP BY ALL
)
SELECT pbx, queue, offered, answered, abandoned, abandoned_short, overflowed,
    offered - answered - abandoned - overflowed AS other,
    answered / offered AS answered_rate, abandoned / offered AS abandon_rate,
    (abandoned - abandoned_short) / nullif(offered - abandoned_short, 0) AS long_abandon_rate,
    asa_s, median_wait_s, p90_wait_s, longest_wait_s, talk_s, talk_s / nullif(answered, 0) AS att_s,
    transferred, transferred / nullif(answered, 0) AS transfer_rate, coalesce(recalls, 0) AS recalls
FROM counted LEFT JOIN recalls USING (pbx, queue) ORDER BY queue, pbx
