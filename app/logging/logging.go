// Package logging writes what Kvart does to a log that can be handed to
// somebody else: it rotates, survives a full disk and holds no secrets. It
// knows nothing of what is logged.
package logging

import (
	"errors"
	"fmt"
	"io"
	"io/fs"
	"log/slog"
	"os"
	"path/filepath"
	"runtime/debug"
	"syscall"

	"kvart/app"
)

// Names of the files in the log's folder. Older logs are kvart.log.1 (newest)
// to kvart.log.4, the crash before the last start is crash.log.1.
const (
	FileName  = "kvart.log"
	CrashName = "crash.log"
)

const (
	fileLimit   = 5 << 20 // bytes of one log file
	fileCount   = 5       // log files kept, with the one in use
	recentCount = 1000    // records in memory
)

// Log is a log in use. It is safe for concurrent use.
type Log struct {
	logger *slog.Logger
	hidden *redactor
	file   *file
	recent *ring
}

// Open starts a log in dir, which it makes when it is not there. Records below
// level are not kept. stderr gets them too, made for reading, unless it is nil.
// What the program prints when it crashes goes to a file beside the log; that
// is a setting of the whole process, so there is one Log per process.
func Open(dir string, level slog.Level, stderr io.Writer) (*Log, error) {
	if err := os.MkdirAll(dir, 0o700); err != nil {
		return nil, openError(dir, err)
	}
	l := &Log{hidden: newRedactor(), recent: newRing(recentCount)}
	l.file = &file{path: filepath.Join(dir, FileName), limit: fileLimit, count: fileCount}
	if err := l.file.open(); err != nil {
		return nil, openError(dir, err)
	}
	opts := &slog.HandlerOptions{Level: level, ReplaceAttr: replaceAttr}
	handlers := []slog.Handler{slog.NewJSONHandler(sink(func(line string) {
		l.recent.add(line)
		l.file.write(line)
	}, l.hidden), opts)}
	if stderr != nil {
		handlers = append(handlers, slog.NewTextHandler(sink(func(line string) {
			// Nobody may be listening, and there is no other place to say so.
			_, _ = io.WriteString(stderr, line)
		}, l.hidden), &slog.HandlerOptions{Level: level, ReplaceAttr: shortTime}))
	}
	l.logger = slog.New(slog.NewMultiHandler(handlers...))
	l.catchCrash(filepath.Join(dir, CrashName))
	return l, nil
}

// openError tells a folder that cannot be written to from other failures.
func openError(dir string, err error) error {
	if errors.Is(err, fs.ErrPermission) || errors.Is(err, syscall.EROFS) {
		return app.Errorf(app.CodeHomeReadOnly, "open log", "%w", err).With("path", dir)
	}
	return fmt.Errorf("open log: %w", err)
}

// catchCrash makes the process write its last words to path. The log goes on
// without when that can't be done.
func (l *Log) catchCrash(path string) {
	if st, err := os.Stat(path); err == nil && st.Size() > 0 {
		l.logger.Warn("Kvart crashed the last time it ran", "file", path+".1")
		if err := os.Rename(path, path+".1"); err != nil {
			l.logger.Warn("The crash report could not be set aside", "error", err)
		}
	}
	f, err := os.OpenFile(path, os.O_WRONLY|os.O_CREATE|os.O_APPEND, 0o600)
	if err != nil {
		l.logger.Warn("Crashes will not be recorded", "error", err)
		return
	}
	if err := errors.Join(debug.SetCrashOutput(f, debug.CrashOptions{}), f.Close()); err != nil {
		l.logger.Warn("Crashes will not be recorded", "error", err)
	}
}

// Logger returns the logger to hand around.
func (l *Log) Logger() *slog.Logger { return l.logger }

// Recent returns the last records as lines of JSON, oldest first.
func (l *Log) Recent() []string {
	lines := l.recent.lines()
	for i := range lines {
		lines[i] = l.hidden.clean(lines[i]) // by what was hidden since
	}
	return lines
}

// Hide keeps a value out of the log from now on, wherever it turns up and
// however it is quoted. Values of fewer than four bytes are not hidden: they
// are parts of ordinary words.
func (l *Log) Hide(secret string) { l.hidden.hide(secret) }

// Dropped returns how many records could not be written to the file.
func (l *Log) Dropped() int64 { return l.file.lost() }

// Close ends the log. What is logged later is only kept in memory and dropped
// from the file.
func (l *Log) Close() error {
	if err := errors.Join(debug.SetCrashOutput(nil, debug.CrashOptions{}), l.file.close()); err != nil {
		return fmt.Errorf("close log: %w", err)
	}
	return nil
}

// shortTime is replaceAttr for somebody who reads along.
func shortTime(groups []string, a slog.Attr) slog.Attr {
	if len(groups) == 0 && a.Key == slog.TimeKey && a.Value.Kind() == slog.KindTime {
		return slog.String(slog.TimeKey, a.Value.Time().Format("15:04:05"))
	}
	return replaceAttr(groups, a)
}

// sink is a writer for handlers, which write each record in one call.
func sink(line func(string), hidden *redactor) io.Writer { return lineWriter{line, hidden} }

type lineWriter struct {
	line   func(string)
	hidden *redactor
}

func (w lineWriter) Write(p []byte) (int, error) {
	w.line(w.hidden.clean(string(p)))
	return len(p), nil
}
