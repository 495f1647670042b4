SELECT sum(l.amount) / 7.0 AS yearly
FROM purchase_line l, article a
WHERE a.article_id = l.article_id AND a.brand = 'Brand 23' AND a.container = 'MED BOX'
  AND l.quantity < (SELECT 0.2 * avg(l2.quantity) FROM purchase_line l2 WHERE l2.article_id = a.article_id);
