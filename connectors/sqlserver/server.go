package sqlserver

import (
	"cmp"
	"context"
	"fmt"
	"slices"
	"strconv"
	"strings"

	"kvart/app"
)

// server is what is known of the server that answers.
type server struct {
	version  string // "16.0.1000.6"
	major    int    // 13 is 2016, 14 2017, 15 2019, 16 2022, 17 2025
	edition  string
	express  bool
	linux    bool
	user     string // as the server knows who logged in
	account  string // that the server runs as
	dataPath string // where it puts new data files
	logPath  string
	mixed    bool // takes users with passwords, not only Windows's
}

// oldest is the oldest server that is supported: 2016.
const oldest = 13

// Engine editions, as SERVERPROPERTY has them.
const engineExpress = 4

// greet learns who answers.
func (s *session) greet(ctx context.Context) error {
	r, err := s.one(ctx, "ask for version", `SELECT CAST(SERVERPROPERTY('ProductVersion') AS nvarchar(128)) AS version,
 CAST(SERVERPROPERTY('Edition') AS nvarchar(128)) AS edition, CAST(SERVERPROPERTY('EngineEdition') AS int) AS engine,
 CAST(SERVERPROPERTY('InstanceName') AS nvarchar(128)) AS instance, CAST(SERVERPROPERTY('InstanceDefaultDataPath') AS nvarchar(260)) AS data_path,
 CAST(SERVERPROPERTY('InstanceDefaultLogPath') AS nvarchar(260)) AS log_path, CAST(SERVERPROPERTY('IsIntegratedSecurityOnly') AS int) AS windows_only,
 SUSER_SNAME() AS login, @@VERSION AS banner`)
	if err != nil {
		return err
	}
	engine := r.int("engine")
	s.server = server{
		version: r.str("version"), edition: r.str("edition"), express: engine == engineExpress, linux: strings.Contains(r.str("banner"), " on Linux"),
		user: r.str("login"), dataPath: r.str("data_path"), logPath: r.str("log_path"), mixed: r.int("windows_only") == 0,
	}
	s.server.major, _ = strconv.Atoi(strings.SplitN(s.server.version, ".", 2)[0]) // 0 is too old
	if engine < 2 || engine > engineExpress {
		return bad(fieldHost, "%s keeps its backups itself and lets nobody make one to a folder", s.server.edition)
	}
	if s.server.major < oldest {
		return s.cfg.fail(app.CodeProgramOld, "sqlserver: connect", fmt.Errorf("server of version %s", s.server.version)).
			With("program", "SQL Server").With("version", s.server.version).With("needs", "2016 (13.0)")
	}
	s.server.account = s.serviceAccount(ctx, r.str("instance"))
	return nil
}

// serviceAccount returns the account the server runs as. Who may not look is
// told the one that setup gives it.
func (s *session) serviceAccount(ctx context.Context, instance string) string {
	rows, err := s.rows(ctx, "ask for account", `SELECT service_account AS account FROM sys.dm_server_services WHERE servicename LIKE N'SQL Server (%'`)
	if err == nil && len(rows) == 1 && rows[0].str("account") != "" {
		return rows[0].str("account")
	}
	switch {
	case s.server.linux:
		return "mssql"
	case instance != "":
		return `NT SERVICE\MSSQL$` + instance
	}
	return `NT SERVICE\MSSQLSERVER`
}

// letIn is the command that lets the server's account into a folder.
func (v server) letIn(folder string) string {
	if v.linux {
		return fmt.Sprintf(`setfacl -m u:%s:rwx -d -m u:%s:rwx "%s"`, v.account, v.account, folder)
	}
	return fmt.Sprintf(`icacls "%s" /grant "%s:(OI)(CI)M"`, folder, v.account)
}

// database is what is known of a database from outside.
type database struct {
	name      string
	id        int64
	state     string // "ONLINE"
	access    string // "MULTI_USER"
	recovery  string
	collation string
	created   string
	owner     string
	autoClose bool
	delayed   bool // transactions may be durable later than they commit
	encrypted bool
	reachable bool // the user may go into it
}

func (d database) online() bool { return d.state == "ONLINE" }

const databaseQuery = `SELECT d.name, d.database_id, d.state_desc, d.user_access_desc, d.recovery_model_desc, d.collation_name,
 CONVERT(nvarchar(33), d.create_date, 126) AS created, SUSER_SNAME(d.owner_sid) AS owner, d.is_auto_close_on, d.delayed_durability,
 d.is_encrypted, HAS_DBACCESS(d.name) AS reachable FROM sys.databases AS d`

func readDatabase(r row) database {
	return database{
		name: r.str("name"), id: r.int("database_id"), state: r.str("state_desc"), access: r.str("user_access_desc"), recovery: r.str("recovery_model_desc"),
		collation: r.str("collation_name"), created: r.str("created"), owner: r.str("owner"), autoClose: r.yes("is_auto_close_on"),
		delayed: r.int("delayed_durability") != 0, encrypted: r.yes("is_encrypted"), reachable: r.yes("reachable"),
	}
}

// database looks for a database; ok is false when there is none to be seen.
func (s *session) database(ctx context.Context, name string) (d database, ok bool, err error) {
	rows, err := s.rows(ctx, "look for database", databaseQuery+` WHERE d.name = @p1`, name)
	if err != nil || len(rows) == 0 {
		return d, false, err
	}
	return readDatabase(rows[0]), true, nil
}

// databases lists every database there is to be seen.
func (s *session) databases(ctx context.Context) (out []database, err error) {
	rows, err := s.rows(ctx, "list databases", databaseQuery)
	for _, r := range rows {
		out = append(out, readDatabase(r))
	}
	return out, err
}

// source returns the source's database, ready to be backed up.
func (s *session) source(ctx context.Context, op string) (d database, err error) {
	d, ok, err := s.database(ctx, s.cfg.database)
	if err != nil {
		return d, err
	}
	if !ok {
		return d, s.absent(ctx, op)
	}
	switch d.state {
	case "ONLINE":
	case "OFFLINE":
		return d, s.cfg.fail(app.CodeSourceOffline, op, fmt.Errorf("database %q was taken offline", d.name)).With("where", d.name)
	case "SUSPECT", "RECOVERY_PENDING", "EMERGENCY":
		return d, s.cfg.fail(app.CodeSourceDamaged, op, fmt.Errorf("database %q is %s", d.name, d.state))
	default:
		return d, s.cfg.fail(app.CodeSourceBusy, op, fmt.Errorf("database %q is %s", d.name, d.state))
	}
	return d, nil
}

// absent tells a database that is gone from one that may not be seen, and from
// one that a restore was cut off in the middle of exchanging.
func (s *session) absent(ctx context.Context, op string) error {
	all, err := s.databases(ctx)
	if err != nil {
		return err
	}
	if slices.ContainsFunc(all, func(d database) bool { return isOld(d.name, s.cfg.database) }) {
		return app.Errorf(app.CodeInterrupted, op, "a restore of %q was cut off and has to be ended first", s.cfg.database).With("path", s.cfg.database)
	}
	r, err := s.one(ctx, "ask for rights", `SELECT HAS_PERMS_BY_NAME(NULL, NULL, N'VIEW ANY DATABASE') AS sees`)
	if err != nil {
		return err
	}
	if !r.yes("sees") {
		return s.lacks(op, []string{"VIEW ANY DATABASE"}, "GRANT VIEW ANY DATABASE TO "+quote(s.server.user)+";")
	}
	return s.cfg.fail(app.CodeSourceGone, op, fmt.Errorf("no database %q on %s", s.cfg.database, s.cfg.where()))
}

func (s *session) lacks(op string, missing []string, statement string) *app.Error {
	rights := strings.Join(missing, ", ")
	return s.cfg.fail(app.CodeSourceRight, op, fmt.Errorf("%s lacks %s", s.server.user, rights)).
		With("user", s.server.user).With("right", rights).With("statement", statement)
}

// table is a table and how many rows the server says it has.
type table struct {
	schema, name string
	rows         int64
}

// title names a table in the stats.
func (t table) title() string {
	if t.schema == "dbo" {
		return t.name
	}
	return t.schema + "." + t.name
}

func (s *session) tables(ctx context.Context, db string) (out []table, err error) {
	q := quote(db)
	rows, err := s.rows(ctx, "count rows", `SELECT s.name AS s, t.name AS t, SUM(CASE WHEN p.index_id IN (0, 1) THEN p.rows ELSE 0 END) AS n FROM `+
		q+`.sys.tables AS t JOIN `+q+`.sys.schemas AS s ON s.schema_id = t.schema_id JOIN `+q+`.sys.partitions AS p ON p.object_id = t.object_id
 WHERE t.is_ms_shipped = 0 AND t.is_external = 0 GROUP BY s.name, t.name`)
	for _, r := range rows {
		out = append(out, table{r.str("s"), r.str("t"), r.int("n")})
	}
	slices.SortFunc(out, func(a, b table) int { return cmp.Compare(a.title(), b.title()) })
	return out, err
}

// dataFile is a file of a database on the server.
type dataFile struct {
	Name string `json:"name"`
	Path string `json:"path"`
	Type string `json:"type"` // "D", "L", "S", as RESTORE FILELISTONLY has it
	Size int64  `json:"size"`
}

// filesOf lists the files of every database, by database.
func (s *session) filesOf(ctx context.Context) (map[string][]dataFile, error) {
	rows, err := s.rows(ctx, "list files", `SELECT DB_NAME(f.database_id) AS db, f.name, f.physical_name, f.type, CAST(f.size AS bigint) * 8192 AS bytes FROM sys.master_files AS f`)
	if err != nil {
		return nil, err
	}
	out := map[string][]dataFile{}
	for _, r := range rows {
		kind := map[int64]string{0: "D", 1: "L", 2: "S"}[r.int("type")]
		out[r.str("db")] = append(out[r.str("db")], dataFile{r.str("name"), r.str("physical_name"), kind, r.int("bytes")})
	}
	return out, nil
}

// used returns how many bytes of a database's files are in use, which is about
// what a backup of it takes.
func (s *session) used(ctx context.Context, db string) (int64, error) {
	r, err := s.one(ctx, "ask for size", `EXEC `+quote(db)+`.sys.sp_executesql N'SELECT SUM(CAST(FILEPROPERTY(name, ''SpaceUsed'') AS bigint)) * 8192 AS bytes FROM sys.database_files'`)
	return r.int("bytes"), err
}
