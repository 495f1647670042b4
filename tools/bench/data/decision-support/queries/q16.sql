SELECT a.brand, a.kind, a.size, count(DISTINCT va.vendor_id) AS vendors
FROM vendor_article va, article a
WHERE a.article_id = va.article_id AND a.brand <> 'Brand 14' AND a.kind NOT LIKE 'MEDIUM POLISHED%' AND a.size IN (49, 14, 23, 45, 19, 3, 36, 9)
  AND va.vendor_id NOT IN (SELECT vendor_id FROM vendor WHERE note LIKE '%Buyer%complaints%')
GROUP BY a.brand, a.kind, a.size
ORDER BY vendors DESC, a.brand, a.kind, a.size;
