package rest

import (
	"errors"
	"io/fs"
	"path/filepath"

	"github.com/mattn/go-sqlite3"

	"kvart/app"
	"kvart/connectors/internal/volume"
)

// Full reports whether an error is that a disk of this computer is full.
func Full(err error) bool {
	if err == nil {
		return false
	}
	var db sqlite3.Error
	if errors.As(err, &db) && (db.Code == sqlite3.ErrFull || db.SystemErrno != 0 && Full(db.SystemErrno)) {
		return true
	}
	return app.CodeOf(volume.TargetError("", "", err)) == app.CodeTargetFull
}

// noRoom is a disk of this computer that is full, named where it is known.
func noRoom(err error) *app.Error {
	e := &app.Error{Code: app.CodeTempFull, Op: "shop", Err: err}
	var at *fs.PathError
	if errors.As(err, &at) {
		e = e.With("path", filepath.Dir(at.Path))
	}
	return e
}
