-- The job in ClickHouse's SQL. $input, $output and $rules are paths; rules.csv says what rules-10.toml
-- does.
--
-- Tried, and no faster as far as a noisy machine could tell (most of the time is the reader's either
-- way): all of an event in Tuple columns; LowCardinality columns; simpleJSONExtract, which does not look
-- where in the object a name stands; xxh3 and sipHash64 for cityHash64; larger blocks of parallel parsing;
-- parallel_hash joins; mapping the file into memory, which also counts the file as memory of the process.
-- Parallel formatting took a fifth to a third more CPU time for signals.csv and 350 MB more; by the clock
-- it was no better on two busy cores. With more cores, or idle ones, it may be.

-- A missing member is an empty text, as most columns would have it here.
SET date_time_input_format = 'best_effort', date_time_output_format = 'iso',
    storage_file_read_method = 'pread', output_format_parallel_formatting = 0;

CREATE TABLE rules (event String, rule String, signal String, type String, high_intent Bool,
    score Int32, limit UInt64) ENGINE = Memory
AS SELECT * FROM file('$rules', 'CSVWithNames');

-- The nested members are texts, for the hash needs all that is in them, whatever it is.
CREATE TABLE events ENGINE = Memory AS
WITH type IN ('track', 'page', 'screen') AS is_signal
SELECT
    cityHash64(anonymousId, context, event, groupId, messageId, name, originalTimestamp, properties,
               traits, type, userId) AS content,
    timestamp, receivedAt AS received_at, type, name, messageId AS message_id,
    multiIf(type = 'page', 'Page Viewed', type = 'screen', 'Screen Viewed', event) AS event,
    anonymousId AS anonymous_id, userId AS user_id,
    JSONExtract(if(is_signal, context, ''), 'Tuple(page Tuple(url String, referrer String),
        campaign Tuple(source String, medium String, name String))') AS c,
    JSONExtract(if(is_signal, properties, ''), 'Tuple(url String, name String, referrer String,
        email String, plan String, seats String)') AS p,
    JSONExtract(if(type = 'identify', traits, ''), 'Tuple(email String, firstName String,
        lastName String, company Tuple(name String), title String)') AS t
FROM file('$input', 'JSONEachRow', 'anonymousId String, context String, event String, groupId String,
    messageId String, name String, originalTimestamp String, properties String,
    receivedAt DateTime64(3, \'UTC\'), timestamp DateTime64(3, \'UTC\'), traits String, type String,
    userId String');

-- Few events have copies, and only these are ranked. Of copies the one received first stays.
CREATE TABLE copied ENGINE = Memory AS
SELECT content FROM events GROUP BY content HAVING count() > 1;

CREATE TABLE first_copies ENGINE = Memory AS
SELECT * FROM events WHERE content IN copied ORDER BY received_at, timestamp LIMIT 1 BY content;

CREATE VIEW kept AS
SELECT * FROM events WHERE content NOT IN copied UNION ALL SELECT * FROM first_copies;

-- What an id was tied to, and since when. Whatever is older than its first fact belongs to that one:
-- with the first once more, since 1970, a single ASOF join finds known and rehydrated alike.
CREATE TABLE user_facts ENGINE = Memory AS
WITH facts AS (
    SELECT user_id, timestamp AS since, lower(trim(t.email)) AS email
    FROM kept WHERE type = 'identify' AND t.email != '' AND user_id != '')
SELECT user_id, since, email, 'known' AS resolution FROM facts
UNION ALL
SELECT user_id, toDateTime64(0, 3, 'UTC'), argMin(email, since), 'rehydrated'
FROM facts GROUP BY user_id;

-- To an e-mail, else to a user id that leads to one. The e-mail of the same event is the closer tie.
CREATE TABLE anonymous_facts ENGINE = Memory AS
WITH facts AS (
    SELECT anonymous_id, timestamp AS since, lower(trim(t.email)) AS email,
           if(email = '', user_id, '') AS user_id
    FROM kept
    WHERE anonymous_id != '' AND (email != '' OR kept.user_id IN (SELECT user_id FROM user_facts)))
SELECT anonymous_id, since, email, user_id, 'known' AS resolution FROM facts
UNION ALL
SELECT anonymous_id, toDateTime64(0, 3, 'UTC'), argMin(email, since), argMin(facts.user_id, since),
       'rehydrated'
FROM facts GROUP BY anonymous_id;

-- Whose each signal is; strangers' are not here. A subquery that is named twice runs twice, so none is.
CREATE TABLE owners ENGINE = Memory AS
WITH
signals AS (
    SELECT content, timestamp, user_id, anonymous_id,
           if(event IN (SELECT event FROM rules), lower(trim(p.email)), '') AS email
    FROM kept WHERE type IN ('track', 'page', 'screen')),
by_anonymous AS (
    SELECT s.content AS content, s.timestamp AS timestamp, f.email AS email, f.user_id AS user_id,
           f.resolution AS resolution
    FROM signals s ASOF JOIN anonymous_facts f
      ON s.anonymous_id = f.anonymous_id AND s.timestamp >= f.since
    WHERE s.email = '' AND s.user_id NOT IN (SELECT user_id FROM user_facts))
SELECT content, email, 'direct' AS resolution FROM signals WHERE email != ''
UNION ALL
SELECT s.content, f.email, f.resolution
FROM signals s ASOF JOIN user_facts f ON s.user_id = f.user_id AND s.timestamp >= f.since
WHERE s.email = ''
UNION ALL
SELECT b.content, if(b.email != '', b.email, f.email), b.resolution
FROM by_anonymous b ASOF LEFT JOIN user_facts f ON b.user_id = f.user_id AND b.timestamp >= f.since;

INSERT INTO FUNCTION file('$output/signals.csv', 'CSVWithNames')
SELECT content AS signal_id, timestamp, received_at, e.type AS type, e.event AS event,
       if(r.rule != '', r.signal, e.event) AS signal, r.type AS signal_type, r.high_intent AS high_intent,
       r.rule AS rule, r.score AS score, o.email AS lead_email,
       if(o.resolution = '', 'cold', o.resolution) AS resolution, anonymous_id, user_id,
       if(p.url != '', p.url, c.page.url) AS page_url, if(name != '', name, p.name) AS page_name,
       'segment' AS source, message_id, if(r.rule != '', p.plan, '') AS plan,
       if(r.rule != '', p.seats, '') AS seats, if(r.rule != '', c.page.url, '') AS page
FROM kept e LEFT JOIN owners o USING (content) LEFT JOIN rules r ON e.event = r.event
WHERE e.type IN ('track', 'page', 'screen');

-- What leads are made of; in a table, for it is read twice.
CREATE TABLE owned ENGINE = Memory AS
SELECT o.email AS email, o.resolution AS resolution, e.timestamp AS timestamp, r.rule AS rule,
       if(rule != '', r.signal, e.event) AS signal, r.score AS score,
       r.high_intent AS high_intent, r.limit AS limit, e.anonymous_id AS anonymous_id,
       e.user_id AS user_id, if(p.url != '', p.url, c.page.url) AS url,
       tuple(url, if(p.referrer != '', p.referrer, c.page.referrer), c.campaign) AS page
FROM kept e JOIN owners o USING (content) LEFT JOIN rules r ON e.event = r.event;

INSERT INTO FUNCTION file('$output/leads.csv', 'CSVWithNames')
WITH
-- All signals of a rule score the same, so that a limit is one of their number.
scores AS (
    SELECT email, sum(score * least(signals, limit)) AS total,
           argMin(signal, (-score, -toInt64(signals), signal)) AS top_signal
    FROM (SELECT email, rule, signal, score, limit, count() AS signals
          FROM owned GROUP BY email, rule, signal, score, limit)
    GROUP BY email),
folded AS (
    SELECT email, count() AS signals, countIf(high_intent) AS high_intent_signals,
           countIf(resolution = 'rehydrated') AS rehydrated_signals,
           min(timestamp) AS first_seen, max(timestamp) AS last_seen,
           minIf(timestamp, resolution = 'direct') AS direct_at,
           argMinIf(page, timestamp, url != '') AS page, argMax(signal, timestamp) AS last_signal,
           groupUniqArray(anonymous_id) AS anonymous_ids, groupUniqArray(user_id) AS user_ids
    FROM owned GROUP BY email),
people AS (
    SELECT lower(trim(t.email)) AS email,
           argMax(concat(t.firstName, ' ', t.lastName), timestamp) AS name,
           argMax(t.firstName, timestamp) AS first_name, argMax(t.lastName, timestamp) AS last_name,
           argMax(t.company.name, timestamp) AS company, argMax(t.title, timestamp) AS title,
           min(timestamp) AS identified_at,
           groupUniqArray(anonymous_id) AS anonymous_ids, groupUniqArray(user_id) AS user_ids
    FROM kept WHERE type = 'identify' AND email != '' GROUP BY email)
SELECT if(p.email != '', p.email, f.email) AS email, p.name AS name, first_name, last_name, company, title,
       '' AS phone, total AS score, signals, high_intent_signals, rehydrated_signals,
       if(signals > 0, first_seen, p.identified_at) AS first_seen,
       if(signals > 0, last_seen, p.identified_at) AS last_seen,
       if(direct_at > 0 AND (p.email = '' OR direct_at < p.identified_at), direct_at, p.identified_at)
           AS identified_at,
       page.1 AS first_page_url, page.2 AS first_referrer, page.3.source AS utm_source,
       page.3.medium AS utm_medium, page.3.name AS utm_campaign, last_signal, top_signal,
       arrayStringConcat(
           arraySort(arrayFilter(x -> x != '', arrayDistinct(arrayConcat(p.anonymous_ids, f.anonymous_ids)))), ';')
           AS anonymous_ids,
       arrayStringConcat(
           arraySort(arrayFilter(x -> x != '', arrayDistinct(arrayConcat(p.user_ids, f.user_ids)))), ';')
           AS user_ids,
       'segment' AS sources
FROM people p FULL JOIN folded f ON p.email = f.email LEFT JOIN scores s ON f.email = s.email
ORDER BY score DESC, email
-- The planner moves these functions past the sort and back for ever.
SETTINGS query_plan_execute_functions_after_sorting = 0;

INSERT INTO FUNCTION file('$output/report.csv', 'CSVWithNames')
SELECT (SELECT count() FROM events) AS events, events - (SELECT count() FROM kept) AS duplicates;
