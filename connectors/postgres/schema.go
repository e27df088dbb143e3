package postgres

import (
	"bufio"
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"strings"
	"time"

	"kvart/connectors/internal/tool"
)

// dumpTrailer ends every dump that is whole.
const dumpTrailer = "-- PostgreSQL database dump complete"

// tempPrefix begins the names of folders for the schema's files, which also
// hold the password for a moment.
const tempPrefix = "kvart-postgres-"

// tempAge is older than any capture or restore that is still under way.
const tempAge = 7 * 24 * time.Hour

// tempDir makes a folder only this user can look into, and removes those that
// a guard that was killed has left.
func (c *Connector) tempDir() (string, error) {
	old, err := filepath.Glob(filepath.Join(os.TempDir(), tempPrefix+"*"))
	if err != nil {
		old = nil // of a strange path nothing is left but this
	}
	for _, dir := range old {
		if fi, err := os.Lstat(dir); err == nil && fi.IsDir() && time.Since(fi.ModTime()) > tempAge {
			c.warn("remove old folder", os.RemoveAll(dir))
		}
	}
	dir, err := os.MkdirTemp("", tempPrefix)
	if err != nil {
		return "", fmt.Errorf("make a folder for the schema: %w", err)
	}
	return dir, nil
}

// dump writes what pg_dump says with args into a new file at path.
func (l *link) dump(ctx context.Context, program tool.Program, database, pass, path string, server int, args ...string) (err error) {
	args = append([]string{"--no-password", "--no-sync", "--dbname=" + l.dumpInfo(program, database)}, args...)
	cmd := tool.Command(program.Path, args...)
	cmd.Env = append(cmd.Env, "PGPASSFILE="+pass)
	out, err := tool.Stream(ctx, cmd, tool.EndsWith(dumpTrailer, func(line string) bool {
		return line == "--" || strings.HasPrefix(line, `\unrestrict `)
	}))
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, out.Close()) }()
	f, err := os.OpenFile(path, os.O_WRONLY|os.O_CREATE|os.O_EXCL, 0o600)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, f.Close()) }()
	return clean(f, out, server)
}

// dumpInfo is the connection for pg_dump, which knows the system's own
// authorities only by a name, and not before version 16.
func (l *link) dumpInfo(program tool.Program, database string) string {
	info := l.conninfo(database)
	if l.tls == tlsVerify && l.ca == "" && majorOf(program.Version) >= 16 {
		info = strings.Replace(info, "sslrootcert=''", "sslrootcert='system'", 1)
	}
	return info
}

// clean copies a plain dump without what only psql understands, and without
// what would make two dumps of one schema differ: the \restrict lines of newer
// programs hold a random word and are refused by older ones, and a setting
// that the server does not know would stop the loading. Anything else stays as
// it is: within a function's body such lines are the owner's.
func clean(w io.Writer, r io.Reader, server int) error { //nolint:gocyclo // one case a kind of line
	in := bufio.NewReaderSize(r, 64<<10)
	out := bufio.NewWriter(w)
	head, key := true, ""
	for {
		line, err := in.ReadSlice('\n')
		whole := err == nil
		for err != nil && errors.Is(err, bufio.ErrBufferFull) {
			// A very long line is none of those looked for.
			if _, err := out.Write(line); err != nil {
				return fmt.Errorf("write dump: %w", err)
			}
			line, err = in.ReadSlice('\n')
		}
		drop := false
		if text := strings.TrimRight(string(line), "\r\n"); whole {
			word, isRestrict := strings.CutPrefix(text, `\restrict `)
			switch {
			case head && key == "" && isRestrict:
				key, drop = word, true
			case key != "" && text == `\unrestrict `+key:
				drop = true
			case head && text == "SET transaction_timeout = 0;" && server < 17:
				drop = true
			case head && text != "" && !strings.HasPrefix(text, "--") && !strings.HasPrefix(text, "SET ") && !strings.HasPrefix(text, "SELECT pg_catalog.set_config"):
				head = false
			}
		}
		if !drop {
			if _, err := out.Write(line); err != nil {
				return fmt.Errorf("write dump: %w", err)
			}
		}
		if err != nil && !errors.Is(err, bufio.ErrBufferFull) {
			if errors.Is(err, io.EOF) {
				err = nil
			}
			return errors.Join(err, out.Flush())
		}
	}
}

// header begins every file that this package writes itself, so that psql loads
// it without anything before it.
func header(what, encoding string) string {
	var b bytes.Buffer
	fmt.Fprintf(&b, "--\n-- Kvart: %s\n--\n\n%sSET client_encoding = %s;\n\n", oneLine(what), session, literal(encoding))
	return b.String()
}

// oneLine keeps a name from ending a comment.
func oneLine(s string) string {
	return strings.Map(func(r rune) rune {
		if r < ' ' {
			return ' '
		}
		return r
	}, display(s))
}
