SELECT v.name, count(*) AS waits
FROM vendor v, purchase_line l1, purchase p, country c
WHERE v.vendor_id = l1.vendor_id AND p.purchase_id = l1.purchase_id AND p.status = 'F' AND l1.received_on > l1.promised_on
  AND EXISTS (SELECT * FROM purchase_line l2 WHERE l2.purchase_id = l1.purchase_id AND l2.vendor_id <> l1.vendor_id)
  AND NOT EXISTS (SELECT * FROM purchase_line l3
                  WHERE l3.purchase_id = l1.purchase_id AND l3.vendor_id <> l1.vendor_id AND l3.received_on > l3.promised_on)
  AND v.country_id = c.country_id AND c.name = 'COUNTRY 20'
GROUP BY v.name
ORDER BY waits DESC, v.name
LIMIT 100;
