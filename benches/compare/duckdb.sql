-- The job in DuckDB's SQL. $input, $output and $rules are paths; rules.csv says what rules-10.toml does.
--
-- Tried, and no faster as far as a noisy machine could tell (most of the time is the reader's either
-- way): all of an event in STRUCT columns; only properties and traits so; json_transform; lines from
-- read_csv or read_ndjson_objects, and one json_extract_string for everything; keeping context and opening
-- it for leads alone (400 MB more); one hash of all texts joined; hashing nothing but messageId; leaving
-- strangers out before the ASOF join.

-- The rows may come in any order: that lets readers and writers go side by side.
SET preserve_insertion_order = false;

CREATE TEMP TABLE rules AS
FROM read_csv('$rules', header = true, columns = {
    event: 'VARCHAR', rule: 'VARCHAR', signal: 'VARCHAR', type: 'VARCHAR', high_intent: 'BOOLEAN',
    score: 'INTEGER', "limit": 'INTEGER'});

-- The nested members are JSON, for the hash needs all that is in them, whatever it is.
CREATE TEMP TABLE events AS
SELECT
    content, timestamp, received_at, type, event, message_id, anonymous_id, user_id,
    lower(trim(coalesce(p[4], t[1]))) AS email, coalesce(p[1], c[1]) AS page_url,
    coalesce(name, p[2]) AS page_name, coalesce(p[3], c[2]) AS referrer,
    c[3] AS utm_source, c[4] AS utm_medium, c[5] AS utm_campaign,
    p[5] AS plan, p[6] AS seats, c[1] AS page,
    t[2] AS first_name, t[3] AS last_name, t[4] AS company, t[5] AS title
FROM (
    SELECT
        hash(anonymousId, context, event, groupId, messageId, name, originalTimestamp, properties,
             traits, type, userId) AS content,
        timestamp, receivedAt AS received_at, type, name, messageId AS message_id,
        CASE type WHEN 'page' THEN 'Page Viewed' WHEN 'screen' THEN 'Screen Viewed' ELSE event END AS event,
        anonymousId AS anonymous_id, userId AS user_id,
        CASE WHEN type IN ('track', 'page', 'screen') THEN json_extract_string(context,
            ['/page/url', '/page/referrer', '/campaign/source', '/campaign/medium',
             '/campaign/name']) END AS c,
        json_extract_string(properties, ['url', 'name', 'referrer', 'email', 'plan', 'seats']) AS p,
        CASE type WHEN 'identify' THEN json_extract_string(traits,
            ['email', 'firstName', 'lastName', '/company/name', 'title']) END AS t
    FROM read_ndjson('$input', columns = {
        anonymousId: 'VARCHAR', context: 'JSON', event: 'VARCHAR', groupId: 'VARCHAR',
        messageId: 'VARCHAR', name: 'VARCHAR', originalTimestamp: 'VARCHAR', properties: 'JSON',
        receivedAt: 'TIMESTAMP', timestamp: 'TIMESTAMP', traits: 'JSON', type: 'VARCHAR',
        userId: 'VARCHAR'}));

CREATE TEMP TABLE counts AS SELECT count(*) AS events FROM events;

-- Few events have copies, and only these are ranked. Of copies the one received first stays.
DELETE FROM events WHERE rowid IN (
    SELECT id
    FROM (
        SELECT rowid AS id,
               row_number() OVER (PARTITION BY content ORDER BY received_at, timestamp) AS copy
        FROM events
        WHERE content IN (SELECT content FROM events GROUP BY content HAVING count(*) > 1))
    WHERE copy > 1);

-- What an id was tied to, and since when. Whatever is older than its first fact belongs to that one:
-- with the first once more, since for ever, a single ASOF join finds known and rehydrated alike.
CREATE TEMP TABLE user_facts AS
WITH facts AS (
    SELECT user_id, timestamp AS since, email
    FROM events WHERE type = 'identify' AND email IS NOT NULL AND user_id IS NOT NULL)
SELECT *, 'known' AS resolution FROM facts
UNION ALL
SELECT user_id, TIMESTAMP '-infinity', arg_min(email, since), 'rehydrated' FROM facts GROUP BY user_id;

-- To an e-mail, else to a user id that leads to one. The e-mail of the same event is the closer tie.
CREATE TEMP TABLE anonymous_facts AS
WITH facts AS (
    SELECT anonymous_id, timestamp AS since,
           CASE type WHEN 'identify' THEN email END AS email,
           CASE WHEN type != 'identify' OR email IS NULL THEN user_id END AS user_id
    FROM events
    WHERE anonymous_id IS NOT NULL
      AND (type = 'identify' AND email IS NOT NULL OR user_id IN (SELECT user_id FROM user_facts)))
SELECT *, 'known' AS resolution FROM facts
UNION ALL
SELECT anonymous_id, TIMESTAMP '-infinity', first.email, first.user_id, 'rehydrated'
FROM (SELECT anonymous_id, arg_min(facts, since) AS first FROM facts GROUP BY anonymous_id);

-- Whose each signal is; strangers' are not here.
CREATE TEMP TABLE owners AS
WITH signals AS (
    SELECT rowid AS id, timestamp, user_id, anonymous_id,
           CASE WHEN event IN (SELECT event FROM rules) THEN email END AS email
    FROM events WHERE type IN ('track', 'page', 'screen')),
indirect AS (SELECT * FROM signals WHERE email IS NULL),
by_user AS (
    SELECT id, f.email, f.resolution
    FROM indirect s ASOF JOIN user_facts f ON s.user_id = f.user_id AND s.timestamp >= f.since),
by_anonymous AS (
    SELECT id, timestamp, f.email, f.user_id, f.resolution
    FROM indirect s ASOF JOIN anonymous_facts f
      ON s.anonymous_id = f.anonymous_id AND s.timestamp >= f.since
    WHERE s.user_id IS NULL OR s.user_id NOT IN (SELECT user_id FROM user_facts))
SELECT id, email, 'direct' AS resolution FROM signals WHERE email IS NOT NULL
UNION ALL
FROM by_user
UNION ALL
SELECT id, email, resolution FROM by_anonymous WHERE email IS NOT NULL
UNION ALL
SELECT id, f.email, b.resolution
FROM by_anonymous b ASOF JOIN user_facts f ON b.user_id = f.user_id AND b.timestamp >= f.since
WHERE b.email IS NULL;

COPY (
    SELECT content AS signal_id, timestamp, received_at, e.type, event,
           coalesce(r.signal, event) AS signal, r.type AS signal_type,
           coalesce(high_intent, false) AS high_intent, rule, coalesce(score, 0) AS score,
           o.email AS lead_email, coalesce(resolution, 'cold') AS resolution, anonymous_id, user_id,
           page_url, page_name, 'segment' AS source, message_id,
           CASE WHEN rule IS NOT NULL THEN plan END AS plan,
           CASE WHEN rule IS NOT NULL THEN seats END AS seats,
           CASE WHEN rule IS NOT NULL THEN page END AS page
    FROM events e LEFT JOIN owners o ON o.id = e.rowid LEFT JOIN rules r USING (event)
    WHERE e.type IN ('track', 'page', 'screen')
) TO '$output/signals.csv' (HEADER);

COPY (
    WITH signals AS (
        SELECT o.email, resolution, timestamp, coalesce(signal, event) AS signal, rule,
               coalesce(score, 0) AS score, high_intent, "limit", anonymous_id, user_id,
               CASE WHEN page_url IS NOT NULL THEN
                   {url: page_url, referrer: referrer, source: utm_source, medium: utm_medium,
                    campaign: utm_campaign} END AS page
        FROM owners o JOIN events e ON o.id = e.rowid LEFT JOIN rules r USING (event)),
    -- All signals of a rule score the same, so that a limit is one of their number.
    scores AS (
        SELECT email, sum(score * least(signals, "limit")) AS score,
               arg_min(signal, (-score, -signals, signal)) AS top_signal
        FROM (SELECT email, rule, signal, score, "limit", count(*) AS signals FROM signals GROUP BY ALL)
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
        SELECT email, arg_max(concat_ws(' ', first_name, last_name), timestamp) AS name,
               arg_max(first_name, timestamp) AS first_name, arg_max(last_name, timestamp) AS last_name,
               arg_max(company, timestamp) AS company, arg_max(title, timestamp) AS title,
               min(timestamp) AS identified_at,
               list(DISTINCT anonymous_id) AS anonymous_ids, list(DISTINCT user_id) AS user_ids
        FROM events WHERE type = 'identify' AND email IS NOT NULL GROUP BY email)
    SELECT email, name, first_name, last_name, company, title, NULL AS phone,
           coalesce(score, 0) AS score, coalesce(signals, 0) AS signals,
           coalesce(high_intent_signals, 0) AS high_intent_signals,
           coalesce(rehydrated_signals, 0) AS rehydrated_signals,
           coalesce(first_seen, p.identified_at) AS first_seen,
           coalesce(last_seen, p.identified_at) AS last_seen,
           least(p.identified_at, f.identified_at) AS identified_at,
           page.url AS first_page_url, page.referrer AS first_referrer, page.source AS utm_source,
           page.medium AS utm_medium, page.campaign AS utm_campaign, last_signal, top_signal,
           array_to_string(list_sort(list_distinct(list_concat(p.anonymous_ids, f.anonymous_ids))), ';')
               AS anonymous_ids,
           array_to_string(list_sort(list_distinct(list_concat(p.user_ids, f.user_ids))), ';')
               AS user_ids,
           'segment' AS sources
    FROM people p FULL JOIN (folded f JOIN scores USING (email)) USING (email)
    ORDER BY score DESC, email
) TO '$output/leads.csv' (HEADER);

COPY (SELECT events, events - (SELECT count(*) FROM events) AS duplicates FROM counts)
TO '$output/report.csv' (HEADER);
