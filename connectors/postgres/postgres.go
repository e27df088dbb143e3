// Package postgres protects a PostgreSQL database, 12 or newer, while the
// programs that use it go on working. A point of it is a folder of plain SQL:
// loaded in the order of their names, by this package or by hand with psql,
// the files make the database again.
//
//	database.json           what the database was: version, encoding, sorting
//	00-roles.sql            the roles, without passwords; only those missing are made
//	10-schema.sql           pg_dump's section pre-data: schemas, types, tables, functions
//	20-data/sale.sql        one table's rows, as COPY; of another schema "sale@schema.sql"
//	30-sequences.sql        where sequences stood
//	40-large-objects.sql    the contents of large objects
//	90-after.sql            pg_dump's section post-data: indexes, constraints, triggers
//	95-database.sql         what is set for the database as a whole
//
// # One state
//
// All of it is one state. A transaction locks every table against being
// altered or emptied (ACCESS SHARE: rows may still be written), takes its
// snapshot only then, and reads every row in it; pg_dump describes the schema
// in the same snapshot. The lock lasts until the capture is closed: meanwhile
// ALTER TABLE, TRUNCATE and the like wait, and what wants the table after them
// waits too. Sequences are not part of any snapshot; they are read after it
// was taken, so that none stands before a row that was captured. What is not
// stored: passwords of roles, rows of foreign and temporary tables, and other
// databases of the same server.
//
// # Idle
//
// A database is idle when the server's write-ahead log has not moved by a
// byte, the server was not restarted, and its sequences stand where they
// stood. Every committed change moves the log, also one to an unlogged table
// or a role, so nothing is missed; only a number drawn from a sequence may not,
// which is why they are looked at themselves. The log is the whole server's: another database that
// is written to, vacuuming or a checkpoint move it as well, and then a state
// is captured that may turn out to be the same. The counters in
// pg_stat_database could tell databases apart, but they lag behind commits,
// without a bound before version 15, and are lost in a crash: they are not
// asked.
//
// Of a state that is captured, tables whose rows are those of the point before
// are not read again: a look at every row's transaction proves that, see type
// proof. Once a day each table is read in any case.
//
// # Restoring
//
// A restore to the original place loads a new database beside it, checks it,
// and exchanges the two in one transaction, so that a kill at any moment
// leaves the one or the other under the name and never neither. The old one is
// kept beside it until [Connector.Verify] is content. A role that may not
// create databases restores inside the database, in one transaction that
// empties it first; a single table is replaced in one transaction too. Roles
// and rights that can't be given back where the restore goes are left out and
// said so in the checks.
package postgres

import (
	"log/slog"
	"strings"
	"sync"
	"time"

	"kvart/app"
	"kvart/connectors/internal/tunnel"
)

// Kind is the kind of source this package reads.
const Kind app.Kind = "postgres"

// Keys of settings and secrets.
const (
	fieldHost     = "host"
	fieldPort     = "port"
	fieldSocket   = "socket"
	fieldUser     = "user"
	fieldDatabase = "database"
	fieldPassword = "password"
	fieldTLS      = "sslmode"
	fieldCA       = "ca_file"
)

// Ways of [fieldTLS].
const (
	tlsPrefer = "prefer"
	tlsVerify = "verify-full"
)

// oldest is the oldest major version of a server that is read.
const oldest = 12

// Connector reads PostgreSQL databases. It is safe for concurrent use.
type Connector struct {
	log *slog.Logger

	// Folders are where pg_dump and the server's programs are looked for
	// beside PATH, with patterns; empty means the usual ones of this system.
	// Set it before the first use.
	Folders []string

	lockWait time.Duration // how long a table's lock is waited for
	step     func(string)  // tests stop a restore at its steps
	// looked holds the marks of databases whose indexes were looked into before
	// they took their place. After a restart they are looked into again.
	looked *sync.Map
}

var (
	_ app.Connector = (*Connector)(nil)
	_ app.Restorer  = (*Connector)(nil)
	_ app.Rehearser = (*Connector)(nil)
	_ app.Granter   = (*Connector)(nil)
)

// New returns a connector.
func New(log *slog.Logger) *Connector {
	return &Connector{log: log, lockWait: 10 * time.Second, step: func(string) {}, looked: new(sync.Map)}
}

// Spec implements [app.Connector].
func (c *Connector) Spec() app.KindSpec {
	fields := []app.Field{
		{Key: fieldHost, Type: app.FieldText, Default: defaultHost},
		{Key: fieldPort, Type: app.FieldNumber, Default: defaultPort},
		{Key: fieldDatabase, Type: app.FieldText, Required: true},
		{Key: fieldUser, Type: app.FieldText, Required: true},
		{Key: fieldPassword, Type: app.FieldSecret},
		{Key: fieldSocket, Type: app.FieldFolder, Advanced: true},
		{Key: fieldTLS, Type: app.FieldChoice, Choices: []string{tlsPrefer, "require", tlsVerify}, Default: tlsPrefer, Advanced: true},
		{Key: fieldCA, Type: app.FieldFile, Advanced: true},
	}
	return app.KindSpec{Kind: Kind, Order: 1, Database: true, Users: true, Fields: append(fields, tunnel.Fields()...)}
}

// warn logs what went wrong where nothing can be done about it any more.
func (c *Connector) warn(msg string, err error) {
	if err != nil {
		c.log.Warn("Server not let go cleanly", "connector", string(Kind), "step", msg, "error", err)
	}
}

// ident quotes a name for SQL.
func ident(name string) string { return `"` + strings.ReplaceAll(name, `"`, `""`) + `"` }

// literal quotes a string for SQL, whatever standard_conforming_strings says.
func literal(s string) string {
	s = strings.ReplaceAll(s, "'", "''")
	if strings.Contains(s, `\`) {
		return "E'" + strings.ReplaceAll(s, `\`, `\\`) + "'"
	}
	return "'" + s + "'"
}
