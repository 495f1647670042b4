WITH rich AS (
  SELECT substring(phone FROM 1 FOR 2) AS code, balance, buyer_id
  FROM buyer
  WHERE substring(phone FROM 1 FOR 2) IN ('13', '31', '23', '29', '30', '18', '17')
    AND balance > (SELECT avg(balance) FROM buyer
                   WHERE balance > 0.00 AND substring(phone FROM 1 FOR 2) IN ('13', '31', '23', '29', '30', '18', '17')))
SELECT code, count(*) AS buyers, sum(balance) AS total
FROM rich
WHERE NOT EXISTS (SELECT * FROM purchase p WHERE p.buyer_id = rich.buyer_id)
GROUP BY code
ORDER BY code;
