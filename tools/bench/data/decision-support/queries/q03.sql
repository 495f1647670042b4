SELECT l.purchase_id, sum(l.amount * (1 - l.discount)) AS revenue, p.placed_on
FROM buyer b
JOIN purchase p ON p.buyer_id = b.buyer_id
JOIN purchase_line l ON l.purchase_id = p.purchase_id
WHERE b.segment = 'MOTOR' AND p.placed_on < date '2022-03-15' AND l.shipped_on > date '2022-03-15'
GROUP BY l.purchase_id, p.placed_on
ORDER BY revenue DESC, p.placed_on
LIMIT 10;
