SELECT 100.00 * sum(CASE WHEN a.kind LIKE 'PROMO%' THEN l.amount * (1 - l.discount) ELSE 0 END) / sum(l.amount * (1 - l.discount)) AS promo
FROM purchase_line l, article a
WHERE l.article_id = a.article_id AND l.shipped_on >= date '2023-09-01' AND l.shipped_on < date '2023-09-01' + interval '1' month;
