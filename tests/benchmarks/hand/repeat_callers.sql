-- Who calls again within a week, by the outcome of the call before; a caller is the last ten digits of the number.
WITH call AS (
    SELECT outcome, local_at - to_seconds(utc_offset_s) AS utc, coalesce(caller_number, caller) AS number
    FROM calls WHERE NOT is_forward AND direction = 'inbound'
), known AS (
    SELECT outcome, utc, CASE WHEN regexp_full_match(number, '[+0-9 ()./-]+')
        THEN nullif(right(ltrim(regexp_replace(number, '[^0-9]', '', 'g'), '0'), 10), '') END AS who
    FROM call
), flagged AS (
    SELECT outcome, who IS NULL AS withheld,
        who IS NOT NULL AND utc + INTERVAL 168 HOUR <= max(utc) OVER () AS decided,
        coalesce(lead(utc) OVER near <= utc + INTERVAL 168 HOUR, false) AS followed,
        utc - INTERVAL 168 HOUR >= min(utc) OVER ()
            AND NOT coalesce(lag(utc) OVER near >= utc - INTERVAL 168 HOUR, false) AS first
    FROM known WINDOW near AS (PARTITION BY who ORDER BY utc, outcome)
), counted AS (
    SELECT outcome, count(*) AS calls, count(*) FILTER (withheld) AS withheld,
        count(*) FILTER (NOT withheld AND NOT decided) AS undecided, count(*) FILTER (decided) AS decided,
        count(*) FILTER (decided AND followed) AS followed, count(*) FILTER (decided AND first) AS first_calls,
        count(*) FILTER (decided AND first AND NOT followed) AS settled
    FROM flagged f GROUP BY outcome
), wilson AS (
    SELECT *, followed / nullif(decided, 0) AS repeat_rate, 1.959963984540054::DOUBLE AS z,
        z * sqrt(followed * (decided - followed) / nullif(decided, 0) + z * z / 4) AS half
    FROM counted
)
SELECT outcome, calls, withheld, undecided, decided, followed, repeat_rate,
    (followed + z * z / 2 - half) / (decided + z * z) AS repeat_low,
    (followed + z * z / 2 + half) / (decided + z * z) AS repeat_high,
    first_calls, settled, settled / nullif(first_calls, 0) AS fcr_rate
FROM wilson ORDER BY calls DESC, outcome
