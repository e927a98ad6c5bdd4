-- Ways that calls took through the menus.
SELECT path, count(*) AS calls, count(*) / sum(count(*)) OVER () AS share,
    count(*) FILTER (outcome = 'answered') AS answered, answered / count(*) AS answered_rate,
    median(wait_s) AS median_wait_s
FROM calls WHERE NOT is_forward AND contains(path, 'ivr:') GROUP BY path ORDER BY count(*) DESC, path
