SELECT c.name, sum(l.amount * (1 - l.discount)) AS revenue
FROM buyer b, purchase p, purchase_line l, vendor v, country c, zone z
WHERE b.buyer_id = p.buyer_id AND l.purchase_id = p.purchase_id AND l.vendor_id = v.vendor_id AND b.country_id = v.country_id
  AND v.country_id = c.country_id AND c.zone_id = z.zone_id AND z.name = 'SOUTH'
  AND p.placed_on >= date '2022-01-01' AND p.placed_on < date '2022-01-01' + interval '1' year
GROUP BY c.name
ORDER BY revenue DESC;
