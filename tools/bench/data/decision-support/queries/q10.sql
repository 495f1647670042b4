SELECT b.buyer_id, b.name, sum(l.amount * (1 - l.discount)) AS lost, b.balance, c.name, b.address, b.phone, b.note
FROM buyer b, purchase p, purchase_line l, country c
WHERE b.buyer_id = p.buyer_id AND l.purchase_id = p.purchase_id AND p.placed_on >= date '2022-10-01'
  AND p.placed_on < date '2022-10-01' + interval '3' month AND l.return_flag = 'R' AND b.country_id = c.country_id
GROUP BY b.buyer_id, b.name, b.balance, b.phone, c.name, b.address, b.note
ORDER BY lost DESC
LIMIT 20;
