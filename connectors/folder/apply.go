package folder

import (
	"bytes"
	"context"
	"crypto/sha256"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path"
	"path/filepath"
	"runtime"
	"strings"

	"kvart/app"
	"kvart/connectors/internal/volume"
)

// newPrefix begins the names of files that are not in place yet.
const newPrefix = ".kvart-new-"

// Apply implements [app.Restorer]. Every file is written beside its place and
// renamed there, so that it is the old one or the new one whenever power goes;
// one that is the same already, by size, time and content, is left alone. What
// lies at the target and is not in the point stays, but for what an undo takes
// away. Everything goes through one [os.Root]: no link at the
// target leads a file out of it, and folders are made where links were.
func (c *Connector) Apply(ctx context.Context, r app.Restore, p app.Progress) (err error) {
	const op = "folder: restore"
	dir, err := target(r)
	if err != nil {
		return err
	}
	list, err := selection(ctx, r)
	if err != nil {
		return err
	}
	p.Expect(total(list))
	if at := volume.Unplugged(dir); at != "" {
		return app.Errorf(app.CodeSourceShareGone, op, "%s is not there", at).With("path", at)
	}
	if len(list) == 0 && r.Raw && r.Target.Original() {
		return volume.TargetError(op, dir, leave(dir, r.Remove))
	}
	if err := os.MkdirAll(dir, 0o755); err != nil {
		return volume.TargetError(op, dir, err)
	}
	root, err := os.OpenRoot(dir)
	if err != nil {
		return volume.TargetError(op, dir, err)
	}
	defer func() { err = errors.Join(err, root.Close()) }()
	a := &applier{c: c, root: root, from: r.From, mayReplace: r.Target.Original(), p: p}
	if err := a.all(ctx, list); err != nil {
		return volume.TargetError(op, dir, err)
	}
	if err := sweep(root); err != nil {
		return volume.TargetError(op, dir, err)
	}
	if err := removeCreated(root, list, r.Remove); err != nil {
		return volume.TargetError(op, dir, err)
	}
	// Last, since writing into a folder moves its time and a mode may forbid it.
	if err := a.folders(list); err != nil {
		return volume.TargetError(op, dir, err)
	}
	return volume.TargetError(op, dir, volume.SyncAll(dir))
}

type applier struct {
	c          *Connector
	root       *os.Root
	from       fs.FS
	mayReplace bool // what is in the way was saved
	p          app.Progress
}

func (a *applier) all(ctx context.Context, list []entry) error {
	for _, e := range list {
		if err := ctx.Err(); err != nil {
			return canceled("folder: restore", err)
		}
		var err error
		switch {
		case e.mode.IsDir():
			err = a.folder(e)
		case e.mode&fs.ModeSymlink != 0:
			err = a.link(e)
		default:
			err = a.file(ctx, e)
		}
		if err != nil {
			return fmt.Errorf("restore %s: %w", e.path, err)
		}
	}
	return nil
}

// clear takes away what is in the way of e, unless nobody saved it.
func (a *applier) clear(e entry, fi fs.FileInfo) error {
	name := filepath.FromSlash(e.path)
	if !a.mayReplace {
		return inTheWay("folder: restore", filepath.Join(a.root.Name(), name))
	}
	if fi.IsDir() {
		return a.root.RemoveAll(name)
	}
	return a.root.Remove(name)
}

// folder makes a real folder, so that what is written below it can't end up
// where a link leads.
func (a *applier) folder(e entry) error {
	name := filepath.FromSlash(e.path)
	fi, err := a.root.Lstat(name)
	if err == nil && fi.IsDir() {
		if fi.Mode().Perm()&0o700 != 0o700 {
			return a.root.Chmod(name, fi.Mode().Perm()|0o700)
		}
		return nil
	}
	if err == nil {
		if err := a.clear(e, fi); err != nil {
			return err
		}
	} else if !errors.Is(err, fs.ErrNotExist) {
		return err
	}
	return a.root.Mkdir(name, 0o700)
}

func (a *applier) link(e entry) error {
	name := filepath.FromSlash(e.path)
	fi, err := a.root.Lstat(name)
	if err == nil {
		if have, err := a.root.Readlink(name); err == nil && have == e.link {
			return nil
		}
		if fi.IsDir() || !a.mayReplace {
			if err := a.clear(e, fi); err != nil {
				return err
			}
		}
	} else if !errors.Is(err, fs.ErrNotExist) {
		return err
	}
	tmp := tempName(e.path)
	if err := a.remove(tmp); err != nil {
		return err
	}
	if err := a.root.Symlink(e.link, tmp); err != nil {
		return err
	}
	return a.root.Rename(tmp, name)
}

func (a *applier) file(ctx context.Context, e entry) error {
	name := filepath.FromSlash(e.path)
	fi, err := a.root.Lstat(name)
	if err != nil && !errors.Is(err, fs.ErrNotExist) {
		return err
	}
	if err == nil {
		same, err := a.same(ctx, e, fi)
		if err != nil {
			return err
		}
		if same {
			a.p.Done(1, e.size)
			return a.root.Chmod(name, e.mode.Perm())
		}
		if fi.IsDir() || !a.mayReplace {
			if err := a.clear(e, fi); err != nil {
				return err
			}
		}
	}
	tmp := tempName(e.path)
	if err := a.write(ctx, e, tmp); err != nil {
		return errors.Join(err, a.remove(tmp))
	}
	if err == nil && runtime.GOOS == "windows" && fi.Mode().IsRegular() && fi.Mode().Perm()&0o200 == 0 {
		// A read-only file can't be replaced there.
		if err := a.root.Chmod(name, 0o600); err != nil {
			return err
		}
	}
	if err := a.root.Rename(tmp, name); err != nil {
		return errors.Join(err, a.remove(tmp))
	}
	a.p.Done(1, 0)
	return nil
}

// tempName is the name e is written under, in its own folder. It does not
// depend on the length of e's name, and a second attempt finds the first's.
func tempName(p string) string {
	sum := sha256.Sum256([]byte(p))
	return filepath.FromSlash(path.Join(path.Dir(p), fmt.Sprintf("%s%x", newPrefix, sum[:8])))
}

func (a *applier) remove(name string) error {
	if err := a.root.Remove(name); !errors.Is(err, fs.ErrNotExist) {
		return err
	}
	return nil
}

// write writes e under the name tmp, with its mode and time.
func (a *applier) write(ctx context.Context, e entry, tmp string) (err error) {
	if err := a.remove(tmp); err != nil {
		return err
	}
	src, err := a.from.Open(e.path)
	if err != nil {
		return fmt.Errorf("open in the point: %w", err)
	}
	defer func() { err = errors.Join(err, src.Close()) }()
	dst, err := a.root.OpenFile(tmp, os.O_WRONLY|os.O_CREATE|os.O_EXCL, 0o600)
	if err != nil {
		return err
	}
	n, err := io.Copy(dst, &counted{r: src, ctx: ctx, p: a.p})
	if err == nil && n != e.size {
		err = app.Errorf(app.CodeCheckFailed, "folder: restore", "%s has %d bytes in the point and %d were read", e.path, e.size, n).With("path", e.path)
	}
	if err == nil && !volume.SyncsWhole {
		err = dst.Sync()
	}
	if err = errors.Join(err, dst.Close()); err != nil {
		return err
	}
	if err := a.root.Chtimes(tmp, e.mtime, e.mtime); err != nil {
		return err
	}
	return a.root.Chmod(tmp, e.mode.Perm())
}

// counted reports what is read and stops when ctx ends.
type counted struct {
	r   io.Reader
	ctx context.Context
	p   app.Progress
}

func (c *counted) Read(b []byte) (int, error) {
	if err := c.ctx.Err(); err != nil {
		return 0, canceled("folder: restore", err)
	}
	n, err := c.r.Read(b)
	c.p.Done(0, int64(n))
	return n, err
}

// same reports whether the file at the target is the point's. Size and time
// alone do not prove it: a power cut can leave a file of the right size and
// time with nothing in it.
func (a *applier) same(ctx context.Context, e entry, fi fs.FileInfo) (same bool, err error) {
	if !fi.Mode().IsRegular() || fi.Size() != e.size || !fi.ModTime().Equal(e.mtime) {
		return false, nil
	}
	f, err := a.root.Open(filepath.FromSlash(e.path))
	if errors.Is(err, fs.ErrPermission) {
		return false, nil
	}
	if err != nil {
		return false, err
	}
	have := a.c.files.Adopt(f)
	defer func() { err = errors.Join(err, have.Close()) }()
	src, err := a.from.Open(e.path)
	if err != nil {
		return false, fmt.Errorf("open in the point: %w", err)
	}
	defer func() { err = errors.Join(err, src.Close()) }()
	return equal(ctx, have, src)
}

// equal reports whether two readers hold the same bytes.
func equal(ctx context.Context, a, b io.Reader) (bool, error) {
	bufA, bufB := make([]byte, 1<<16), make([]byte, 1<<16)
	for {
		if err := ctx.Err(); err != nil {
			return false, canceled("folder: compare", err)
		}
		n, errA := io.ReadFull(a, bufA)
		m, errB := io.ReadFull(b, bufB)
		if err := errors.Join(notEnd(errA), notEnd(errB)); err != nil {
			return false, err
		}
		if n != m || !bytes.Equal(bufA[:n], bufB[:m]) {
			return false, nil
		}
		if n < len(bufA) {
			return true, nil
		}
	}
}

func notEnd(err error) error {
	if errors.Is(err, io.EOF) || errors.Is(err, io.ErrUnexpectedEOF) {
		return nil
	}
	return err
}

// folders gives folders their modes and times, children before parents.
func (a *applier) folders(list []entry) error {
	for i := len(list) - 1; i >= 0; i-- {
		e := list[i]
		if !e.mode.IsDir() {
			continue
		}
		name := filepath.FromSlash(e.path)
		if err := a.root.Chtimes(name, e.mtime, e.mtime); err != nil {
			return err
		}
		if err := a.root.Chmod(name, e.mode.Perm()); err != nil {
			return err
		}
	}
	return nil
}

// sweep removes what a restore that was killed and never resumed left behind.
func sweep(root *os.Root) error {
	return filepath.WalkDir(root.Name(), func(at string, d fs.DirEntry, err error) error {
		if errors.Is(err, fs.ErrPermission) || errors.Is(err, fs.ErrNotExist) {
			return nil // nothing was written there
		}
		if err != nil || d.IsDir() || !strings.HasPrefix(d.Name(), newPrefix) {
			return err
		}
		name, err := filepath.Rel(root.Name(), at)
		if err != nil {
			return err
		}
		return root.Remove(name)
	})
}

// removeCreated removes what the restore that is being undone had created, and
// nothing that came after it. Folders go when they are empty by then.
func removeCreated(root *os.Root, list []entry, names []string) error {
	created := make([]entry, 0, len(names))
	for _, name := range names {
		created = append(created, entry{path: name})
	}
	// where the file system takes two spellings for one name, what was created
	// may be what was just put back
	for _, e := range extras(root.Name(), created, list) {
		name := filepath.FromSlash(e.path)
		err := root.Remove(name)
		if err == nil || errors.Is(err, fs.ErrNotExist) {
			continue
		}
		if left, e := os.ReadDir(filepath.Join(root.Name(), name)); e == nil && len(left) > 0 {
			continue
		}
		return err
	}
	return nil
}

// leave undoes a restore into a folder that was not there before: what it
// created goes, and then the folder, if nothing else came into it.
func leave(dir string, created []string) error {
	root, err := os.OpenRoot(dir)
	if errors.Is(err, fs.ErrNotExist) {
		return nil
	}
	if err != nil {
		return err
	}
	if err := errors.Join(sweep(root), removeCreated(root, nil, created), root.Close()); err != nil {
		return err
	}
	if left, err := os.ReadDir(dir); err != nil || len(left) > 0 {
		return err
	}
	return os.Remove(dir)
}
