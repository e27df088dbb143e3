package updates

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"hash"
	"io"
	"io/fs"
	"net/http"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"syscall"
	"time"

	"kvart/app"
)

// partEnding ends the name of a file that is not whole yet.
const partEnding = ".part"

// piece is how much is fetched between two looks at whether to wait, in bytes.
const piece = 256 << 10

// Fetched implements [app.Updater].
func (u *Updates) Fetched(f app.ReleaseFile, dir string) string {
	path := filepath.Join(dir, f.Name)
	info, err := os.Lstat(path)
	if f.Name == "" || err != nil || !info.Mode().IsRegular() || info.Size() != f.Size {
		return ""
	}
	now := stamp{sum: strings.ToLower(f.SHA256), size: info.Size(), at: info.ModTime().UnixNano()}
	u.mu.Lock()
	defer u.mu.Unlock()
	if p, ok := u.seen[path]; !ok || p.stamp != now {
		sum, err := sumOf(path, f.Size)
		u.seen[path] = proof{now, err == nil && sum == now.sum}
	}
	if !u.seen[path].holds {
		return "" // it is fetched anew when that is asked for
	}
	return path
}

// Fetch implements [app.Updater].
func (u *Updates) Fetch(ctx context.Context, f app.ReleaseFile, dir string, p app.Progress, pause func(context.Context) error) (string, error) {
	if f.Name == "" {
		return "", app.Errorf(app.CodeUpdateMissing, "fetch update", "nothing for this computer")
	}
	if err := os.MkdirAll(dir, 0o700); err != nil {
		return "", app.Errorf(app.CodeHomeReadOnly, "fetch update", "%w", err).With("path", dir)
	}
	path := filepath.Join(dir, f.Name)
	p.Expect(1, f.Size)
	if whole, err := proven(ctx, path, f); err != nil || whole {
		p.Done(1, f.Size)
		return path, err
	}
	d := download{u: u, file: f, path: path + partEnding, progress: p, pause: pause}
	if err := d.run(ctx); err != nil {
		return "", told(ctx, err, dir, f)
	}
	if err := os.Rename(d.path, path); err != nil {
		return "", told(ctx, err, dir, f)
	}
	p.Done(1, 0)
	return path, tidy(dir, f.Name)
}

// tidy removes earlier versions: once a newer one is there nobody needs them.
func tidy(dir, keep string) error {
	entries, err := os.ReadDir(dir)
	if err != nil {
		return fmt.Errorf("clear earlier updates: %w", err)
	}
	for _, e := range entries {
		if e.Name() != keep && e.Type().IsRegular() {
			err = errors.Join(err, os.Remove(filepath.Join(dir, e.Name())))
		}
	}
	return err
}

// proven reports whether a file is there and holds what it should. One that
// does not is removed.
func proven(ctx context.Context, path string, f app.ReleaseFile) (bool, error) {
	sum, err := sumOf(path, f.Size)
	if errors.Is(err, fs.ErrNotExist) {
		return false, nil
	}
	if err != nil {
		return false, app.Errorf(app.CodeHomeReadOnly, "prove update", "%w", err).With("path", path)
	}
	if err := ctx.Err(); err != nil {
		return false, app.Errorf(app.CodeCanceled, "prove update", "%w", err)
	}
	if sum == strings.ToLower(f.SHA256) {
		return true, nil
	}
	return false, os.Remove(path)
}

// sumOf returns the SHA-256 of a file in hex; of one that is larger than size,
// of no more than one byte beyond.
func sumOf(path string, size int64) (string, error) {
	file, err := os.Open(path)
	if err != nil {
		return "", err
	}
	sum := sha256.New()
	_, err = io.Copy(sum, io.LimitReader(file, size+1))
	return hex.EncodeToString(sum.Sum(nil)), errors.Join(err, file.Close())
}

// told says what a failure means for the owner.
func told(ctx context.Context, err error, dir string, f app.ReleaseFile) error {
	var e *app.Error
	switch {
	case errors.As(err, &e):
		return err
	case errors.Is(err, syscall.ENOSPC):
		return app.Errorf(app.CodeUpdateRoom, "fetch update", "%w", err).With("path", dir).With("need", strconv.FormatInt(f.Size, 10))
	case errors.Is(ctx.Err(), context.Canceled):
		return app.Errorf(app.CodeCanceled, "fetch update", "%w", err)
	case errors.Is(err, fs.ErrPermission), errors.Is(err, syscall.EROFS):
		return app.Errorf(app.CodeHomeReadOnly, "fetch update", "%w", err).With("path", dir)
	}
	return app.Errorf(app.CodeUpdateFeed, "fetch update", "%w", err).With("where", hostOf(f.URL))
}

func hostOf(address string) string {
	_, rest, _ := strings.Cut(address, "://")
	host, _, _ := strings.Cut(rest, "/")
	return host
}

// download is a file on its way.
type download struct {
	u        *Updates
	file     app.ReleaseFile
	path     string // of what is there so far
	progress app.Progress
	pause    func(context.Context) error
	sum      hash.Hash
	have     int64
}

// errWaited says that something else went first for so long that the server may
// have hung up: what is missing is asked for anew.
var errWaited = errors.New("gave way to something else")

// run fetches what is missing, and proves the whole. What an earlier download
// left may be of another file: then all is fetched.
func (d *download) run(ctx context.Context) (err error) {
	out, err := os.OpenFile(d.path, os.O_CREATE|os.O_RDWR, 0o600)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, out.Close()) }()
	if err := d.resume(out); err != nil {
		return err
	}
	for resumed := d.have > 0; ; resumed = false {
		if err := d.fill(ctx, out); err != nil {
			return err
		}
		if hex.EncodeToString(d.sum.Sum(nil)) == strings.ToLower(d.file.SHA256) {
			return out.Sync()
		}
		if err := d.restart(out); err != nil {
			return err
		}
		if !resumed {
			return app.Errorf(app.CodeUpdateDamaged, "prove update", "%s is not what was signed", d.file.Name).With("where", hostOf(d.file.URL))
		}
	}
}

// fill fetches until all is there. A full disk is given its room back at once:
// the guard needs it more.
func (d *download) fill(ctx context.Context, out *os.File) error {
	for d.have < d.file.Size {
		switch err := d.rest(ctx, out); {
		case errors.Is(err, errWaited):
		case errors.Is(err, syscall.ENOSPC):
			return errors.Join(err, d.restart(out))
		case err != nil:
			return err
		}
	}
	return nil
}

// resume takes up what an earlier download left.
func (d *download) resume(out *os.File) error {
	d.sum, d.have = sha256.New(), 0
	n, err := io.Copy(d.sum, io.LimitReader(out, d.file.Size+1))
	if err != nil {
		return err
	}
	if n > d.file.Size { // of another version
		return d.restart(out)
	}
	d.have = n
	d.progress.Done(0, n)
	return nil
}

// restart begins from nothing.
func (d *download) restart(out *os.File) error {
	d.progress.Done(0, -d.have)
	d.sum, d.have = sha256.New(), 0
	if err := out.Truncate(0); err != nil {
		return err
	}
	_, err := out.Seek(0, io.SeekStart)
	return err
}

// rest fetches what is missing. A server that gives no parts gives all.
func (d *download) rest(ctx context.Context, out *os.File) (err error) {
	if err := d.pause(ctx); err != nil {
		return err
	}
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	c, tr := client()
	defer tr.CloseIdleConnections()
	head := map[string]string{}
	if d.have > 0 {
		head["Range"] = fmt.Sprintf("bytes=%d-", d.have)
	}
	res, err := get(ctx, c, d.file.URL, head)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, res.Body.Close()) }()
	switch want := fmt.Sprintf("bytes %d-%d/%d", d.have, d.file.Size-1, d.file.Size); {
	case res.StatusCode == http.StatusOK:
		if err := d.restart(out); err != nil {
			return err
		}
	case res.StatusCode == http.StatusPartialContent && d.have > 0 && res.Header.Get("Content-Range") == want:
	case res.StatusCode == http.StatusPartialContent || res.StatusCode == http.StatusRequestedRangeNotSatisfiable:
		return errors.Join(fmt.Errorf("asked for the rest after %d bytes, it gives %q", d.have, res.Header.Get("Content-Range")), d.restart(out))
	default:
		return fmt.Errorf("it answers %s", res.Status)
	}
	return d.copy(ctx, out, res.Body, cancel)
}

// copy writes what comes, and cuts off a server that stands still or gives more
// than was signed.
func (d *download) copy(ctx context.Context, out io.Writer, body io.Reader, cancel func()) error {
	stall := time.AfterFunc(d.u.o.Stall, cancel)
	defer stall.Stop()
	buf := make([]byte, piece)
	for d.have < d.file.Size {
		n, err := io.ReadFull(body, buf[:min(int64(len(buf)), d.file.Size-d.have)])
		stall.Stop()
		if n > 0 {
			if _, err := out.Write(buf[:n]); err != nil {
				return err
			}
			d.sum.Write(buf[:n]) // a hash.Hash never fails
			d.have += int64(n)
			d.progress.Done(0, int64(n))
		}
		if err != nil {
			return fmt.Errorf("cut off after %d of %d bytes: %w", d.have, d.file.Size, err)
		}
		before := time.Now()
		if err := d.pause(ctx); err != nil {
			return err
		}
		if time.Since(before) > d.u.o.Stall/2 {
			return errWaited
		}
		stall.Reset(d.u.o.Stall)
	}
	return nil
}
