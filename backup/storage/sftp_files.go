package storage

import (
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path"
	"sync"

	"github.com/kopia/kopia/repo/blob"
	"github.com/pkg/sftp"

	"kvart/app"
)

const (
	sftpFailure    = 4 // what OpenSSH answers where a disk or a quota is full
	extensionSync  = "fsync@openssh.com"
	extensionMove  = "posix-rename@openssh.com"
	extensionSpace = "statvfs@openssh.com"
)

// sftpFiles are files on an SFTP server. The connection is dialled when it is
// needed, and anew when it broke.
type sftpFiles struct {
	account account

	mu   sync.Mutex
	link *sftpLink
}

var _ fileServer = (*sftpFiles)(nil)

// settle makes a path below the user's own folder a whole one, so that another
// idea of that folder can't lead elsewhere later.
func (f *sftpFiles) settle(c *sftp.Client) error {
	if path.IsAbs(f.account.path) {
		return nil
	}
	home, err := c.RealPath(".")
	if err != nil {
		return fmt.Errorf("ask for the user's folder: %w", err)
	}
	f.account.path = path.Join(home, f.account.path)
	return nil
}

// connect returns the connection, and whether it was dialled just now.
func (f *sftpFiles) connect(ctx context.Context) (link *sftpLink, fresh bool, err error) {
	f.mu.Lock()
	defer f.mu.Unlock()
	if f.link != nil {
		return f.link, false, nil
	}
	f.link, err = f.account.dial(ctx)
	return f.link, true, err
}

// drop lets a connection go.
func (f *sftpFiles) drop(link *sftpLink) {
	f.mu.Lock()
	if f.link == link {
		f.link = nil
	}
	f.mu.Unlock()
	link.Close()
}

// with calls do with a connection. A connection that broke since it was last
// used costs one more try. When ctx ends, do ends with its connection.
func (f *sftpFiles) with(ctx context.Context, do func(*sftp.Client) error) error {
	for {
		link, fresh, err := f.connect(ctx)
		if err != nil {
			return err
		}
		stop := context.AfterFunc(ctx, func() { f.drop(link) })
		err = do(link.sftp)
		stop()
		if !isLost(err) {
			return err
		}
		f.drop(link)
		if ctx.Err() != nil {
			return fmt.Errorf("%w: %w", ctx.Err(), err)
		}
		if fresh {
			return app.Errorf(app.CodeStorageOffline, "talk to server", "%w", err).With("where", f.account.where())
		}
	}
}

// GetBlobFromPath implements [sharded.Impl].
func (f *sftpFiles) GetBlobFromPath(ctx context.Context, _, name string, offset, length int64, out blob.OutputBuffer) error {
	return f.with(ctx, func(c *sftp.Client) error {
		out.Reset()
		r, err := c.Open(name)
		if err != nil {
			return missing(err)
		}
		defer func() { _ = r.Close() }() // it was only read
		if length < 0 {
			if _, err := r.WriteTo(out); err != nil {
				return fmt.Errorf("read %s: %w", name, err)
			}
			return nil
		}
		return readRange(r, offset, length, out)
	})
}

// readRange reads exactly length bytes.
func readRange(r *sftp.File, offset, length int64, out blob.OutputBuffer) error {
	fi, err := r.Stat()
	if err != nil {
		return fmt.Errorf("look at file: %w", missing(err))
	}
	if offset < 0 || offset+length > fi.Size() {
		return fmt.Errorf("read %d bytes at %d of %d: %w", length, offset, fi.Size(), blob.ErrInvalidRange)
	}
	b := make([]byte, length)
	if n, err := r.ReadAt(b, offset); n < len(b) {
		return fmt.Errorf("read file: %w", err)
	}
	_, err = out.Write(b)
	return err
}

// missing gives the error of a file that is not there the name Kopia knows, and
// no other: a blob that is gone is damage, not a folder that is away.
func missing(err error) error {
	if errors.Is(err, fs.ErrNotExist) {
		// not wrapped, or it would be taken for the folder
		return fmt.Errorf("%w: %v", blob.ErrBlobNotFound, err) //nolint:errorlint // see above
	}
	return err
}

// GetMetadataFromPath implements [sharded.Impl].
func (f *sftpFiles) GetMetadataFromPath(ctx context.Context, _, name string) (blob.Metadata, error) {
	var m blob.Metadata
	err := f.with(ctx, func(c *sftp.Client) error {
		fi, err := c.Stat(name)
		if err != nil {
			return missing(err)
		}
		m = blob.Metadata{Length: fi.Size(), Timestamp: fi.ModTime()}
		return nil
	})
	return m, err
}

// PutBlobInPath implements [sharded.Impl]. The file gets its name only when all
// of it is on the server's disk.
func (f *sftpFiles) PutBlobInPath(ctx context.Context, dir, name string, data blob.Bytes, opts blob.PutOptions) error {
	return f.with(ctx, func(c *sftp.Client) error {
		tmp := unfinishedName(name)
		if err := f.write(c, dir, tmp, data); err != nil {
			_ = c.Remove(tmp) // the sweep finds what stays
			return err
		}
		if err := move(c, tmp, name); err != nil {
			_ = c.Remove(tmp)
			return fmt.Errorf("name %s: %w", name, err)
		}
		if t := opts.SetModTime; !t.IsZero() {
			if err := c.Chtimes(name, t, t); err != nil {
				return fmt.Errorf("set time of %s: %w", name, err)
			}
		}
		if opts.GetModTime == nil {
			return nil
		}
		fi, err := c.Stat(name)
		if err != nil {
			return fmt.Errorf("look at %s: %w", name, err)
		}
		*opts.GetModTime = fi.ModTime()
		return nil
	})
}

func (f *sftpFiles) write(c *sftp.Client, dir, tmp string, data blob.Bytes) error {
	w, err := f.begin(c, dir, tmp)
	if err != nil {
		return fmt.Errorf("begin %s: %w", tmp, err)
	}
	size := int64(data.Length())
	_, err = w.ReadFrom(&io.LimitedReader{R: data.Reader(), N: size})
	if err == nil {
		err = synced(c, w)
	}
	if err == nil {
		var fi os.FileInfo
		if fi, err = w.Stat(); err == nil && fi.Size() != size {
			err = app.Errorf(app.CodeReadBack, "write file", "the server kept %d of %d bytes", fi.Size(), size)
		}
	}
	if gone := w.Close(); gone != nil && err == nil {
		err = gone
	}
	if err != nil {
		return fmt.Errorf("write %s: %w", tmp, full(c, path.Dir(tmp), err))
	}
	return nil
}

// begin makes a new file, and the folder it is to lie in.
func (f *sftpFiles) begin(c *sftp.Client, dir, tmp string) (*sftp.File, error) {
	const flags = os.O_CREATE | os.O_WRONLY | os.O_EXCL
	w, err := c.OpenFile(tmp, flags)
	if !errors.Is(err, fs.ErrNotExist) {
		return w, err
	}
	if dir == f.account.path {
		return nil, app.Errorf(app.CodeStorageGone, "write file", "%w", err).With("where", f.account.where())
	}
	look := func(name string) error {
		_, err := c.Stat(name)
		return err
	}
	mkdir := func(name string) error {
		if err := c.Mkdir(name); err != nil {
			if fi, there := c.Stat(name); there == nil && fi.IsDir() {
				return nil // the protocol has no answer for that
			}
			return full(c, path.Dir(name), err)
		}
		return nil
	}
	if err := makeShard(f.account.path, dir, look, mkdir); err != nil {
		return nil, err
	}
	return c.OpenFile(tmp, flags)
}

// synced waits until the file is on the disk, where the server can tell.
func synced(c *sftp.Client, w *sftp.File) error {
	if _, ok := c.HasExtension(extensionSync); !ok {
		return nil
	}
	if err := w.Sync(); err != nil {
		return fmt.Errorf("sync: %w", err)
	}
	return nil
}

// move renames a file over another. Servers without the extension for it get
// the other deleted first: they are rare, and so is writing over a blob.
func move(c *sftp.Client, from, to string) error {
	if _, ok := c.HasExtension(extensionMove); ok {
		return c.PosixRename(from, to)
	}
	err := c.Rename(from, to)
	if err == nil {
		return nil
	}
	if _, there := c.Stat(to); there != nil {
		return err
	}
	if err := c.Remove(to); err != nil {
		return err
	}
	return c.Rename(from, to)
}

// full names what most servers only call a failure: a write that was let begin
// and then fails has found no room, for the disk or for this user.
func full(c *sftp.Client, dir string, err error) error {
	var s *sftp.StatusError
	if !errors.As(err, &s) || s.Code != sftpFailure {
		return err
	}
	return app.Errorf(app.CodeStorageFull, "write file", "%w (%d bytes free)", err, freeIn(c, dir))
}

// Remove implements [fileServer].
func (f *sftpFiles) Remove(ctx context.Context, name string) error {
	return f.with(ctx, func(c *sftp.Client) error {
		if err := c.Remove(name); err != nil && !errors.Is(err, fs.ErrNotExist) {
			return fmt.Errorf("delete %s: %w", name, err)
		}
		return nil
	})
}

// DeleteBlobInPath implements [sharded.Impl].
func (f *sftpFiles) DeleteBlobInPath(ctx context.Context, _, name string) error {
	return f.Remove(ctx, name)
}

// ReadDir implements [sharded.Impl].
func (f *sftpFiles) ReadDir(ctx context.Context, dir string) ([]os.FileInfo, error) {
	var list []os.FileInfo
	err := f.with(ctx, func(c *sftp.Client) (err error) {
		if list, err = c.ReadDirContext(ctx, dir); err != nil {
			return fmt.Errorf("list %s: %w", dir, err)
		}
		return nil
	})
	return list, err
}

// FreeBytes implements [fileServer].
func (f *sftpFiles) FreeBytes(ctx context.Context) int64 {
	free := int64(-1)
	err := f.with(ctx, func(c *sftp.Client) error {
		free = freeIn(c, f.account.path)
		return nil
	})
	if err != nil {
		return -1
	}
	return free
}

func freeIn(c *sftp.Client, dir string) int64 {
	if _, ok := c.HasExtension(extensionSpace); !ok {
		return -1
	}
	st, err := c.StatVFS(dir)
	if err != nil {
		return -1
	}
	return int64(st.Bavail * st.Frsize)
}

// Close implements [fileServer].
func (f *sftpFiles) Close() error {
	f.mu.Lock()
	defer f.mu.Unlock()
	if f.link != nil {
		f.link.Close()
		f.link = nil
	}
	return nil
}
