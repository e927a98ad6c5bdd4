-- Callers from outside whom no person answered, and what came of each. A caller is the last ten digits of the number.
WITH call AS (
    SELECT *, local_at - to_seconds(utc_offset_s) AS utc, outcome = 'answered' AS is_answered,
        CASE WHEN direction = 'outbound' THEN coalesce(callee_number, callee)
            ELSE coalesce(caller_number, caller) END AS number
    FROM calls WHERE NOT is_forward AND outcome IS NOT NULL
), event AS (  -- 0 missed, 1 reached, 2 tried, 3 returned
    SELECT *, CASE WHEN regexp_full_match(number, '[+0-9 ()./-]+')
            THEN nullif(right(ltrim(regexp_replace(number, '[^0-9]', '', 'g'), '0'), 10), '') END AS who,
        CASE WHEN direction = 'inbound' AND NOT is_answered THEN 0
            WHEN direction <> 'outbound' THEN 1 WHEN is_answered THEN 3 ELSE 2 END AS way
    FROM call WHERE direction IN ('inbound', 'outbound') OR direction = 'external' AND is_answered
), known AS (  -- tries up to a contact are one turn
    SELECT *, coalesce(count(*) FILTER (way IN (1, 3)) OVER before, 0) AS turn
    FROM event SEMI JOIN (SELECT DISTINCT who FROM event WHERE way = 0) USING (who)
    WINDOW before AS (PARTITION BY who ORDER BY utc, way, call_id ROWS BETWEEN UNBOUNDED PRECEDING AND 1 PRECEDING)
), placed AS (
    SELECT *, min(utc) FILTER (way = 0) OVER (PARTITION BY who, turn) AS first_utc FROM known
), turns AS (
    SELECT arg_max(struct_pack(pbx, caller, outcome, path), (utc, call_id)) FILTER (way = 0) AS last,
        arg_max(caller_name, (utc, call_id)) FILTER (way = 0) AS caller_name,
        count(*) FILTER (way = 0) AS calls, arg_min(local_at, utc) FILTER (way = 0) AS first_at,
        arg_max(local_at, utc) FILTER (way = 0) AS last_at, any_value(first_utc) AS first_utc,
        sum(wait_s) FILTER (way = 0) AS waited_s, count(*) FILTER (way IN (2, 3) AND utc >= first_utc) AS callbacks,
        any_value(local_at) FILTER (way IN (1, 3)) AS contact_at, any_value(utc) FILTER (way IN (1, 3)) AS contact_utc,
        any_value(way) FILTER (way IN (1, 3)) AS contact
    FROM placed GROUP BY who, turn HAVING calls > 0
), listed AS (
    SELECT CASE contact WHEN 1 THEN 'reached' WHEN 3 THEN 'returned' ELSE 'open' END AS status, last.pbx, last.caller,
        caller_name, calls, first_at, last_at, waited_s::BIGINT AS waited_s, last.outcome, last.path, callbacks,
        contact_at, epoch(contact_utc - first_utc)::BIGINT AS contact_s
    FROM turns
    UNION ALL SELECT 'withheld', pbx, caller, caller_name, 1, local_at, local_at, wait_s, outcome, path, 0, NULL, NULL
    FROM event WHERE way = 0 AND who IS NULL
)
SELECT status, pbx, caller, caller_name, calls, first_at, last_at, waited_s, outcome,
    regexp_replace(path, '^.* > ', '') AS ended_in, callbacks, contact_at, contact_s
FROM listed ORDER BY status, last_at DESC, caller, first_at, pbx, outcome, path, waited_s
