package mysql

import (
	"bufio"
	"crypto/aes"
	"crypto/cipher"
	"crypto/rand"
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"time"
)

const (
	spoolPrefix = "kvart-mysql-"
	// leftoverAge is when a spool is taken for one that a crash left.
	leftoverAge = 24 * time.Hour
)

// spool keeps a dump in temporary files until it is captured. They are
// encrypted with a key that only lives in memory: what a crash leaves of a
// shop's customers can be read by nobody.
type spool struct {
	dir   string
	block cipher.Block
	files []spooled
}

// spooled is one file of the spool.
type spooled struct {
	path string // in the point
	file string
	size int64
	salt uint64
}

// newSpool makes a spool below dir, and removes those that crashes left there.
func newSpool(dir string) (*spool, error) {
	sweep(dir)
	key := make([]byte, 32)
	if _, err := rand.Read(key); err != nil {
		return nil, fmt.Errorf("draw a key: %w", err)
	}
	block, err := aes.NewCipher(key)
	if err != nil {
		return nil, fmt.Errorf("make a cipher: %w", err)
	}
	dir, err = os.MkdirTemp(dir, spoolPrefix)
	if err != nil {
		return nil, fmt.Errorf("make room for a dump: %w", err)
	}
	return &spool{dir: dir, block: block}, nil
}

// sweep removes old spools as far as it may. What can't be removed is another
// user's, or goes the next time.
func sweep(dir string) {
	list, err := filepath.Glob(filepath.Join(dir, spoolPrefix+"*"))
	if err != nil {
		return // dir has brackets in its name
	}
	// A program's option file, with the password, lies in a folder of its own.
	files, err := filepath.Glob(filepath.Join(dir, "kvart-*", clientFile))
	if err != nil {
		return
	}
	for _, f := range files {
		list = append(list, filepath.Dir(f))
	}
	for _, old := range list {
		fi, err := os.Lstat(old)
		if err == nil && fi.IsDir() && time.Since(fi.ModTime()) > leftoverAge {
			_ = os.RemoveAll(old)
		}
	}
}

func (s *spool) stream(salt uint64) cipher.Stream {
	iv := make([]byte, aes.BlockSize)
	binary.BigEndian.PutUint64(iv, salt) // no two files have the same
	return cipher.NewCTR(s.block, iv)
}

// create adds a file. It must be closed before the next is added.
func (s *spool) create(path string) (io.WriteCloser, error) {
	salt := uint64(len(s.files))
	one := spooled{path: path, file: filepath.Join(s.dir, strconv.FormatUint(salt, 10)), salt: salt}
	f, err := os.OpenFile(one.file, os.O_WRONLY|os.O_CREATE|os.O_EXCL, 0o600)
	if err != nil {
		return nil, fmt.Errorf("spool %s: %w", path, err)
	}
	s.files = append(s.files, one)
	w := &cipher.StreamWriter{S: s.stream(salt), W: f}
	return &spoolWriter{b: bufio.NewWriterSize(w, 256<<10), f: f, to: &s.files[salt].size}, nil
}

// put adds a file with the given content.
func (s *spool) put(path string, content []byte) error {
	w, err := s.create(path)
	if err != nil {
		return err
	}
	_, err = w.Write(content)
	return errors.Join(err, w.Close())
}

type spoolWriter struct {
	b  *bufio.Writer
	f  *os.File
	n  int64
	to *int64
}

func (w *spoolWriter) Write(b []byte) (int, error) {
	n, err := w.b.Write(b)
	w.n += int64(n)
	return n, err
}

func (w *spoolWriter) Close() error {
	*w.to = w.n
	return errors.Join(w.b.Flush(), w.f.Close())
}

// open opens a file for reading. It keeps the spool from looking forgotten.
func (s *spool) open(one spooled) (io.ReadCloser, error) {
	now := time.Now()
	if err := os.Chtimes(s.dir, now, now); err != nil {
		return nil, fmt.Errorf("spool: %w", err)
	}
	f, err := os.Open(one.file)
	if err != nil {
		return nil, fmt.Errorf("spool: %w", err)
	}
	return &spoolReader{Reader: cipher.StreamReader{S: s.stream(one.salt), R: f}, f: f}, nil
}

type spoolReader struct {
	io.Reader
	f      *os.File
	closed bool
}

func (r *spoolReader) Close() error {
	if r.closed {
		return nil
	}
	r.closed = true
	return r.f.Close()
}

// bytes counts what the spool holds.
func (s *spool) bytes() (n int64) {
	for _, f := range s.files {
		n += f.size
	}
	return n
}

// Close removes the spool. It may be called twice.
func (s *spool) Close() error { return os.RemoveAll(s.dir) }

// Names of what a point holds.
const (
	fileDatabase  = "00-database.sql"
	fileRoutines  = "routines.sql"
	fileSequences = "sequences.sql"
	tablesDir     = "tables"
	fileTriggers  = "triggers.sql"
	fileViews     = "views.sql"
	fileEvents    = "z-events.sql"
	fileEnd       = "zz-end.sql"
)

// tableFile is the path of a table in a point; tableName is its inverse. What
// some system's file names can't hold is written as "%2F".
func tableFile(table string) string {
	var b strings.Builder
	for i := range len(table) {
		ch := table[i]
		if ch < 0x20 || strings.IndexByte(`%/\:*?"<>|`, ch) >= 0 {
			fmt.Fprintf(&b, "%%%02X", ch)
			continue
		}
		b.WriteByte(ch)
	}
	return tablesDir + "/" + b.String() + ".sql"
}

// tableName returns "" for what is no table's file.
func tableName(path string) string {
	name, ok := strings.CutPrefix(path, tablesDir+"/")
	if !ok {
		return ""
	}
	if name, ok = strings.CutSuffix(name, ".sql"); !ok || strings.Contains(name, "/") {
		return ""
	}
	var b strings.Builder
	for i := 0; i < len(name); i++ {
		if name[i] == '%' && i+2 < len(name) {
			if n, err := strconv.ParseUint(name[i+1:i+3], 16, 8); err == nil {
				b.WriteByte(byte(n))
				i += 2
				continue
			}
		}
		b.WriteByte(name[i])
	}
	return b.String()
}
