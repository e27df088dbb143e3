// Package webhotel protects a web site: its files on a web hotel, over SFTP or
// FTPS, and the database behind it. It knows no vault and no other connector:
// whoever builds it hands it one that reads the database.
//
// # Layout of a point
//
//	files/…      the site's files, as they lie below the settings' path
//	database/…   the database, laid out as its own connector does
//
// The database is read first and the files after it. What a row names, a
// picture or an invoice, was there before the row, so it is among the files. A
// file that the shop deletes in between is missing while its row is in the
// database: such a file the shop had given up, and the next point has neither.
//
// # What travels
//
// Every capture lists the whole site, and reads only what the vault asks for:
// files whose size, time or mode is not the last point's. No time is trusted
// further than it goes: SFTP and MLSD tell seconds, LIST minutes, and for files
// older than half a year days. A file written so lately that it could change
// again and look the same is listed with a time some nanoseconds off, so that
// the next capture, which finds it settled, reads it again. LIST speaks of the
// server's own time zone. How far that is from ours is found by asking for one
// file's exact time; where a server can't tell it, everything from the last 26
// hours counts as unsettled. Times of LIST are kept as the server shows them,
// since converting them would move them all when summer time begins. When a
// file becomes half a year old, its time in LIST turns into a day, and it is
// read once more.
//
// # The marker: when nothing is captured because nothing moved
//
// The marker is a hash of the whole listing (names, sizes, times, modes, links)
// and the database's own marker; a capture is idle when neither moved. Blind
// spots: a file that was rewritten with its old size and its old time, which
// intruders do on purpose; what is left out by the settings; owners, access
// lists and other attributes that the protocols don't show.
//
// Asked whether anything moved, a capture reads no database and, where that has
// moved, lists no files: both are done when the first item is asked for.
//
// # Comparing
//
// Of two states of a site, files of one size and one time are taken for the
// same, of one size and two times they are read. The database's own connector
// compares the database.
//
// # What is not followed
//
// A symbolic link is kept as a link and never followed, so nothing outside the
// site's folder is read and no circle is walked. Some FTP servers hide that a
// folder is a link; a folder that turns up again below itself is told and left.
//
// # Restore
//
// The database comes first, since that is what can fail before anything was
// changed. A file is written beside its place, under a name that web servers
// don't hand out, and renamed there. While a WordPress site is written to, it
// answers that it is under maintenance.
package webhotel

import (
	"log/slog"
	"sync"
	"time"

	"kvart/app"
	"kvart/connectors/internal/tunnel"
)

// Kind is the kind of source this package reads.
const Kind app.Kind = "webhotel"

// Database reads and restores the site's database: the mysql connector.
type Database interface {
	app.Connector
	app.Restorer
	app.Rehearser
}

// Connector reads web sites. It is safe for concurrent use.
type Connector struct {
	log *slog.Logger
	db  Database

	pace pace
	// step is told where a restore has come to, by name; an error ends it as a
	// kill would, with nothing cleaned up. nil but for tests.
	step func(name string) error

	mu sync.Mutex
	// known are the log-ins to databases that a point told of, for sites whose
	// own configuration is gone.
	known map[app.SourceID]login
}

// pace is how patient a connector is.
type pace struct {
	lost []time.Duration // waits after a connection broke
	busy []time.Duration // waits after a server asked to come back later
	many int             // connections or requests at once
}

var (
	_ app.Connector = (*Connector)(nil)
	_ app.Restorer  = (*Connector)(nil)
	_ app.Rehearser = (*Connector)(nil)
)

// New returns a connector that has sites' databases read by db.
func New(log *slog.Logger, db Database) *Connector {
	return &Connector{log: log, db: db, known: map[app.SourceID]login{}, pace: pace{
		lost: []time.Duration{500 * time.Millisecond, 2 * time.Second, 5 * time.Second},
		busy: []time.Duration{2 * time.Second, 4 * time.Second, 8 * time.Second, 15 * time.Second, 30 * time.Second},
	}}
}

// defaultExclude is left out unless the owner says otherwise: what a site makes
// anew by itself.
const defaultExclude = "/wp-content/cache/\n/wp-content/upgrade/\n/wp-content/upgrade-temp-backup/\n/wp-content/wflogs/\n/var/cache/\n.cache/"

// Spec implements [app.Connector].
func (c *Connector) Spec() app.KindSpec {
	fields := []app.Field{
		{Key: fieldProtocol, Type: app.FieldChoice, Default: protoSFTP, Choices: []string{protoSFTP, protoFTPS, protoFTP}},
		{Key: fieldHost, Type: app.FieldText, Required: true},
		{Key: fieldUser, Type: app.FieldText, Required: true},
		{Key: fieldPassword, Type: app.FieldSecret},
		{Key: fieldPath, Type: app.FieldText, Required: true},
		{Key: fieldExclude, Type: app.FieldLines, Default: defaultExclude, Advanced: true},
		{Key: fieldDB, Type: app.FieldChoice, Default: dbManual, Choices: []string{dbManual, dbAuto}},
		{Key: fieldDBName, Type: app.FieldText},
		{Key: fieldDBUser, Type: app.FieldText},
		{Key: fieldDBPassword, Type: app.FieldSecret},
		{Key: fieldDBHost, Type: app.FieldText, Advanced: true},
		{Key: fieldDBPort, Type: app.FieldNumber, Advanced: true},
		{Key: fieldDBReach, Type: app.FieldChoice, Default: reachTunnel, Choices: []string{reachTunnel, reachDirect}, Advanced: true},
		{Key: fieldPort, Type: app.FieldNumber, Advanced: true},
		{Key: fieldKey, Type: app.FieldSecret, Multiline: true, Advanced: true},
		{Key: fieldKeyPassphrase, Type: app.FieldSecret, Advanced: true},
		{Key: fieldHostKey, Type: app.FieldText, Advanced: true},
		{Key: fieldTLS, Type: app.FieldChoice, Default: tlsExplicit, Choices: []string{tlsExplicit, tlsImplicit}, Advanced: true},
		{Key: fieldCA, Type: app.FieldFile, Advanced: true},
		{Key: fieldCertificate, Type: app.FieldText, Advanced: true},
		{Key: fieldPlain, Type: app.FieldSwitch, Advanced: true},
	}
	return app.KindSpec{Kind: Kind, Order: 1, Database: true, Fields: append(fields, tunnel.Fields()...)}
}

// reached tells the test that the restore came to a step.
func (c *Connector) reached(name string) error {
	if c.step == nil {
		return nil
	}
	return c.step(name)
}
