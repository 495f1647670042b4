SELECT seller, customer, year, sum(volume) AS revenue
FROM (
  SELECT c1.name AS seller, c2.name AS customer, extract(year FROM l.shipped_on) AS year, l.amount * (1 - l.discount) AS volume
  FROM vendor v, purchase_line l, purchase p, buyer b, country c1, country c2
  WHERE v.vendor_id = l.vendor_id AND p.purchase_id = l.purchase_id AND b.buyer_id = p.buyer_id
    AND v.country_id = c1.country_id AND b.country_id = c2.country_id
    AND ((c1.name = 'COUNTRY 7' AND c2.name = 'COUNTRY 9') OR (c1.name = 'COUNTRY 9' AND c2.name = 'COUNTRY 7'))
    AND l.shipped_on BETWEEN date '2022-01-01' AND date '2023-12-31') AS shipping
GROUP BY seller, customer, year
ORDER BY seller, customer, year;
