SELECT l.mode, sum(CASE WHEN p.priority = '1-URGENT' OR p.priority = '2-HIGH' THEN 1 ELSE 0 END) AS high,
       sum(CASE WHEN p.priority <> '1-URGENT' AND p.priority <> '2-HIGH' THEN 1 ELSE 0 END) AS low
FROM purchase p, purchase_line l
WHERE p.purchase_id = l.purchase_id AND l.mode IN ('MAIL', 'SHIP') AND l.promised_on < l.received_on
  AND l.shipped_on < l.promised_on AND l.received_on >= date '2022-01-01' AND l.received_on < date '2022-01-01' + interval '1' year
GROUP BY l.mode
ORDER BY l.mode;
