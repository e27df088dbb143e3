package logging

import (
	"errors"
	"fmt"
	"os"
	"strconv"
	"strings"
	"sync"
	"time"
)

// file is a log file that rotates. A write that fails is counted and told in
// the log itself once writing works again; it never stops the program.
type file struct {
	path  string
	limit int64
	count int

	mu      sync.Mutex
	f       *os.File // nil after a failure, until the next write
	size    int64
	closed  bool
	torn    bool  // the last line is not whole
	dropped int64 // in all
	untold  int64 // of them not yet told in the log
}

func (l *file) open() error {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.openLocked()
}

func (l *file) openLocked() error {
	f, err := os.OpenFile(l.path, os.O_WRONLY|os.O_CREATE|os.O_APPEND, 0o600)
	if err != nil {
		return err
	}
	l.f, l.size = f, 0
	if st, err := f.Stat(); err == nil {
		l.size = st.Size()
	}
	return nil
}

func (l *file) write(line string) {
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.closed {
		return
	}
	if err := l.writeLocked(line); err != nil {
		l.dropped++
		l.untold++
		return
	}
	if l.untold == 0 {
		return
	}
	if l.writeLocked(lostLine(l.untold)) == nil {
		l.untold = 0
	}
}

// lostLine is a record like the handler's.
func lostLine(n int64) string {
	return fmt.Sprintf(`{"time":%q,"level":"WARN","msg":"The log could not be written for a while","lost":%d}`+"\n",
		time.Now().Format(time.RFC3339Nano), n)
}

// writeLocked writes one line, into a new file when this one is full.
func (l *file) writeLocked(line string) error {
	if l.f != nil && l.size > 0 && l.size+int64(len(line)) > l.limit {
		l.rotateLocked()
	}
	if l.f == nil {
		if err := l.openLocked(); err != nil {
			return err
		}
	}
	if l.torn {
		line = "\n" + line
	}
	n, err := l.f.WriteString(line)
	l.size += int64(n)
	if err == nil {
		l.torn = false
		return nil
	}
	l.torn = l.torn && n == 0 || n > 0
	err = errors.Join(err, l.f.Close())
	l.f = nil // opened anew by the next line: the disk may have come back
	return err
}

// rotateLocked moves every file one on and drops the oldest. Where a file
// can't be moved, the log goes on in the one it has for as long again.
func (l *file) rotateLocked() {
	err := l.f.Close()
	l.f = nil
	for i := l.count - 1; i > 0; i-- {
		if e := os.Rename(l.numbered(i-1), l.numbered(i)); e != nil && !errors.Is(e, os.ErrNotExist) {
			err = errors.Join(err, e)
		}
	}
	if e := l.openLocked(); e != nil {
		return // the caller tries again and counts
	}
	if err != nil {
		l.size = 0
	}
}

func (l *file) numbered(i int) string {
	if i == 0 {
		return l.path
	}
	return l.path + "." + strconv.Itoa(i)
}

func (l *file) lost() int64 {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.dropped
}

func (l *file) close() error {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.closed = true
	if l.f == nil {
		return nil
	}
	f := l.f
	l.f = nil
	if err := f.Close(); err != nil {
		return fmt.Errorf("close %s: %w", l.path, err)
	}
	return nil
}

// ring keeps the last lines.
type ring struct {
	mu   sync.Mutex
	buf  []string
	next int
	full bool
}

// longLine is where a line is cut in memory, so that a thousand of them stay
// small.
const longLine = 4096

func newRing(n int) *ring { return &ring{buf: make([]string, n)} }

func (r *ring) add(line string) {
	line = strings.TrimSuffix(line, "\n")
	if len(line) > longLine {
		line = strings.ToValidUTF8(line[:longLine], "") + "…"
	}
	r.mu.Lock()
	defer r.mu.Unlock()
	r.buf[r.next] = line
	r.next = (r.next + 1) % len(r.buf)
	r.full = r.full || r.next == 0
}

func (r *ring) lines() []string {
	r.mu.Lock()
	defer r.mu.Unlock()
	if !r.full {
		return append([]string(nil), r.buf[:r.next]...)
	}
	return append(append([]string(nil), r.buf[r.next:]...), r.buf[:r.next]...)
}
