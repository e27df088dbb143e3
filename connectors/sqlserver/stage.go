package sqlserver

import (
	"context"
	"crypto/rand"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"regexp"
	"runtime"
	"strings"
	"time"

	"kvart/app"
	"kvart/connectors/internal/volume"
)

// stagePrefix begins the name of every file in the folder. After it comes a
// mark of the source, by which the next run finds what a killed one left.
const stagePrefix = "kvart-"

// stageName is what our files are called, anybody's.
var stageName = regexp.MustCompile(`^kvart-[0-9a-f]{12}-[0-9a-f]{12}\.bak$`)

// forgotten is when a file of a source that isn't known here any more is taken
// for left behind. No run takes so long.
const forgotten = 72 * time.Hour

// stage is one file in the folder that the server and this computer share.
type stage struct {
	c    *Connector
	cfg  config
	name string
}

func (t *stage) path() string   { return filepath.Join(t.cfg.folder, t.name) }
func (t *stage) device() string { return literal(t.cfg.serverPath(t.name)) }

// mark tells this computer's files of a source from others.
func (c config) mark() string {
	host, err := os.Hostname()
	if err != nil {
		host = ""
	}
	sum := sha256.Sum256([]byte(host + "\n" + string(c.source) + "\n" + c.where() + "\n" + c.origin))
	return hex.EncodeToString(sum[:6])
}

func randomName(n int) (string, error) {
	b := make([]byte, n)
	if _, err := rand.Read(b); err != nil {
		return "", fmt.Errorf("draw a name: %w", err)
	}
	return hex.EncodeToString(b), nil
}

// stage draws a name for a file in the folder, after removing what earlier
// runs left there.
func (c *Connector) stage(cfg config) (*stage, error) {
	if err := c.sweep(cfg); err != nil {
		return nil, err
	}
	random, err := randomName(6)
	if err != nil {
		return nil, err
	}
	t := &stage{c: c, cfg: cfg, name: stagePrefix + cfg.mark() + "-" + random + ".bak"}
	c.mu.Lock()
	defer c.mu.Unlock()
	c.live[t.name] = true
	return t, nil
}

// sweep removes files that a killed run left: of this source all that nothing
// here uses, of others what is days old.
func (c *Connector) sweep(cfg config) error {
	entries, err := os.ReadDir(cfg.folder)
	if err != nil {
		return folderGone(cfg.folder, err)
	}
	for _, e := range entries {
		if !stageName.MatchString(e.Name()) || c.inUse(e.Name()) {
			continue
		}
		if !strings.HasPrefix(e.Name(), stagePrefix+cfg.mark()+"-") {
			fi, err := e.Info()
			if err != nil || time.Since(fi.ModTime()) < forgotten {
				continue
			}
		}
		c.warn("Could not remove what an earlier run left", remove(filepath.Join(cfg.folder, e.Name())))
	}
	return nil
}

func (c *Connector) inUse(name string) bool {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.live[name]
}

func folderGone(folder string, err error) error {
	const op = "sqlserver: look into folder"
	if errors.Is(err, fs.ErrPermission) {
		return (&app.Error{Code: app.CodeSourceRight, Op: op, Err: err}).With("path", folder).With("right", folder)
	}
	return (&app.Error{Code: app.CodeSourceShareGone, Op: op, Err: err}).With("path", folder)
}

func remove(file string) error {
	if err := os.Remove(file); !errors.Is(err, fs.ErrNotExist) {
		return err
	}
	return nil
}

// Close removes the file. It may be called twice.
func (t *stage) Close() error {
	err := remove(t.path())
	for i := 0; err != nil && i < 10 && runtime.GOOS == "windows"; i++ {
		time.Sleep(100 * time.Millisecond) // the server lets go of it a moment later
		err = remove(t.path())
	}
	t.c.mu.Lock()
	defer t.c.mu.Unlock()
	delete(t.c.live, t.name)
	return err
}

// room makes sure that the folder has room for need bytes.
func (c config) room(op string, need int64, code app.Code) error {
	free, err := volume.Free(c.folder)
	if err != nil {
		return folderGone(c.folder, err)
	}
	if free >= need {
		return nil
	}
	return app.Errorf(code, op, "%d bytes needed, %d free in %s", need, free, c.folder).
		With("path", c.folder).With("need", fmt.Sprint(need)).With("free", fmt.Sprint(free))
}

// probe makes sure that the server sees the folder, and may read what is in
// it: it is shown a file that is no backup, and has to say so. Without that a
// server with another folder in mind would fill one that nobody empties.
func (s *session) probe(ctx context.Context, op string, t *stage) (err error) {
	if err := os.WriteFile(t.path(), []byte("Kvart looks whether the database server sees this folder.\n"), 0o600); err != nil {
		return folderGone(t.cfg.folder, err)
	}
	defer func() { err = errors.Join(err, remove(t.path())) }()
	err = s.shown(t, func() error {
		return s.exec(ctx, "look at folder", `RESTORE LABELONLY FROM DISK = `+t.device())
	})
	if len(refusal(err)) == 0 || refused(err, errNoDevice, errDenied) {
		return s.codeOf(ctx, op, err)
	}
	return nil // it read it, and found it to be no backup
}

// shown lets the server read a file of ours. On Windows the folder decides who
// may. Elsewhere the file's group comes first, and everybody only where that
// doesn't do: a database that can't be restored helps nobody.
func (s *session) shown(t *stage, use func() error) error {
	if runtime.GOOS == "windows" {
		return use()
	}
	if err := os.Chmod(t.path(), 0o640); err != nil {
		return fmt.Errorf("show file to server: %w", err)
	}
	err := use()
	if !deniedFile(err) {
		return err
	}
	if chmodErr := os.Chmod(t.path(), 0o644); chmodErr != nil {
		return errors.Join(err, chmodErr)
	}
	return use()
}

func deniedFile(err error) bool {
	for _, e := range refusal(err) {
		if systemNumber(e) == sysAccess {
			return true
		}
	}
	return false
}

// seen waits until a file that the server wrote is to be seen here, which a
// share may take seconds to show, and returns its size.
func (t *stage) seen(ctx context.Context) (int64, error) {
	const op = "sqlserver: look for backup"
	for end := time.Now().Add(t.c.appear); ; {
		fi, err := os.Stat(t.path())
		switch {
		case err == nil:
			return fi.Size(), nil
		case !errors.Is(err, fs.ErrNotExist):
			return 0, folderGone(t.cfg.folder, err)
		case !time.Now().Before(end):
			return 0, app.Errorf(app.CodeUsage, op, "the server wrote its backup to %s, but it isn't in %s", t.cfg.serverFolder, t.cfg.folder).
				With("field", fieldServerFolder).With("path", t.cfg.folder)
		}
		select {
		case <-ctx.Done():
			return 0, &app.Error{Code: app.CodeCanceled, Op: op, Err: ctx.Err()}
		case <-time.After(50 * time.Millisecond):
		}
	}
}

// open opens the file for reading.
func (t *stage) open() (io.ReadCloser, error) {
	f, err := os.Open(t.path())
	if errors.Is(err, fs.ErrPermission) {
		return nil, (&app.Error{Code: app.CodeSourceRight, Op: "sqlserver: read backup", Err: err}).With("path", t.cfg.folder).With("right", t.cfg.folder)
	}
	if err != nil {
		return nil, fmt.Errorf("open backup: %w", err)
	}
	return f, nil
}

// put writes a file of the point into the folder, for the server to read.
func (t *stage) put(ctx context.Context, from fs.FS, name string, p app.Progress) (err error) {
	src, err := from.Open(name)
	if err != nil {
		return fmt.Errorf("open %s in the point: %w", name, err)
	}
	defer func() { err = errors.Join(err, src.Close()) }()
	dst, err := os.OpenFile(t.path(), os.O_WRONLY|os.O_CREATE|os.O_EXCL, 0o600)
	if err != nil {
		return volume.TargetError("sqlserver: restore", t.cfg.folder, err)
	}
	defer func() { err = errors.Join(err, dst.Close()) }()
	if _, err := io.Copy(dst, counted{ctx, src, p}); err != nil {
		return volume.TargetError("sqlserver: restore", t.cfg.folder, err)
	}
	return dst.Sync()
}

// counted tells how far reading has come, and ends with its context.
type counted struct {
	ctx context.Context
	r   io.Reader
	p   app.Progress
}

func (c counted) Read(b []byte) (int, error) {
	if err := c.ctx.Err(); err != nil {
		return 0, &app.Error{Code: app.CodeCanceled, Op: "sqlserver: read", Err: err}
	}
	n, err := c.r.Read(b)
	c.p.Done(0, int64(n))
	return n, err
}
