SELECT return_flag, status, sum(quantity) AS pieces, sum(amount) AS gross, sum(amount * (1 - discount)) AS net,
       sum(amount * (1 - discount) * (1 + tax)) AS charged, avg(quantity), avg(amount), avg(discount), count(*)
FROM purchase_line
WHERE shipped_on <= date '2025-09-01' - interval '90' day
GROUP BY return_flag, status
ORDER BY return_flag, status;
