SELECT v.vendor_id, v.name, v.address, v.phone, q.revenue
FROM vendor v, vendor_quarter q
WHERE v.vendor_id = q.vendor_id AND q.revenue = (SELECT max(revenue) FROM vendor_quarter)
ORDER BY v.vendor_id;
