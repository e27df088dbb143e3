// Package mysql protects one database on a MySQL or MariaDB server while the
// shop goes on using it: MySQL 5.7 to 8, MariaDB 10 and 11, over TCP, a socket,
// TLS or an SSH tunnel. It knows no vault and no other connector.
//
// # What is captured, and how consistent it is
//
// Tables and their rows are read by the vendor's own dump program in one
// transaction (--single-transaction): for InnoDB all tables are of one moment,
// and nobody waits. MyISAM, Aria and other tables without transactions have no
// such moment: each is read as it is when its turn comes. [Connector.Check]
// names them in its details. With the setting "lock_myisam" they are locked
// for writing, and only they, until the dump is done, which makes them of one
// moment with the rest and keeps the shop waiting for as long.
//
// Views, triggers, routines and events are read with SHOW CREATE, since they
// are in no transaction in any case: they are read before and after the dump,
// and a dump during which one of them or a table's definition changed is made
// again.
//
// The dump is written to a temporary file first, encrypted with a key that
// only lives in memory: a slow upload would otherwise keep the transaction
// open for hours, and the server drops a dump that is not read for a minute.
// So nothing of a dump goes anywhere before its program ended well and its
// last line was seen.
//
// # Layout of a point
//
//	00-database.sql   the database's character set, the session's settings
//	routines.sql      procedures, functions, packages
//	sequences.sql     sequences (MariaDB)
//	tables/sale.sql   one file a table: definition and rows
//	triggers.sql
//	views.sql
//	z-events.sql      last, and made disabled before they are enabled, so that
//	                  none runs on a half-loaded database
//	zz-end.sql        the end of the dump
//
// A file of which there is nothing is left out. All files in the order of
// their names, piped into the mysql program (with --comments, or routines lose
// theirs) with a database chosen, make the database again, without Kvart.
//
// # The marker: when nothing is captured because nothing moved
//
// The marker is a hash of the definitions of everything in the database and of
// one number that no committed change leaves as it was. It is read before the
// dump's transaction begins, so that a change at the same moment makes the
// next capture, never makes it idle. The numbers, in order of preference:
//
//   - InnoDB's log sequence number (status Innodb_lsn_current of MariaDB,
//     Innodb_redo_log_current_lsn of MySQL 8.0.30 and later). Every change of a
//     page moves it. It needs no right.
//   - the binary log's position, MariaDB's @@gtid_binlog_pos or MySQL's
//     @@gtid_executed: only where the server has no filters for the binary log.
//     Blind spot: what an administrator writes with sql_log_bin=0.
//
// Both are of the whole server: a change in another database costs a dump and
// hides nothing. After a restart of the server nothing is idle: one that went
// down may have lost its last changes and come to the same number by others. MyISAM tables are in neither: their files' times, sizes and
// numbers of rows are part of the hash, and with a time from the last two
// seconds, within which a further change would not show, there is no marker.
// Blind spot: MyISAM tables written through memory maps (myisam_use_mmap).
// With tables of any other engine there is no marker, nor is there one on a
// server that offers neither number. The UPDATE_TIME of InnoDB tables is not
// used: it is kept in memory only, and lost at a restart and whenever a table
// is dropped from the cache.
//
// # Tables that are taken over
//
// When something moved, only the tables that changed since the point before are
// dumped; of the others the new point holds what the one before does. The marker
// remembers for that of every table what a change of its rows moves, and the
// vault knows by a file's size and time that it has it. A table is taken over
// only when all of this is so:
//
//   - it is InnoDB's, not partitioned, and bears the same number: whatever makes
//     a table anew, such as TRUNCATE, gives it another. No ALTER TABLE, CREATE or
//     DROP INDEX was run on the server, and it was not restarted;
//   - the time of its last change (UPDATE_TIME) is the same to the second, and
//     was more than two seconds old. MariaDB leaves behind the time at which the
//     transaction began, so no transaction that began in that second or before
//     may have been under way when the point was made. To see that takes the
//     right PROCESS; without it everything is dumped every time;
//   - or, with MariaDB, it has no such time at both ends: nobody wrote to it since
//     the server knows it. It may forget that when it has more tables than it
//     keeps known (table_definition_cache), and when tables are defined: then
//     such a table is dumped;
//   - all of it still holds when the dump of the other tables is done: they are
//     of one moment then.
//
// Blind spots: a server's clock that is set back to the very second of a table's
// last change, and a whole virtual machine that is. So every table is dumped
// once a day in any case. A table taken over that the vault turns out not to
// have any more is dumped by itself, if it is still the same.
//
// # Restore
//
// Tables are loaded by several programs at a time, where the computer has
// processors for them, with their plain indexes behind their rows; those that
// refer to each other by one. A database is loaded into another one beside it, "<name>_kvart_new", and
// counted there; then one RENAME TABLE exchanges all tables, the old ones going
// to "<name>_kvart_old". See [Connector.Apply].
package mysql

import (
	"context"
	"log/slog"
	"os"
	"path/filepath"
	"runtime"
	"time"

	"kvart/app"
	"kvart/connectors/internal/tunnel"
)

// Kind is the kind of source this package reads.
const Kind app.Kind = "mysql"

// Connector reads MySQL and MariaDB databases. It is safe for concurrent use.
type Connector struct {
	log *slog.Logger

	// Temp is the folder for what a capture keeps until it is closed; "" means
	// the computer's own for large temporary files. Set it before the first use.
	Temp string
	// Programs are folders to look into for the vendor's programs, before the
	// usual ones. Set it before the first use.
	Programs []string

	lockWait time.Duration // how long exchanging tables may wait for the shop
	tries    int           // to dump while definitions change
	// step is told where a restore has come to, by name; an error ends it as a
	// kill would, with nothing cleaned up. nil but for tests.
	step func(name string) error
}

var (
	_ app.Connector = (*Connector)(nil)
	_ app.Restorer  = (*Connector)(nil)
	_ app.Rehearser = (*Connector)(nil)
	_ app.Differ    = (*Connector)(nil)
	_ app.Granter   = (*Connector)(nil)
)

// New returns a connector.
func New(log *slog.Logger) *Connector {
	return &Connector{log: log, lockWait: 20 * time.Second, tries: 3}
}

// Spec implements [app.Connector].
func (c *Connector) Spec() app.KindSpec {
	fields := []app.Field{
		{Key: fieldHost, Type: app.FieldText, Default: "127.0.0.1"},
		{Key: fieldPort, Type: app.FieldNumber, Default: "3306"},
		{Key: fieldDatabase, Type: app.FieldText, Required: true},
		{Key: fieldUser, Type: app.FieldText, Required: true},
		{Key: fieldPassword, Type: app.FieldSecret},
		{Key: fieldSocket, Type: app.FieldText, Advanced: true},
		{Key: fieldTLS, Type: app.FieldChoice, Default: tlsPrefer, Choices: []string{tlsPrefer, tlsRequire, tlsVerify, tlsOff}, Advanced: true},
		{Key: fieldCA, Type: app.FieldFile, Advanced: true},
		{Key: fieldLock, Type: app.FieldSwitch, Advanced: true},
	}
	return app.KindSpec{Kind: Kind, Order: 1, Database: true, Users: true, Fields: append(fields, tunnel.Fields()...)}
}

// temp returns the folder for large temporary files. /tmp often lies in memory
// on Linux, where a dump does not belong.
func (c *Connector) temp() string {
	if c.Temp != "" {
		return c.Temp
	}
	if runtime.GOOS == "linux" && os.Getenv("TMPDIR") == "" {
		if fi, err := os.Stat("/var/tmp"); err == nil && fi.IsDir() {
			return "/var/tmp"
		}
	}
	return filepath.Clean(os.TempDir())
}

// warn logs what went wrong where nothing can be done about it any more.
func (c *Connector) warn(msg string, err error) {
	if err != nil {
		c.log.Warn("Database server not left cleanly", "connector", string(Kind), "step", msg, "error", err)
	}
}

// reached tells the test that the restore came to a step.
func (c *Connector) reached(_ context.Context, name string) error {
	if c.step == nil {
		return nil
	}
	return c.step(name)
}
