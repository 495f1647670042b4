SELECT year, sum(CASE WHEN origin = 'COUNTRY 3' THEN volume ELSE 0 END) / sum(volume) AS share
FROM (
  SELECT extract(year FROM p.placed_on) AS year, l.amount * (1 - l.discount) AS volume, c2.name AS origin
  FROM article a, vendor v, purchase_line l, purchase p, buyer b, country c1, country c2, zone z
  WHERE a.article_id = l.article_id AND v.vendor_id = l.vendor_id AND l.purchase_id = p.purchase_id AND p.buyer_id = b.buyer_id
    AND b.country_id = c1.country_id AND c1.zone_id = z.zone_id AND z.name = 'WEST' AND v.country_id = c2.country_id
    AND p.placed_on BETWEEN date '2022-01-01' AND date '2023-12-31' AND a.kind = 'ECONOMY BRUSHED TIN') AS volumes
GROUP BY year
ORDER BY year;
