SELECT v.name, v.address
FROM vendor v, country c
WHERE v.vendor_id IN (
    SELECT va.vendor_id
    FROM vendor_article va
    WHERE va.article_id IN (SELECT article_id FROM article WHERE name LIKE 'forest%')
      AND va.stock > (
        SELECT 0.5 * sum(l.quantity)
        FROM purchase_line l
        WHERE l.article_id = va.article_id AND l.vendor_id = va.vendor_id
          AND l.shipped_on >= date '2022-01-01' AND l.shipped_on < date '2022-01-01' + interval '1' year))
  AND v.country_id = c.country_id AND c.name = 'COUNTRY 4'
ORDER BY v.name;
