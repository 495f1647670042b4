SELECT b.name, b.buyer_id, p.purchase_id, p.placed_on, p.total, sum(l.quantity)
FROM buyer b, purchase p, purchase_line l
WHERE p.purchase_id IN (SELECT purchase_id FROM purchase_line GROUP BY purchase_id HAVING sum(quantity) > 290)
  AND b.buyer_id = p.buyer_id AND p.purchase_id = l.purchase_id
GROUP BY b.name, b.buyer_id, p.purchase_id, p.placed_on, p.total
ORDER BY p.total DESC, p.placed_on
LIMIT 100;
