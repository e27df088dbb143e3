package memvault

import (
	"context"
	"crypto/sha256"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"path"
	"testing/fstest"
	"time"

	"kvart/app"
)

const blockBytes = 16 << 10

// saved is a point and its files.
type saved struct {
	point app.Point
	files fstest.MapFS
	born  time.Time
	died  time.Time // when it was let go
	read  time.Time // by a check
	// damaged points can't be read, and forgotten ones were given up.
	damaged, forgotten bool
}

// object is the name of the one object that a point lies in.
func (s *saved) object() string { return "p" + string(s.point.ID) }

// Save implements [app.Vault].
func (v *vault) Save(ctx context.Context, reqs []app.SaveRequest, p app.Progress) ([]app.SaveResult, error) {
	if len(reqs) == 0 {
		return nil, nil
	}
	end, err := v.beginWriting(ctx)
	if err != nil {
		return nil, err
	}
	defer end()
	if v.p.FailSave != nil {
		if err := v.p.FailSave(reqs); err != nil {
			return nil, err
		}
	}
	v.s.mu.Lock()
	err = v.mayStoreLocked()
	v.s.mu.Unlock()
	if err != nil {
		return nil, err
	}
	res := make([]app.SaveResult, len(reqs))
	files := make([]fstest.MapFS, len(reqs))
	for i, r := range reqs {
		var err error
		if v.p.FailRequest != nil {
			err = v.p.FailRequest(r)
		}
		if err == nil {
			files[i], err = read(ctx, r, &res[i], p)
		}
		if ctx.Err() != nil {
			return nil, canceled(ctx.Err())
		}
		if err != nil {
			res[i] = app.SaveResult{Err: coded(err)}
		}
	}
	v.s.mu.Lock()
	defer v.s.mu.Unlock()
	if err := v.mayStoreLocked(); err != nil {
		return nil, err
	}
	for i, r := range reqs {
		if res[i].Err == nil {
			v.keepLocked(r, &res[i], files[i])
			v.enterLocked()
		}
	}
	v.s.saves++
	return res, nil
}

func coded(err error) error {
	var known *app.Error
	if errors.As(err, &known) {
		return err
	}
	return &app.Error{Code: app.CodeSourceUnreadable, Op: "memvault: capture", Err: err}
}

func (v *vault) keepLocked(r app.SaveRequest, res *app.SaveResult, files fstest.MapFS) {
	s := v.s
	s.seq++
	p := app.Point{
		ID: app.PointID(draw(8)), Source: r.Source, Name: r.Name, Kind: r.Kind, Seq: s.seq, Time: r.Time.UTC().Round(0), Verified: true,
		Computer: v.self.ID,
	}
	if p.Kind == "" {
		p.Kind = app.PointBackup
	}
	if r.Stats != nil {
		p.Stats = r.Stats()
	}
	for _, pr := range res.Problems {
		if pr.Code != app.CodeItemChanged {
			p.Incomplete++
		}
	}
	for _, f := range files {
		if f.Mode.Type() != 0 {
			continue
		}
		p.Files++
		p.Bytes += int64(len(f.Data))
		for from := 0; from < len(f.Data); from += blockBytes {
			b := f.Data[from:min(from+blockBytes, len(f.Data))]
			h := sha256.Sum256(b)
			if !s.blocks[string(h[:])] {
				s.blocks[string(h[:])] = true
				res.BytesUploaded += int64(len(b))
				s.bytes += int64(len(b))
			}
		}
	}
	res.Point = p
	s.points = append(s.points, &saved{point: p, files: files, born: v.p.now()})
}

// read reads a request's items.
func read(ctx context.Context, r app.SaveRequest, res *app.SaveResult, p app.Progress) (fstest.MapFS, error) {
	files := fstest.MapFS{}
	if r.Items == nil {
		return files, nil
	}
	for it, err := range r.Items {
		if err != nil {
			return nil, err
		}
		if err := ctx.Err(); err != nil {
			return nil, err
		}
		if !fs.ValidPath(it.Path) || it.Path == "." {
			return nil, app.Errorf(app.CodeInternal, "memvault", "bad path %q", it.Path)
		}
		if old := files[it.Path]; old != nil && !(old.Mode.IsDir() && it.Mode.IsDir()) {
			return nil, app.Errorf(app.CodeInternal, "memvault", "%s comes twice", it.Path)
		}
		f, err := file(ctx, it, res)
		if err != nil {
			return nil, err
		}
		if f == nil {
			continue
		}
		if p != nil {
			p.Expect(1, int64(len(f.Data)))
			p.Done(1, int64(len(f.Data)))
		}
		files[it.Path] = f
		implied(files, it.Path)
	}
	return files, nil
}

// file reads one item; nil where it could not be read and need not be.
func file(ctx context.Context, it app.Item, res *app.SaveResult) (*fstest.MapFile, error) {
	f := &fstest.MapFile{Mode: it.Mode, ModTime: it.ModTime}
	switch it.Mode.Type() {
	case fs.ModeDir:
		return f, nil
	case fs.ModeSymlink:
		f.Data = []byte(it.Link)
		return f, nil
	}
	data, err := content(ctx, it)
	res.BytesRead += int64(len(data))
	f.Data = data
	if err == nil {
		return f, nil
	}
	if !it.Optional || app.CodeOf(err).EndsCapture() {
		return nil, err
	}
	res.Problems = append(res.Problems, app.Problem{Path: it.Path, Code: problem(err)})
	if app.CodeOf(err) != app.CodeItemChanged || data == nil {
		return nil, nil
	}
	return f, nil
}

// implied adds the folders that lead to name.
func implied(files fstest.MapFS, name string) {
	for dir := path.Dir(name); dir != "."; dir = path.Dir(dir) {
		if files[dir] == nil {
			files[dir] = &fstest.MapFile{Mode: fs.ModeDir | 0o700}
		}
	}
}

// content reads an item. An error of its Close comes with the bytes.
func content(ctx context.Context, it app.Item) ([]byte, error) {
	rc, err := it.Open(ctx)
	if err != nil {
		return nil, err
	}
	data, err := io.ReadAll(rc)
	if err != nil {
		return nil, errors.Join(fmt.Errorf("read %s: %w", it.Path, err), rc.Close())
	}
	if data == nil {
		data = []byte{}
	}
	return data, rc.Close()
}

func problem(err error) app.Code {
	var known *app.Error
	switch {
	case errors.As(err, &known):
		return known.Code
	case errors.Is(err, fs.ErrNotExist):
		return app.CodeItemVanished
	}
	return app.CodeItemUnreadable
}

// view is a point's files. Files of [fstest.MapFS] support ReaderAt and Seeker.
type view struct {
	fstest.MapFS

	damaged bool // no file can be read
}

var (
	_ app.PointFS    = (*view)(nil)
	_ app.Prefetcher = (*view)(nil)
)

// Open implements [fs.FS]. A link yields its target.
func (v *view) Open(name string) (fs.File, error) {
	f := v.MapFS[name]
	if f != nil && v.damaged && !f.Mode.IsDir() {
		return nil, &fs.PathError{Op: "open", Path: name, Err: app.Errorf(app.CodeVaultDamaged, "memvault", "damaged")}
	}
	if f == nil || f.Mode&fs.ModeSymlink == 0 {
		return v.MapFS.Open(name)
	}
	plain := *f
	plain.Mode = f.Mode.Perm()
	return fstest.MapFS{name: &plain}.Open(name)
}

// ReadFile implements [fs.ReadFileFS].
func (v *view) ReadFile(name string) ([]byte, error) {
	f, err := v.Open(name)
	if err != nil {
		return nil, err
	}
	b, err := io.ReadAll(f)
	return b, errors.Join(err, f.Close())
}

// Stat implements [fs.StatFS] without following links.
func (v *view) Stat(name string) (fs.FileInfo, error) { return v.Lstat(name) }

func (v *view) Close() error { return nil }

// Prefetch implements [app.Prefetcher]: everything is near.
func (v *view) Prefetch(context.Context, app.Progress, ...string) error { return nil }
