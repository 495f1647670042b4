SELECT sum(amount * discount) AS forgone
FROM purchase_line
WHERE shipped_on >= date '2022-01-01' AND shipped_on < date '2022-01-01' + interval '1' year
  AND discount BETWEEN 0.06 - 0.01 AND 0.06 + 0.01 AND quantity < 24;
