SELECT va.article_id, sum(va.cost * va.stock) AS value
FROM vendor_article va, vendor v, country c
WHERE va.vendor_id = v.vendor_id AND v.country_id = c.country_id AND c.name = 'COUNTRY 11'
GROUP BY va.article_id
HAVING sum(va.cost * va.stock) > (
  SELECT sum(va.cost * va.stock) * 0.001
  FROM vendor_article va, vendor v, country c
  WHERE va.vendor_id = v.vendor_id AND v.country_id = c.country_id AND c.name = 'COUNTRY 11')
ORDER BY value DESC;
