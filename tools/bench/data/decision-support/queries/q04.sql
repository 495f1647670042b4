SELECT p.priority, count(*) AS purchases
FROM purchase p
WHERE p.placed_on >= date '2023-07-01' AND p.placed_on < date '2023-07-01' + interval '3' month
  AND EXISTS (SELECT * FROM purchase_line l WHERE l.purchase_id = p.purchase_id AND l.promised_on < l.received_on)
GROUP BY p.priority
ORDER BY p.priority;
