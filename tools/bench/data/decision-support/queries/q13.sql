SELECT purchases, count(*) AS buyers
FROM (
  SELECT b.buyer_id, count(p.purchase_id) AS purchases
  FROM buyer b LEFT OUTER JOIN purchase p ON b.buyer_id = p.buyer_id AND p.note NOT LIKE '%special%requests%'
  GROUP BY b.buyer_id) AS counted (buyer_id, purchases)
GROUP BY purchases
ORDER BY buyers DESC, purchases DESC;
