SELECT sum(l.amount * (1 - l.discount)) AS revenue
FROM purchase_line l, article a
WHERE (a.article_id = l.article_id AND a.brand = 'Brand 12' AND a.container IN ('SM BOX', 'SM BAG', 'SM PACK') AND l.quantity >= 1 AND l.quantity <= 11
       AND a.size BETWEEN 1 AND 5 AND l.mode IN ('AIR', 'AIR REG') AND l.instruction = 'IN PERSON')
   OR (a.article_id = l.article_id AND a.brand = 'Brand 23' AND a.container IN ('MED BAG', 'MED BOX', 'MED PACK') AND l.quantity >= 10 AND l.quantity <= 20
       AND a.size BETWEEN 1 AND 10 AND l.mode IN ('AIR', 'AIR REG') AND l.instruction = 'IN PERSON')
   OR (a.article_id = l.article_id AND a.brand = 'Brand 5' AND a.container IN ('LG CAN', 'LG BOX', 'LG PACK') AND l.quantity >= 20 AND l.quantity <= 30
       AND a.size BETWEEN 1 AND 15 AND l.mode IN ('AIR', 'AIR REG') AND l.instruction = 'IN PERSON');
