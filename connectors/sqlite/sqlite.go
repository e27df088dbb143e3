// Package sqlite protects a SQLite database file, such as a till's, while the
// program that owns it goes on writing. It captures the file as it is, page by
// page, so that a point of it is a database any SQLite opens; it browses and
// compares tables; and it puts a database back without ever leaving half of it
// or a foreign journal behind. It knows no vault and no other connector.
package sqlite

import (
	"context"
	"fmt"
	"log/slog"
	"os"
	"path/filepath"
	"strconv"
	"time"

	"kvart/app"
	"kvart/connectors/internal/rawfile"
	"kvart/connectors/internal/volume"
)

// Kind is the kind of source this package reads.
const Kind app.Kind = "sqlite"

const fieldPath = "path"

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
	}
}

// Spec implements [app.Connector].
func (c *Connector) Spec() app.KindSpec {
	return app.KindSpec{Kind: Kind, Order: 1, Fields: []app.Field{{Key: fieldPath, Type: app.FieldFile, Required: true}}}
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
	if file, err = filepath.EvalSymlinks(path); err != nil {
		file = path // what is wrong with it shows when it is opened
	}
	return path, file, nil
}

// Check implements [app.Connector]. It reads the first page and the schema,
// and takes care that not even an empty -wal file is left behind.
func (c *Connector) Check(ctx context.Context, a app.Access) (app.SourceInfo, error) {
	const op = "sqlite: check"
	_, file, err := source(a)
	if err != nil {
		return app.SourceInfo{}, err
	}
	st, err := c.state(file)
	if err != nil {
		return app.SourceInfo{}, codeOf(ctx, op, file, err)
	}
	info := app.SourceInfo{Bytes: st.size, Files: 1, Changed: st.changed(), Details: map[string]string{"journal": "delete"}}
	if st.size == 0 {
		return info, nil
	}
	if st.head.wal() {
		info.Details["journal"] = "wal"
	}
	release, err := c.files.Hold(file)
	if err != nil {
		return app.SourceInfo{}, codeOf(ctx, op, file, err)
	}
	defer func() { c.warn("Could not close descriptors", release()) }()
	tables, err := c.readTables(ctx, file, st)
	if err != nil && !needsRollback(err) {
		return app.SourceInfo{}, codeOf(ctx, op, file, err)
	}
	if err == nil {
		info.Details["tables"] = strconv.Itoa(len(tables))
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
