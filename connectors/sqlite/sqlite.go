// Package sqlite protects a SQLite database file, such as a till's, while the
// program that owns it goes on writing. It captures the file as it is, page by
// page, so that a point of it is a database any SQLite opens; it browses and
// compares tables; and it puts a database back without ever leaving half of it
// or a foreign journal behind. It knows no vault and no other connector.
//
// # Databases under encryption
//
// A database that its program keeps encrypted (SQLCipher and the like) is
// captured only when the setting "encrypted" says that it is meant to be: one
// that was readable and is not any more fails with source_encrypted, since that
// is what blackmail looks like. Nothing in it can be read and no log be moved
// into it, so the file and its journals are copied as they lie, as one moment
// ([still]), and put back together. A drill compares them byte by byte, and says
// that it could not look inside.
//
// # Several databases in one
//
// A program may attach databases to another and write across them. Those named
// in the setting "with" are captured as of one moment with the first
// ([Connector.copyTogether]) and are in the folder "with" of the point.
//
// # Network shares
//
// In WAL mode a database must not be shared across computers, and opening it
// from a second one ruins it. On a share such a database is never opened where
// it lies: it is copied like an encrypted one, and the log moved into the copy.
// In the other modes its lock is taken as usual, but since a share's locks may
// lie the file is looked at anew after the last byte, and must not have moved.
package sqlite

import (
	"context"
	"fmt"
	"log/slog"
	"os"
	"path/filepath"
	"runtime"
	"strconv"
	"time"

	"kvart/app"
	"kvart/connectors/internal/rawfile"
	"kvart/connectors/internal/volume"
)

// Kind is the kind of source this package reads.
const Kind app.Kind = "sqlite"

// Fields of the settings.
const (
	fieldPath      = "path"
	fieldWith      = "with"
	fieldEncrypted = "encrypted"
)

// detailEncrypted and detailShare are details of a check, "true" where the
// contents can't be looked at, and where the file lies on a network share.
const (
	detailJournal   = "journal"
	detailTables    = "tables"
	detailEncrypted = "encrypted"
	detailShare     = "share"
	detailWith      = "with" // how many more databases
)

// Connector reads SQLite databases. It is safe for concurrent use.
type Connector struct {
	log   *slog.Logger
	files *rawfile.Keeper

	// Roots are the folders Discover looks in; empty means the usual ones of
	// this computer. Set it before the first use.
	Roots []string

	lockWait   time.Duration // how long a till may hold its lock
	countTime  time.Duration // for counting rows in WAL mode
	countBytes int64         // largest database whose rows are counted under a lock
	tries      int           // to find the WAL fully checkpointed
	stillTries int           // to find files nobody writes
	stillWait  time.Duration // after the first of them; longer after each
	shareWait  time.Duration // until a share shows what others wrote
	remote     func(file string) bool
	heldStay   bool // a file that somebody has open can't be replaced
}

var (
	_ app.Connector  = (*Connector)(nil)
	_ app.Discoverer = (*Connector)(nil)
	_ app.Restorer   = (*Connector)(nil)
	_ app.Browser    = (*Connector)(nil)
	_ app.Differ     = (*Connector)(nil)
)

// New returns a connector. Everything in this process that may open a database
// file shares files.
func New(log *slog.Logger, files *rawfile.Keeper) *Connector {
	return &Connector{
		log: log, files: files,
		lockWait: 10 * time.Second, countTime: 5 * time.Second, countBytes: 64 << 20, tries: 20,
		stillTries: 6, stillWait: 500 * time.Millisecond, shareWait: 4 * time.Second, remote: onShare, heldStay: runtime.GOOS == "windows",
	}
}

// Spec implements [app.Connector].
func (c *Connector) Spec() app.KindSpec {
	return app.KindSpec{Kind: Kind, Order: 1, Fields: []app.Field{
		{Key: fieldPath, Type: app.FieldFile, Required: true},
		{Key: fieldWith, Type: app.FieldLines, Advanced: true},
		{Key: fieldEncrypted, Type: app.FieldSwitch, Advanced: true},
	}}
}

// source returns the path from the settings and where it really lies: a
// symbolic link is followed, since SQLite names its journals after the file
// itself and a restore must replace the file and not the link.
func source(a app.Access) (path, file string, err error) {
	path = a.Source.Settings[fieldPath]
	if path == "" {
		return "", "", app.Errorf(app.CodeUsage, "sqlite: settings", "no path").With("field", fieldPath)
	}
	if path, err = filepath.Abs(path); err != nil {
		return "", "", fmt.Errorf("find %s: %w", path, err)
	}
	return path, followed(path), nil
}

// Check implements [app.Connector]. It reads the first page and the schema,
// and takes care that not even an empty -wal file is left behind.
func (c *Connector) Check(ctx context.Context, a app.Access) (info app.SourceInfo, err error) {
	all, err := members(a)
	if err != nil {
		return info, err
	}
	for i, m := range all {
		one, err := c.checkOne(ctx, a, m)
		if err != nil {
			return app.SourceInfo{}, codeOf(ctx, "sqlite: check", m.file, err)
		}
		if i == 0 {
			info = one
			continue
		}
		info.Bytes += one.Bytes
		info.Files += one.Files
		if one.Changed.After(info.Changed) {
			info.Changed = one.Changed
		}
		info.Details[detailWith] = strconv.Itoa(i)
	}
	return info, c.holdable(a, all)
}

// checkOne looks at one database of a source.
func (c *Connector) checkOne(ctx context.Context, a app.Access, m member) (app.SourceInfo, error) {
	st, err := c.state(m.file)
	if err != nil && !mayEncrypt(a, err) {
		return app.SourceInfo{}, err
	}
	info := app.SourceInfo{Bytes: st.size, Files: 1, Changed: st.changed(), Details: map[string]string{detailJournal: "delete"}}
	if c.remote(m.file) {
		info.Details[detailShare] = "true"
	}
	if st.wal() {
		info.Details[detailJournal] = "wal"
	}
	if st.sealed {
		info.Details[detailEncrypted] = "true"
		return info, nil
	}
	// To open a database in WAL mode on a share could ruin it.
	if st.size == 0 || st.wal() && info.Details[detailShare] != "" {
		return info, nil
	}
	release, err := c.files.Hold(m.file)
	if err != nil {
		return app.SourceInfo{}, err
	}
	defer func() { c.warn("Could not close descriptors", release()) }()
	tables, err := c.readTables(ctx, m.file, st)
	if err != nil && !needsRollback(err) {
		return app.SourceInfo{}, err
	}
	if err == nil {
		info.Details[detailTables] = strconv.Itoa(len(tables))
	}
	return info, nil
}

func (c *Connector) readTables(ctx context.Context, file string, st state) (tables []string, err error) {
	mode := readOnly
	if st.head.wal() && !(st.walSize > 0 && st.hasShm) {
		mode = immutable
	}
	err = c.patiently(ctx, func() error {
		db, err := open(ctx, file, mode)
		if err != nil {
			return err
		}
		tables, err = db.tables(ctx, "main")
		return closing(err, db.Close)
	})
	return tables, err
}

// warn logs what went wrong where nothing can be done about it any more.
func (c *Connector) warn(msg string, err error) {
	if err != nil {
		c.log.Warn("Database not let go cleanly", "connector", string(Kind), "step", msg, "error", err)
	}
}

// absent reports whether nothing at all lies at file; a share that does not
// answer is not absence.
func absent(file string) (bool, error) {
	_, err := os.Lstat(file)
	switch {
	case err == nil:
		return false, nil
	case os.IsNotExist(err):
		if root := volume.Unplugged(file); root != "" {
			return false, app.Errorf(app.CodeSourceShareGone, "sqlite: look", "%s is not there", root).With("path", root)
		}
		return true, nil
	}
	return false, volume.Error("sqlite: look", file, err)
}
