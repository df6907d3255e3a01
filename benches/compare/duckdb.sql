SET preserve_insertion_order = false;

CREATE TEMP TABLE rules AS
FROM read_csv('$rules', header = true, columns = {
    event: 'VARCHAR', rule: 'VARCHAR', signal: 'VARCHAR', type: 'VARCHAR',
    high_intent: 'BOOLEAN', score: 'INTEGER', "limit": 'INTEGER'});

CREATE TEMP TABLE events AS
SELECT
    hash(anonymousId, context, event, groupId, messageId, name, originalTimestamp, properties,
         traits, type, userId) AS content,
    timestamp, receivedAt AS received_at, type,
    CASE type WHEN 'page' THEN 'Page Viewed' WHEN 'screen' THEN 'Screen Viewed' ELSE event END AS event,
    name, messageId AS message_id, anonymousId AS anonymous_id, userId AS user_id,
    context,
    CASE WHEN type IN ('track', 'page', 'screen') THEN
        json_extract_string(properties, ['url', 'name', 'referrer', 'email', 'plan', 'seats']) END AS p,
    CASE type WHEN 'identify' THEN
        json_extract_string(traits, ['email', 'firstName', 'lastName', '/company/name', 'title']) END AS t
FROM read_ndjson('$input', columns = {
    anonymousId: 'VARCHAR', context: 'JSON', event: 'VARCHAR', groupId: 'VARCHAR',
    messageId: 'VARCHAR', name: 'VARCHAR', originalTimestamp: 'VARCHAR', properties: 'JSON',
    receivedAt: 'TIMESTAMP', timestamp: 'TIMESTAMP', traits: 'JSON', type: 'VARCHAR',
    userId: 'VARCHAR'});

CREATE TEMP TABLE counts AS SELECT count(*) AS events FROM events;

DELETE FROM events WHERE rowid IN (
    SELECT id FROM (
        SELECT rowid AS id,
               row_number() OVER (PARTITION BY content ORDER BY received_at, timestamp) AS copy
        FROM events
        WHERE content IN (SELECT content FROM events GROUP BY content HAVING count(*) > 1))
    WHERE copy > 1);

CREATE TEMP TABLE user_facts AS
WITH facts AS (
    SELECT user_id, timestamp AS since, lower(trim(t[1])) AS email
    FROM events WHERE type = 'identify' AND t[1] IS NOT NULL AND user_id IS NOT NULL)
SELECT user_id, since, email, 'known' AS resolution FROM facts
UNION ALL
SELECT user_id, TIMESTAMP '-infinity', arg_min(email, since), 'rehydrated' FROM facts GROUP BY user_id;

CREATE TEMP TABLE anonymous_facts AS
WITH facts AS (
    SELECT anonymous_id, timestamp AS since, lower(trim(t[1])) AS email,
           CASE WHEN t[1] IS NULL THEN user_id END AS user_id
    FROM events
    WHERE anonymous_id IS NOT NULL
      AND (type = 'identify' AND t[1] IS NOT NULL OR user_id IN (SELECT user_id FROM user_facts)))
SELECT *, 'known' AS resolution FROM facts
UNION ALL
SELECT anonymous_id, TIMESTAMP '-infinity', f.email, f.user_id, 'rehydrated'
FROM (SELECT anonymous_id, arg_min(facts, since) AS f FROM facts GROUP BY anonymous_id);

CREATE TEMP TABLE owners AS
WITH signals AS (
    SELECT rowid AS id, timestamp, user_id, anonymous_id,
           CASE WHEN event IN (SELECT event FROM rules) THEN lower(trim(p[4])) END AS email
    FROM events WHERE type IN ('track', 'page', 'screen')),
indirect AS (SELECT id, timestamp, user_id, anonymous_id FROM signals WHERE email IS NULL),
by_user AS (
    SELECT id, f.email, f.resolution
    FROM indirect s ASOF JOIN user_facts f ON s.user_id = f.user_id AND s.timestamp >= f.since),
by_anonymous AS (
    SELECT id, timestamp, f.email, f.user_id, f.resolution
    FROM indirect s ASOF JOIN anonymous_facts f
      ON s.anonymous_id = f.anonymous_id AND s.timestamp >= f.since
    WHERE s.user_id IS NULL OR s.user_id NOT IN (SELECT user_id FROM user_facts))
SELECT id, email, 'direct' AS resolution FROM signals WHERE email IS NOT NULL
UNION ALL FROM by_user
UNION ALL SELECT id, email, resolution FROM by_anonymous WHERE email IS NOT NULL
UNION ALL
SELECT id, f.email, b.resolution
FROM by_anonymous b ASOF JOIN user_facts f ON b.user_id = f.user_id AND b.timestamp >= f.since
WHERE b.email IS NULL;

COPY (
    SELECT content AS signal_id, timestamp, received_at, e.type, event,
           coalesce(r.signal, event) AS signal, r.type AS signal_type,
           coalesce(r.high_intent, false) AS high_intent, r.rule, coalesce(r.score, 0) AS score,
           o.email AS lead_email, coalesce(o.resolution, 'cold') AS resolution,
           anonymous_id, user_id, coalesce(p[1], context->>'/page/url') AS page_url,
           coalesce(name, p[2]) AS page_name, 'segment' AS source, message_id,
           CASE WHEN r.rule IS NOT NULL THEN p[5] END AS plan,
           CASE WHEN r.rule IS NOT NULL THEN p[6] END AS seats,
           CASE WHEN r.rule IS NOT NULL THEN context->>'/page/url' END AS page
    FROM events e LEFT JOIN owners o ON o.id = e.rowid LEFT JOIN rules r USING (event)
    WHERE e.type IN ('track', 'page', 'screen')
) TO '$output/signals.csv' (HEADER);

COPY (
    WITH signals AS (
        SELECT o.email, o.resolution, timestamp, coalesce(r.signal, event) AS signal, r.rule,
               coalesce(r.score, 0) AS score, r.high_intent, r."limit", anonymous_id, user_id,
               CASE WHEN coalesce(p[1], c[1]) IS NOT NULL THEN
                 {url: coalesce(p[1], c[1]), referrer: coalesce(p[3], c[2]),
                  source: c[3], medium: c[4], campaign: c[5]} END AS page
        FROM (SELECT *, rowid AS id, json_extract_string(context,
                  ['/page/url', '/page/referrer', '/campaign/source', '/campaign/medium',
                   '/campaign/name']) AS c
              FROM events WHERE rowid IN (SELECT id FROM owners)) e
        JOIN owners o USING (id) LEFT JOIN rules r USING (event)),
    scores AS (
        SELECT email, sum(score * least(signals, "limit")) AS score,
               arg_min(signal, (-score, -signals, signal)) AS top_signal
        FROM (SELECT email, rule, signal, score, "limit", count(*) AS signals
              FROM signals GROUP BY ALL)
        GROUP BY email),
    folded AS (
        SELECT email, count(*) AS signals, count(*) FILTER (high_intent) AS high_intent_signals,
               count(*) FILTER (resolution = 'rehydrated') AS rehydrated_signals,
               min(timestamp) AS first_seen, max(timestamp) AS last_seen,
               min(timestamp) FILTER (resolution = 'direct') AS identified_at,
               arg_min(page, timestamp) AS page, arg_max(signal, timestamp) AS last_signal,
               list(DISTINCT anonymous_id) AS anonymous_ids, list(DISTINCT user_id) AS user_ids
        FROM signals GROUP BY email),
    people AS (
        SELECT lower(trim(t[1])) AS email,
               arg_max(concat_ws(' ', t[2], t[3]), timestamp) AS name,
               arg_max(t[2], timestamp) AS first_name, arg_max(t[3], timestamp) AS last_name,
               arg_max(t[4], timestamp) AS company, arg_max(t[5], timestamp) AS title,
               min(timestamp) AS identified_at,
               list(DISTINCT anonymous_id) AS anonymous_ids, list(DISTINCT user_id) AS user_ids
        FROM events WHERE type = 'identify' AND t[1] IS NOT NULL GROUP BY ALL)
    SELECT email, name, first_name, last_name, company, title, NULL AS phone,
           coalesce(score, 0) AS score, coalesce(signals, 0) AS signals,
           coalesce(high_intent_signals, 0) AS high_intent_signals,
           coalesce(rehydrated_signals, 0) AS rehydrated_signals,
           coalesce(first_seen, p.identified_at) AS first_seen, coalesce(last_seen, p.identified_at) AS last_seen,
           least(p.identified_at, f.identified_at) AS identified_at,
           page.url AS first_page_url, page.referrer AS first_referrer, page.source AS utm_source,
           page.medium AS utm_medium, page.campaign AS utm_campaign, last_signal, top_signal,
           list_aggregate(list_sort(list_distinct(list_concat(p.anonymous_ids, f.anonymous_ids))), 'string_agg', ';') AS anonymous_ids,
           list_aggregate(list_sort(list_distinct(list_concat(p.user_ids, f.user_ids))), 'string_agg', ';') AS user_ids,
           'segment' AS sources
    FROM people p FULL JOIN (folded f JOIN scores USING (email)) USING (email)
    ORDER BY score DESC, email
) TO '$output/leads.csv' (HEADER);

COPY (SELECT c.events, c.events - count(e.rowid) AS duplicates FROM events e, counts c GROUP BY c.events)
TO '$output/report.csv' (HEADER);
