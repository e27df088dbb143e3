package postgres

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"io/fs"
	"slices"
	"strings"

	"github.com/jackc/pgx/v5"

	"kvart/app"
)

// A mark is a first line in a database's comment by which a restore knows,
// after it was killed, what it made itself: "kvart <what it restores>". What
// the comment was before follows. It is set only once everything is loaded and
// checked.
const markWord = "kvart "

// cutMark divides a comment into a mark, "" for none, and the owner's own.
func cutMark(comment string) (mark, own string) {
	first, rest, _ := strings.Cut(comment, "\n")
	if word, ok := strings.CutPrefix(first, markWord); ok && len(word) == markLen {
		return word, rest
	}
	return "", comment
}

const markLen = 32

// markOf tells one restore from every other. The point's description holds a
// word that no other point has.
func markOf(r app.Restore) (string, error) {
	h := sha256.New()
	raw, err := fs.ReadFile(r.From, fileInfo)
	if err != nil {
		return "", app.Errorf(app.CodePathUnknown, "postgres: restore", "find %s in the point: %w", fileInfo, err).With("path", fileInfo)
	}
	paths := slices.Sorted(slices.Values(r.Paths))
	fmt.Fprintf(h, "%s\n%q\n%q", raw, paths, r.Target)
	return hex.EncodeToString(h.Sum(nil))[:markLen], nil
}

// comment reads a database's comment from any database of the server.
func comment(ctx context.Context, conn *pgx.Conn, database string) (string, error) {
	return one[string](ctx, conn, "SELECT COALESCE(pg_catalog.shobj_description(oid, 'pg_database'), '') FROM pg_catalog.pg_database WHERE datname = "+literal(database))
}

func setComment(ctx context.Context, conn *pgx.Conn, database, text string) error {
	word := literal(text)
	if text == "" {
		word = "NULL"
	}
	return perform(ctx, conn, "COMMENT ON DATABASE "+ident(database)+" IS "+word)
}

// marked returns the mark of a database; exists is false when there is none of
// that name.
func marked(ctx context.Context, conn *pgx.Conn, database string) (mark string, exists bool, err error) {
	if exists, err = one[bool](ctx, conn, "SELECT true FROM pg_catalog.pg_database WHERE datname = "+literal(database)); err != nil || !exists {
		return "", exists, err
	}
	text, err := comment(ctx, conn, database)
	mark, _ = cutMark(text)
	return mark, true, err
}

// mark sets a database's mark before its comment; "" takes it away.
func mark(ctx context.Context, conn *pgx.Conn, database, word string) error {
	text, err := comment(ctx, conn, database)
	if err != nil {
		return err
	}
	old, own := cutMark(text)
	if old == word {
		return nil
	}
	if word != "" {
		own = markWord + word + "\n" + own
	}
	return setComment(ctx, conn, database, own)
}
