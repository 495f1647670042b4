SELECT v.balance, v.name, c.name, a.article_id, a.maker, v.address, v.phone
FROM article a, vendor v, vendor_article va, country c, zone z
WHERE a.article_id = va.article_id AND v.vendor_id = va.vendor_id AND a.size = 15 AND a.kind LIKE '%BRASS'
  AND v.country_id = c.country_id AND c.zone_id = z.zone_id AND z.name = 'EAST'
  AND va.cost = (
    SELECT min(va2.cost)
    FROM vendor_article va2, vendor v2, country c2, zone z2
    WHERE a.article_id = va2.article_id AND v2.vendor_id = va2.vendor_id AND v2.country_id = c2.country_id
      AND c2.zone_id = z2.zone_id AND z2.name = 'EAST')
ORDER BY v.balance DESC, c.name, v.name, a.article_id
LIMIT 100;
