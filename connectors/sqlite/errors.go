package sqlite

import (
	"context"
	"errors"

	"github.com/mattn/go-sqlite3"

	"kvart/app"
	"kvart/connectors/internal/volume"
)

// codeOf turns what SQLite or the file system said about file into an
// [app.Error]. It returns nil for nil.
func codeOf(ctx context.Context, op, file string, err error) error {
	var known *app.Error
	var se sqlite3.Error
	switch {
	case err == nil || errors.As(err, &known):
		return err
	case ctx.Err() != nil || errors.Is(err, context.Canceled):
		return &app.Error{Code: app.CodeCanceled, Op: op, Err: err}
	case errors.As(err, &se):
		return (&app.Error{Code: sqliteCode(se), Op: op, Err: err}).With("path", file)
	}
	return volume.Error(op, file, err)
}

func sqliteCode(se sqlite3.Error) app.Code {
	switch se.Code {
	case sqlite3.ErrBusy, sqlite3.ErrLocked:
		return app.CodeSourceLocked
	// The first page's magic was right when SQLite says "not a database".
	case sqlite3.ErrCorrupt, sqlite3.ErrNotADB, sqlite3.ErrFormat:
		return app.CodeSourceDamaged
	case sqlite3.ErrIoErr:
		if volume.Gone(se.SystemErrno) {
			return app.CodeSourceShareGone
		}
		return app.CodeSourceUnreadable
	case sqlite3.ErrCantOpen, sqlite3.ErrPerm, sqlite3.ErrAuth, sqlite3.ErrReadonly:
		return app.CodeSourceUnreadable
	}
	return app.CodeInternal
}

func locked(err error) bool {
	var se sqlite3.Error
	return errors.As(err, &se) && (se.Code == sqlite3.ErrBusy || se.Code == sqlite3.ErrLocked)
}

// damaged reports whether SQLite found the database's pages to be wrong.
func damaged(err error) bool {
	var se sqlite3.Error
	return errors.As(err, &se) && sqliteCode(se) == app.CodeSourceDamaged
}

// needsRollback reports whether a program died in the middle of a commit and
// the next one to write has to roll it back, which who only reads can't.
func needsRollback(err error) bool {
	var se sqlite3.Error
	return errors.As(err, &se) && se.ExtendedCode == sqlite3.ErrReadonlyRollback
}
