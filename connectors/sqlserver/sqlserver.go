// Package sqlserver protects one database on a Microsoft SQL Server while the
// shop goes on using it: SQL Server 2016 to 2025, the free Express included. It
// knows no vault and no other connector.
//
// It was never run against a real SQL Server: none can be had where Kvart is
// built. What it sends was checked against Microsoft's documentation, and is
// tested with the real driver over the real protocol, TDS, against a peer of
// our own (package tdstest and this package's tests) that knows exactly these
// statements, keeps databases, files and sessions as the documentation says,
// and answers with the numbers and words of SQL Server's own errors. What no
// documentation says (the layout of a backup file, how fast any of it is) is
// not relied upon.
//
// # What is captured
//
// The server's own backup, whole and of one moment, without anybody waiting:
//
//	BACKUP DATABASE … TO DISK … WITH COPY_ONLY, CHECKSUM, FORMAT, INIT
//
// COPY_ONLY leaves other backup programs' chains alone. CHECKSUM has the
// server check every page as it reads it. Compression is off: in a compressed
// backup one changed page changes everything after it, so that a quarter would
// cost as much as the first. (On Express NO_COMPRESSION is not sent, since that
// edition can't compress and is never asked to.)
//
// The file goes into a folder that this computer and the server's account can
// both reach: setting "folder" as this computer sees it, "server_folder" as the
// server does. It is checked there by RESTORE VERIFYONLY WITH CHECKSUM and
// RESTORE HEADERONLY and FILELISTONLY, read into the vault, and removed. Its
// name begins with "kvart-"; what a killed run left is removed by the next one.
// For as long as a run takes, the folder holds the database in the clear: only
// the server and Kvart should be able to read it.
//
// There is no SSH tunnel: whoever reaches the folder reaches the server.
//
// # Layout of a point
//
//	about.json   what restoring needs to know before it begins
//	shop.bak     the server's backup file, as any SQL Server reads it
//
// The backup is stored as an item that is [app.Item.Rolling], not with Pages.
// A backup file is in Microsoft Tape Format: after headers come the extents of
// 64 KiB that are in use, in the order of each file, then the log. An extent
// that comes into use in the middle of a file moves all that follow, and with
// several files the server's readers run side by side, so that the order may
// differ. Segments at fixed offsets find the old pages again only as long as
// everything moves by whole segments, which nothing promises; segments cut by
// content find them wherever they are. The price is that a scattered page of
// 8 KiB costs more: in a model of 128 MB, 400 scattered pages cost 16 MB, where
// segments at fixed offsets cost 6 MB with everything in its place and all of
// the 128 MB with everything moved by one block of the format. Pages that lie
// together, as new sales do, cost the same either way.
//
// # The marker: when nothing is captured because nothing moved
//
// Every change of a database is written to its log first, so the log's end
// (log_end_lsn of sys.dm_db_log_stats) moves with every change. But a backup
// writes to the log too. So the end of the log is read after the backup, and
// is a marker only when nothing else was written while the backup ran: when the
// server's own count of transactions that wrote to the database and committed
// (performance counter "Write Transactions/sec", which is cumulative) and every
// table's number of rows are after the backup what they were before. A
// transaction that was open meanwhile moves the log when it commits; one that is
// just committing when the end of the log is read, which is in the log and not
// yet in the count, is waited for (sys.dm_tran_database_transactions) before the
// count is read. What comes later moves the log. Before the next backup the end is read again: the same,
// on the same run of the server, of the same database as created or restored
// then, means idle.
//
// There is no marker, and every quarter is captured, where one of these could
// hide a change: before SQL Server 2016 SP2 (no sys.dm_db_log_stats), without
// VIEW SERVER STATE, with delayed durability allowed, with FILESTREAM or
// memory-optimized files, with AUTO_CLOSE on (which is what Express sets for a
// new database; turn it off), and on a secondary replica. After a restart of
// the server nothing is idle. What the server writes of its own accord, such as
// Query Store's notes, costs a backup and hides nothing. Known blind spot: none
// for what goes through SQL; the nightly full run is there for what isn't known.
// Not known either, since no server could be asked: whether a backup counts as
// a writing transaction of its own. If it does, no quarter is ever idle.
//
// # Numbers of rows
//
// They are the server's own of the running database, read before and after the
// backup. Where the marker proves that nothing was written between, a restore
// must have exactly them. Else a table the shop wrote to may differ by what
// moved meanwhile and a little more; see near. That the pages are whole is
// proved by the checksums and DBCC CHECKDB.
//
// # Rights
//
// The user needs db_backupoperator and VIEW DEFINITION in the database, and
// CREATE ANY DATABASE: since SQL Server 2008 nobody else may look into a backup,
// not even with RESTORE VERIFYONLY, and no backup goes unlooked at. The same
// right lets rehearsals restore into a database of their own. VIEW SERVER STATE
// is for the marker, for telling which programs have the database open, and for
// the name of the server's account. See [Connector.Rights].
//
// A backup leaves a line in msdb's history and one in the server's log, as any
// backup does; sp_delete_backuphistory tidies the first.
//
// # Restore
//
// A database is restored beside, as "<name>_kvart_new" with files of its own,
// checked there, and exchanged by renaming. See [Connector.Apply]. A database
// that is suspect or offline can't be backed up, so it can't be saved first and
// is not replaced: it can be restored under a new name. Single
// tables can't be restored in place: restore the database under a new name,
// and copy the rows over with INSERT … SELECT.
package sqlserver

import (
	"context"
	"log/slog"
	"net"
	"sync"
	"time"

	"kvart/app"
)

// Kind is the kind of source this package reads.
const Kind app.Kind = "sqlserver"

// Connector reads SQL Server databases. It is safe for concurrent use.
type Connector struct {
	log *slog.Logger

	patience time.Duration // how long exchanging databases may wait for the shop
	settle   time.Duration // how long the server may take to count a transaction that is done
	appear   time.Duration // how long a file the server wrote may take to be seen here
	// dial reaches servers and the SQL Browser; nil but for tests.
	dial dialer

	mu     sync.Mutex
	live   map[string]bool        // staged files that are in use
	proven map[string][]app.Check // about the database restored last, by its tag
}

// dialer is the driver's own interface for reaching a server.
type dialer interface {
	DialContext(ctx context.Context, network, addr string) (net.Conn, error)
}

var (
	_ app.Connector = (*Connector)(nil)
	_ app.Restorer  = (*Connector)(nil)
	_ app.Rehearser = (*Connector)(nil)
	_ app.Granter   = (*Connector)(nil)
)

// New returns a connector.
func New(log *slog.Logger) *Connector {
	return &Connector{log: log, patience: 20 * time.Second, settle: 250 * time.Millisecond, appear: 15 * time.Second, live: map[string]bool{}}
}

// Spec implements [app.Connector].
func (c *Connector) Spec() app.KindSpec {
	return app.KindSpec{Kind: Kind, Order: 1, Database: true, Users: true, Fields: []app.Field{
		{Key: fieldHost, Type: app.FieldText, Default: "127.0.0.1"},
		{Key: fieldInstance, Type: app.FieldText},
		{Key: fieldDatabase, Type: app.FieldText, Required: true},
		{Key: fieldUser, Type: app.FieldText},
		{Key: fieldPassword, Type: app.FieldSecret},
		{Key: fieldTrusted, Type: app.FieldSwitch},
		{Key: fieldFolder, Type: app.FieldFolder, Required: true},
		{Key: fieldServerFolder, Type: app.FieldText, Advanced: true},
		{Key: fieldPort, Type: app.FieldNumber, Advanced: true},
		{Key: fieldTLS, Type: app.FieldChoice, Default: tlsPrefer, Choices: []string{tlsPrefer, tlsRequire, tlsVerify, tlsOff}, Advanced: true},
		{Key: fieldCA, Type: app.FieldFile, Advanced: true},
	}}
}

// warn logs what went wrong where nothing can be done about it any more.
func (c *Connector) warn(msg string, err error) {
	if err != nil {
		c.log.Warn("Database server not left cleanly", "connector", string(Kind), "step", msg, "error", err)
	}
}
