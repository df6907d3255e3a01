-- Which campaigns bring leads that ask for something: run in a folder of Parquet outputs,
-- `duckdb < top_campaigns.sql`. A job on Spark writes folders: leads.parquet/*.parquet.
SELECT
  coalesce(nullif(utm_campaign, ''), '(none)') AS campaign,
  count(*) AS leads,
  sum(high_intent_signals) AS high_intent,
  round(avg(score), 1) AS average_score
FROM 'leads.parquet'
GROUP BY campaign
ORDER BY high_intent DESC, leads DESC, campaign
LIMIT 10;
