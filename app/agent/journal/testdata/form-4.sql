-- A journal of form 4, as it was written then. Never change it.
CREATE TABLE run (
		id INTEGER PRIMARY KEY,
		source TEXT NOT NULL,
		quarter INTEGER NOT NULL,  -- start of the quarter it was for; times are Unix milliseconds
		started INTEGER NOT NULL,
		ended INTEGER NOT NULL,
		state TEXT NOT NULL,
		code TEXT NOT NULL,
		point TEXT NOT NULL,
		uploaded INTEGER NOT NULL,
		doc TEXT NOT NULL          -- app.RunResult
	);
	CREATE INDEX run_quarter ON run (quarter);
	CREATE INDEX run_source ON run (source, id);
	CREATE TABLE pause (started INTEGER NOT NULL, ended INTEGER NOT NULL);
	CREATE TABLE place (                -- how far each source is captured
		source TEXT PRIMARY KEY,
		marker TEXT NOT NULL,
		point TEXT NOT NULL,        -- the point that holds the marker's state
		captured INTEGER NOT NULL,  -- when that point was taken
		safe_until INTEGER NOT NULL
	);
	CREATE TABLE verified (
		point TEXT PRIMARY KEY,
		source TEXT NOT NULL,
		seq INTEGER NOT NULL,
		at INTEGER NOT NULL
	);
	CREATE TABLE drill (id INTEGER PRIMARY KEY, source TEXT NOT NULL, at INTEGER NOT NULL, doc TEXT NOT NULL);
	CREATE TABLE restore (id TEXT PRIMARY KEY, started INTEGER NOT NULL, doc TEXT NOT NULL);
	CREATE TABLE meta (key TEXT PRIMARY KEY, value TEXT NOT NULL);
CREATE TABLE used (day INTEGER PRIMARY KEY, at INTEGER NOT NULL, bytes INTEGER NOT NULL);
CREATE TABLE incident (
		id TEXT PRIMARY KEY,
		started INTEGER NOT NULL,
		open INTEGER NOT NULL,
		doc TEXT NOT NULL           -- app.Incident
	);
	CREATE UNIQUE INDEX incident_open ON incident (open) WHERE open = 1;
CREATE TABLE unusual (
		id INTEGER PRIMARY KEY,
		source TEXT NOT NULL,
		at INTEGER NOT NULL,
		open INTEGER NOT NULL,      -- the owner has yet to answer
		doc TEXT NOT NULL           -- app.Unusual
	);
	CREATE UNIQUE INDEX unusual_open ON unusual (source) WHERE open = 1;
	CREATE TABLE learned (source TEXT PRIMARY KEY, at INTEGER NOT NULL, doc BLOB NOT NULL);
	CREATE TABLE outage (id INTEGER PRIMARY KEY, began INTEGER NOT NULL, ended INTEGER NOT NULL, doc TEXT NOT NULL);
	CREATE TABLE looked (month TEXT PRIMARY KEY, up INTEGER NOT NULL, down INTEGER NOT NULL, unsure INTEGER NOT NULL, millis INTEGER NOT NULL);
	CREATE TABLE alert (cause TEXT PRIMARY KEY, doc TEXT NOT NULL);
	CREATE TABLE outbox (
		id INTEGER PRIMARY KEY,
		channel TEXT NOT NULL,
		cause TEXT NOT NULL,
		due INTEGER NOT NULL,
		doc TEXT NOT NULL           -- journal.Letter
	);
INSERT INTO run VALUES (1,'kassan',1763800000000,1763800000000,1763800001000,'done','','p1',7,'{"source":"Kassan","state":"done","point":"p1","bytes":0,"files":0,"bytesRead":0,"bytesUploaded":7,"seconds":1}');
INSERT INTO run VALUES (2,'bilder',1763800000000,1763800000000,1763800002000,'failed','storage_full','',0,'{"source":"Bilder","state":"failed","bytes":0,"files":0,"bytesRead":0,"bytesUploaded":0,"seconds":2,"error":{"code":"storage_full"}}');
INSERT INTO pause VALUES (1763800000000,1763803600000);
INSERT INTO place VALUES ('kassan','m1','p1',1763800000000,1763800000000);
INSERT INTO verified VALUES ('p1','kassan',3,1763800000000);
INSERT INTO drill VALUES (1,'kassan',1763800000000,'{"source":"Kassan","point":"p1","at":"2025-11-22T08:26:40Z","ok":true,"seconds":4,"checks":null}');
INSERT INTO restore VALUES ('r1',1763800000000,'{"id":"r1","state":"done","started":"2025-11-22T08:26:40Z","sources":[{"id":"kassan","source":"Kassan","point":"p1","done":true,"where":"/kassa","time":"2025-11-22T08:26:40Z"}]}');
INSERT INTO meta VALUES ('maintained','2025-11-22T08:26:40Z');
INSERT INTO used VALUES (20414,1763800000000,123456);
INSERT INTO incident VALUES ('i1',1763800000000,1,'{"id":"i1","playbook":"hacked","started":"2025-11-22T08:26:40Z"}');
INSERT INTO unusual VALUES (1,'kassan',1763800000000,1,'{"id":1,"source":"kassan","at":"2025-11-22T08:26:40Z"}');
INSERT INTO learned VALUES ('kassan',1763800000000,x'7b7d');
INSERT INTO outage VALUES (1,1763800000000,0,'{}');
INSERT INTO looked VALUES ('2025-11',100,2,1,5000);
INSERT INTO alert VALUES ('failed','{}');
INSERT INTO outbox VALUES (1,'ntfy','failed',1763800000000,'{}');
PRAGMA user_version = 4;
