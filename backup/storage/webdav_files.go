package storage

import (
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"net/http"
	"os"
	"strings"
	"time"

	"github.com/kopia/kopia/repo/blob"

	"kvart/app"
)

var _ fileServer = (*davFiles)(nil)

// absolute turns what the layout makes of folders into paths below the base.
func absolute(name string) string { return "/" + strings.TrimLeft(name, "/") }

// GetBlobFromPath implements [sharded.Impl].
func (d *davFiles) GetBlobFromPath(ctx context.Context, _, name string, offset, length int64, out blob.OutputBuffer) error {
	name = absolute(name)
	out.Reset()
	if length == 0 {
		_, err := d.look(ctx, name)
		return err
	}
	r := davRequest{method: http.MethodGet, path: name, want: []int{http.StatusOK}}
	if length > 0 {
		r.header = map[string]string{"Range": fmt.Sprintf("bytes=%d-%d", offset, offset+length-1)}
		r.want = append(r.want, http.StatusPartialContent)
	}
	resp, err := d.do(ctx, r)
	if errors.Is(err, blob.ErrBlobNotFound) {
		return d.reallyMissing(ctx, name, err)
	}
	if err != nil {
		return err
	}
	defer func() { _ = resp.Body.Close() }()
	body := io.Reader(resp.Body)
	if length > 0 {
		if resp.StatusCode == http.StatusOK { // the range was ignored
			if _, err := io.CopyN(io.Discard, body, offset); err != nil {
				return fmt.Errorf("read %s at %d: %w", name, offset, blob.ErrInvalidRange)
			}
		}
		body = io.LimitReader(body, length)
	}
	if n, err := io.Copy(out, body); err != nil {
		return fmt.Errorf("read %s: %w", name, davCut{err})
	} else if length > 0 && n != length {
		return fmt.Errorf("read %s: %d of %d bytes: %w", name, n, length, blob.ErrInvalidRange)
	}
	return nil
}

// reallyMissing asks again for a file that was not found: some servers say so
// of every file they can't open, and a blob that only can't be read just now
// must not count as lost.
func (d *davFiles) reallyMissing(ctx context.Context, name string, err error) error {
	_, again := d.look(ctx, name)
	switch {
	case again == nil:
		return davCut{fmt.Errorf("%s is there and can't be read", name)}
	case errors.Is(again, blob.ErrBlobNotFound):
		return err
	}
	return again
}

// GetMetadataFromPath implements [sharded.Impl].
func (d *davFiles) GetMetadataFromPath(ctx context.Context, _, name string) (blob.Metadata, error) {
	e, err := d.look(ctx, absolute(name))
	if err != nil {
		return blob.Metadata{}, err
	}
	return blob.Metadata{Length: e.size, Timestamp: e.modified}, nil
}

// PutBlobInPath implements [sharded.Impl]. The file gets its name only when all
// of it has arrived.
func (d *davFiles) PutBlobInPath(ctx context.Context, dir, name string, data blob.Bytes, opts blob.PutOptions) error {
	if !opts.SetModTime.IsZero() {
		return blob.ErrSetTimeUnsupported
	}
	dir, name = absolute(dir), absolute(name)
	tmp := unfinishedName(name)
	err := d.put(ctx, tmp, data)
	if isFolderMissing(err) {
		if err = d.makeShard(ctx, dir); err == nil {
			err = d.put(ctx, tmp, data)
		}
		if isFolderMissing(err) {
			err = d.unstored(err)
		}
	}
	if err == nil {
		err = d.simple(ctx, davRequest{
			method: "MOVE", path: tmp, want: []int{http.StatusCreated, http.StatusNoContent},
			header: map[string]string{"Destination": d.address(name), "Overwrite": "T"},
		})
	}
	if err != nil {
		d.forget(ctx, tmp)
		return fmt.Errorf("write %s: %w", name, err)
	}
	if opts.GetModTime == nil {
		return nil
	}
	e, err := d.look(ctx, name)
	if err != nil {
		return fmt.Errorf("look at %s: %w", name, err)
	}
	*opts.GetModTime = e.modified
	return nil
}

func (d *davFiles) put(ctx context.Context, name string, data blob.Bytes) error {
	return d.simple(ctx, davRequest{
		method: http.MethodPut, path: name, size: int64(data.Length()),
		body:   func() io.ReadCloser { return data.Reader() },
		header: map[string]string{"Content-Type": "application/octet-stream"},
		want:   []int{http.StatusOK, http.StatusCreated, http.StatusNoContent},
	})
}

// isFolderMissing knows what servers answer to a file for a folder that is not
// there; only one of the answers is the right one.
func isFolderMissing(err error) bool {
	var e *davError
	return errors.As(err, &e) && (e.Status == http.StatusConflict || e.Status == http.StatusNotFound)
}

// forget deletes the beginnings of a file; the sweep finds what stays.
func (d *davFiles) forget(ctx context.Context, name string) {
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), time.Second)
	defer cancel()
	_ = d.Remove(ctx, name)
}

func (d *davFiles) makeShard(ctx context.Context, dir string) error {
	if dir == "/" {
		return app.Errorf(app.CodeStorageGone, "write file", "%s is gone, or nothing can be stored there", d.where()).With("where", d.where())
	}
	look := func(name string) error {
		_, err := d.look(ctx, name)
		return err
	}
	return makeShard("/", dir, look, func(name string) error { return d.makeFolder(ctx, name) })
}

// Remove implements [fileServer].
func (d *davFiles) Remove(ctx context.Context, name string) error {
	return d.simple(ctx, davRequest{
		method: http.MethodDelete, path: absolute(name),
		want: []int{http.StatusOK, http.StatusNoContent, http.StatusAccepted, http.StatusNotFound},
	})
}

// DeleteBlobInPath implements [sharded.Impl].
func (d *davFiles) DeleteBlobInPath(ctx context.Context, _, name string) error {
	return d.Remove(ctx, name)
}

// ReadDir implements [sharded.Impl].
func (d *davFiles) ReadDir(ctx context.Context, dir string) ([]os.FileInfo, error) {
	dir = absolute(dir)
	list, err := d.ask(ctx, strings.TrimSuffix(dir, "/")+"/", "1", "")
	if err != nil {
		if errors.Is(err, blob.ErrBlobNotFound) {
			err = app.Errorf(app.CodeStorageGone, "list folder", "%s: %s", dir, err).With("where", d.where())
		}
		return nil, err
	}
	if !list[0].folder {
		return nil, fmt.Errorf("list %s: not a folder", dir)
	}
	infos := make([]os.FileInfo, 0, len(list)-1)
	for _, e := range list[1:] {
		infos = append(infos, davInfo{e})
	}
	return infos, nil
}

// davInfo is an entry as [os.FileInfo].
type davInfo struct{ e davEntry }

func (i davInfo) Name() string       { return i.e.name }
func (i davInfo) Size() int64        { return i.e.size }
func (i davInfo) ModTime() time.Time { return i.e.modified }
func (i davInfo) IsDir() bool        { return i.e.folder }
func (i davInfo) Sys() any           { return nil }
func (i davInfo) Mode() fs.FileMode {
	if i.e.folder {
		return fs.ModeDir
	}
	return 0
}

// FreeBytes implements [fileServer].
func (d *davFiles) FreeBytes(ctx context.Context) int64 {
	list, err := d.ask(ctx, "/", "0", "<quota-available-bytes/>")
	if err != nil {
		return -1
	}
	return list[0].free
}

// Close implements [fileServer].
func (d *davFiles) Close() error {
	d.client.CloseIdleConnections()
	return nil
}
