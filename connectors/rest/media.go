package rest

import (
	"bufio"
	"context"
	"crypto/sha256"
	"database/sql"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"net/http"
	"net/url"
	"os"
	"path"
	"path/filepath"
	"regexp"
	"time"

	"golang.org/x/sync/errgroup"

	"kvart/app"
)

const (
	maxFile     = 2 << 30   // of one file
	filesAtOnce = 4         //
	tryFile     = time.Hour // until a file that failed is asked for again
)

// file is a picture or another file a record shows.
type file struct {
	url  string
	name string // below media/, "" when it was not fetched
	size int64
	code app.Code // why it was not
}

// ref is what a point says of one address.
type ref struct {
	File string `json:"file"`
	Size int64  `json:"size"`
}

// files fetches what records show and was not fetched yet. One that can't be
// had is a problem of its own and keeps no other from being fetched.
func (u *update) files(ctx context.Context) error {
	if err := u.prune(ctx); err != nil {
		return err
	}
	return u.fetchFiles(ctx, u.now)
}

// fetchFiles fetches files that were not asked for since a while before now.
func (u *update) fetchFiles(ctx context.Context, now time.Time) error {
	urls, err := u.m.ids(ctx, `SELECT url FROM file WHERE name = '' AND at < ?`, now.Add(-tryFile).Unix())
	if err != nil {
		return err
	}
	u.shown.Expect(int64(len(urls)), 0)
	g, ctx := errgroup.WithContext(ctx)
	g.SetLimit(filesAtOnce)
	for _, url := range urls {
		g.Go(func() error {
			defer u.shown.Done(1, 0)
			f, err := u.e.download(ctx, u.m.dir, url)
			if err != nil {
				if ctx.Err() != nil {
					return canceled(ctx, ctx.Err())
				}
				if Full(err) {
					return noRoom(err)
				}
				f = file{url: url, code: codeOf(err)}
				u.e.o.Log.WarnContext(ctx, "File not fetched", "error", err)
			}
			return u.m.setFile(ctx, f, now)
		})
	}
	return g.Wait()
}

func (m *mirror) setFile(ctx context.Context, f file, at time.Time) error {
	_, err := m.db.ExecContext(ctx, `INSERT OR REPLACE INTO file VALUES (?, ?, ?, ?, ?)`, f.url, f.name, f.size, string(f.code), at.Unix())
	return wrap("write mirror", err)
}

// mediaFiles lists the files known, by address.
func mediaFiles(ctx context.Context, q queryer, fn func(file) error) error {
	return each(ctx, q, func(scan func(...any) error) error {
		var f file
		var code string
		if err := scan(&f.url, &f.name, &f.size, &code); err != nil {
			return err
		}
		f.code = app.Code(code)
		return fn(f)
	}, `SELECT url, name, size, code FROM file ORDER BY url`)
}

// codeOf is why a file was not fetched: the shop has it not, or it may come yet.
func codeOf(err error) app.Code {
	if errors.Is(err, fs.ErrNotExist) || errors.Is(err, errNoFile) {
		return app.CodeShopPicture
	}
	return app.CodeItemUnreadable
}

// ending is the end of a file's name that is kept.
var ending = regexp.MustCompile(`^\.[a-z0-9]{1,8}$`)

// download fetches one file, whole or not at all, to its place by its hash.
func (e *Engine) download(ctx context.Context, dir, from string) (f file, err error) {
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, from, nil)
	if err != nil {
		return f, fmt.Errorf("fetch file: %w", err)
	}
	resp, err := e.o.Files.Do(req)
	if err != nil {
		return f, fmt.Errorf("fetch file: %w", err)
	}
	defer func() { err = errors.Join(err, resp.Body.Close()) }()
	switch {
	case resp.StatusCode == http.StatusNotFound || resp.StatusCode == http.StatusGone:
		return f, fmt.Errorf("fetch %s: %w", from, fs.ErrNotExist)
	case resp.StatusCode != http.StatusOK:
		return f, fmt.Errorf("fetch %s: status %d", from, resp.StatusCode)
	}
	body := bufio.NewReaderSize(resp.Body, sniffed)
	head, err := body.Peek(sniffed) // an answer that is cut off shows when it is read
	if len(head) == 0 && errors.Is(err, io.EOF) || isPage(from, resp.Header.Get("Content-Type"), head) {
		return f, fmt.Errorf("fetch %s: %w", from, errNoFile)
	}
	return keepFile(dir, from, body, resp.ContentLength)
}

// keepFile writes a file of some length, -1 where that isn't known, to its place.
func keepFile(dir, from string, body io.Reader, length int64) (f file, err error) {
	at := filepath.Join(dir, mediaDir)
	if err := os.MkdirAll(at, 0o700); err != nil {
		return f, fmt.Errorf("make folder for files: %w", err)
	}
	tmp, err := os.CreateTemp(at, ".new-*")
	if err != nil {
		return f, fmt.Errorf("keep file: %w", err)
	}
	h := sha256.New()
	n, err := io.Copy(io.MultiWriter(tmp, h), io.LimitReader(body, maxFile+1))
	if err == nil && (n > maxFile || length >= 0 && n != length) {
		err = fmt.Errorf("%d bytes of %d", n, length)
	}
	if err = errors.Join(err, tmp.Close()); err != nil {
		return f, errors.Join(fmt.Errorf("fetch %s: %w", from, err), os.Remove(tmp.Name()))
	}
	sum := hex.EncodeToString(h.Sum(nil)[:20])
	f = file{url: from, name: path.Join(sum[:2], sum+extension(from)), size: n}
	to := filepath.Join(at, filepath.FromSlash(f.name))
	if err = os.MkdirAll(filepath.Dir(to), 0o700); err == nil {
		err = os.Rename(tmp.Name(), to)
	}
	if err != nil {
		return f, errors.Join(fmt.Errorf("keep file: %w", err), os.Remove(tmp.Name()))
	}
	return f, nil
}

func extension(from string) string {
	u, err := url.Parse(from)
	if err != nil {
		return ""
	}
	if ext := path.Ext(u.Path); ending.MatchString(ext) {
		return ext
	}
	return ""
}

// openFile opens a file that was fetched, and fetches it once more when
// somebody cleared it away.
func (e *Engine) openFile(ctx context.Context, dir string, f file) (io.ReadCloser, error) {
	at := filepath.Join(dir, mediaDir, filepath.FromSlash(f.name))
	if r, err := os.Open(at); err == nil {
		return r, nil
	}
	again, err := e.download(ctx, dir, f.url)
	switch {
	case err != nil:
		return nil, (&app.Error{Code: codeOf(err), Op: "shop: fetch file", Err: err}).With("path", f.url)
	case again.name != f.name:
		return nil, app.Errorf(app.CodeItemChanged, "shop: fetch file", "%s is another file now", f.url).With("path", f.url)
	}
	return os.Open(at)
}

// prune forgets files that no record shows any more, once a night.
func (u *update) prune(ctx context.Context) error {
	text, err := u.m.meta(ctx, "pruned")
	if err != nil {
		return err
	}
	last, err := time.Parse(time.RFC3339, text)
	if text == "" || err != nil {
		return u.m.setMeta(ctx, "pruned", u.now.Format(time.RFC3339))
	}
	if !u.nightly(last) {
		return nil
	}
	shown := map[string]bool{}
	for _, k := range u.e.kinds {
		if len(k.Media) == 0 {
			continue
		}
		err := each(ctx, u.m.db, func(scan func(...any) error) error {
			var text []byte
			if err := scan(&text); err != nil {
				return err
			}
			m, err := decode(text)
			for _, url := range k.media(m) {
				shown[url] = true
			}
			return err
		}, `SELECT json FROM record WHERE kind = ?`, k.Name)
		if err != nil {
			return err
		}
	}
	if err := u.m.forgetFiles(ctx, shown); err != nil {
		return err
	}
	return u.m.setMeta(ctx, "pruned", u.now.Format(time.RFC3339))
}

// forgetFiles forgets the files that are not shown.
func (m *mirror) forgetFiles(ctx context.Context, shown map[string]bool) error {
	kept := map[string]bool{}
	var old []file
	err := mediaFiles(ctx, m.db, func(f file) error {
		if shown[f.url] {
			kept[f.name] = true
		} else {
			old = append(old, f)
		}
		return nil
	})
	if err != nil {
		return err
	}
	err = m.write(ctx, func(tx *sql.Tx) error {
		for _, f := range old {
			if _, err := tx.ExecContext(ctx, `DELETE FROM file WHERE url = ?`, f.url); err != nil {
				return wrap("write mirror", err)
			}
		}
		return nil
	})
	if err != nil {
		return err
	}
	for _, f := range old {
		if f.name == "" || kept[f.name] {
			continue
		}
		if err := os.Remove(filepath.Join(m.dir, mediaDir, filepath.FromSlash(f.name))); err != nil && !errors.Is(err, os.ErrNotExist) {
			return fmt.Errorf("remove old file: %w", err)
		}
	}
	return nil
}
