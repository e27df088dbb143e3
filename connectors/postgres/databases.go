package postgres

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"time"

	"github.com/jackc/pgx/v5"

	"kvart/app"
)

// create makes an empty database like the one a point is of. Where the server
// does not know its way of sorting, which is named otherwise on every system,
// the server's own is taken, and note says so.
func create(ctx context.Context, admin *pgx.Conn, name string, like info) (note string, err error) {
	base := "CREATE DATABASE " + ident(name) + " TEMPLATE template0 ENCODING " + literal(like.Encoding)
	same := " LC_COLLATE " + literal(like.Collate) + " LC_CTYPE " + literal(like.CType)
	server, _ := major(admin)
	switch {
	case like.Provider == "i" && server >= 15:
		same += " LOCALE_PROVIDER icu ICU_LOCALE " + literal(like.Locale)
	case like.Provider == "b" && server >= 17:
		same += " LOCALE_PROVIDER builtin BUILTIN_LOCALE " + literal(like.Locale)
	case server >= 15:
		same += " LOCALE_PROVIDER libc"
	}
	for _, try := range []string{same, "", " LC_COLLATE 'C' LC_CTYPE 'C'"} {
		err := perform(ctx, admin, base+try)
		if err == nil {
			return note, nil
		}
		switch sqlState(err) {
		case "22023", "42809", "0A000", "58P01":
			note = fmt.Sprintf("sorted as this server does, not by %s: %v", like.Collate, err)
		default:
			return "", err
		}
	}
	return "", app.Errorf(app.CodeSourceUnreadable, "postgres: create database", "%s", note)
}

// terminate ends every connection to a database.
func terminate(ctx context.Context, admin *pgx.Conn, name string) error {
	return perform(ctx, admin, "SELECT pg_catalog.pg_terminate_backend(pid) FROM pg_catalog.pg_stat_activity WHERE pid <> pg_catalog.pg_backend_pid() AND datname = "+literal(name))
}

// drop removes a database, if it is there, with the connections it has.
func drop(ctx context.Context, admin *pgx.Conn, name string) error {
	var err error
	for range 5 {
		there, err2 := one[bool](ctx, admin, "SELECT true FROM pg_catalog.pg_database WHERE datname = "+literal(name))
		if err2 != nil || !there {
			return err2
		}
		ended := terminate(ctx, admin, name)
		// The server itself waits a few seconds for those that are ending.
		if err = perform(ctx, admin, "DROP DATABASE "+ident(name)); err == nil {
			return nil
		}
		if sqlState(err) != "55006" {
			return err
		}
		if ended != nil {
			return errors.Join(err, ended)
		}
	}
	return err
}

// rename renames databases, all or none: it is one transaction. A rename
// locks new connections out at once and waits a few seconds for those that are
// open, which another session ends meanwhile.
func (l *link) rename(ctx context.Context, moves ...[2]string) (err error) {
	admin, err := l.maintain(ctx)
	if err != nil {
		return err
	}
	defer l.let(ctx, admin)
	other, err := l.maintain(ctx)
	if err != nil {
		return err
	}
	defer l.let(ctx, other)
	var ended error
	var work sync.WaitGroup
	stop, cancel := context.WithCancel(ctx)
	work.Go(func() {
		for stop.Err() == nil && ended == nil {
			for _, m := range moves {
				ended = errors.Join(ended, terminate(context.WithoutCancel(stop), other, m[0]))
			}
			select {
			case <-stop.Done():
			case <-time.After(100 * time.Millisecond):
			}
		}
	})
	defer func() {
		cancel()
		work.Wait()
		if err != nil && ended != nil {
			err = errors.Join(err, fmt.Errorf("end connections: %w", ended))
		}
	}()
	for range 5 {
		if err = renameOnce(ctx, admin, moves); err == nil || sqlState(err) != "55006" {
			return err
		}
	}
	return err
}

func renameOnce(ctx context.Context, admin *pgx.Conn, moves [][2]string) error {
	sql := "BEGIN;"
	for _, m := range moves {
		sql += " ALTER DATABASE " + ident(m[0]) + " RENAME TO " + ident(m[1]) + ";"
	}
	if err := perform(ctx, admin, sql+" COMMIT"); err != nil {
		return errors.Join(err, perform(ctx, admin, "ROLLBACK"))
	}
	return nil
}

// rights are what the user may do with the databases of a server.
type rights struct {
	create bool  // databases
	exists bool  // the database in question
	owns   bool  // it
	queued int64 // prepared transactions, which keep it from being renamed
}

func readRights(ctx context.Context, conn *pgx.Conn, database string) (r rights, err error) {
	err = conn.QueryRow(ctx, `
SELECT COALESCE((SELECT rolcreatedb OR rolsuper FROM pg_catalog.pg_roles WHERE rolname = current_user), false),
  EXISTS (SELECT FROM pg_catalog.pg_database WHERE datname = `+literal(database)+`),
  COALESCE((SELECT pg_catalog.pg_has_role(datdba, 'USAGE') FROM pg_catalog.pg_database WHERE datname = `+literal(database)+`), false),
  (SELECT count(*) FROM pg_catalog.pg_prepared_xacts WHERE database = `+literal(database)+`)`).
		Scan(&r.create, &r.exists, &r.owns, &r.queued)
	return r, err
}
