SELECT country, year, sum(profit) AS profit
FROM (
  SELECT c.name AS country, extract(year FROM p.placed_on) AS year, l.amount * (1 - l.discount) - va.cost * l.quantity AS profit
  FROM article a, vendor v, purchase_line l, vendor_article va, purchase p, country c
  WHERE v.vendor_id = l.vendor_id AND va.vendor_id = l.vendor_id AND va.article_id = l.article_id AND a.article_id = l.article_id
    AND p.purchase_id = l.purchase_id AND v.country_id = c.country_id AND a.name LIKE '%forest%') AS profits
GROUP BY country, year
ORDER BY country, year DESC;
