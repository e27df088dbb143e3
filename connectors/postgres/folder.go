package postgres

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"strings"

	"kvart/app"
	"kvart/connectors/internal/volume"
)

// chosen lists the files of a restore into a folder.
func chosen(r app.Restore) (list []file, err error) {
	paths := wholePaths(r.Paths)
	matched := map[string]bool{}
	err = fs.WalkDir(r.From, ".", func(name string, d fs.DirEntry, err error) error {
		if err != nil || d.IsDir() {
			return err
		}
		take := len(paths) == 0
		for _, p := range paths {
			if name == p || strings.HasPrefix(name, p+"/") {
				take, matched[p] = true, true
			}
		}
		if !take {
			return nil
		}
		fi, err := d.Info()
		if err != nil {
			return err
		}
		list = append(list, file{name, fi.Size()})
		return nil
	})
	if err != nil {
		return nil, fmt.Errorf("list the point: %w", err)
	}
	for _, p := range paths {
		if !matched[p] {
			return nil, app.Errorf(app.CodePathUnknown, opRestore, "%s is not in the point", p).With("path", p)
		}
	}
	return list, nil
}

// toFolder writes the point's files into a folder, each whole or not at all.
func toFolder(ctx context.Context, r app.Restore, p app.Progress) error {
	list, err := chosen(r)
	if err != nil {
		return err
	}
	dir := r.Target.Dir
	if at := volume.Unplugged(dir); at != "" {
		return app.Errorf(app.CodeSourceShareGone, opRestore, "%s is not there", at).With("path", at)
	}
	var bytes int64
	for _, f := range list {
		bytes += f.size
	}
	p.Expect(int64(len(list)), bytes)
	for _, f := range list {
		if err := writeFile(ctx, r.From, f, dir, p); err != nil {
			if ctx.Err() != nil {
				return &app.Error{Code: app.CodeCanceled, Op: opRestore, Err: err}
			}
			return volume.TargetError(opRestore, dir, err)
		}
		p.Done(1, 0)
	}
	return volume.TargetError(opRestore, dir, volume.SyncAll(dir))
}

func writeFile(ctx context.Context, from fs.FS, f file, dir string, p app.Progress) (err error) {
	to := filepath.Join(dir, filepath.FromSlash(f.name))
	if _, err := os.Lstat(to); err == nil {
		same, err := sameFile(ctx, from, f.name, to)
		if err != nil || same {
			return err
		}
		return app.Errorf(app.CodeTargetExists, opRestore, "%s is there and different", to).With("path", to)
	}
	if err := os.MkdirAll(filepath.Dir(to), 0o700); err != nil {
		return err
	}
	src, err := from.Open(f.name)
	if err != nil {
		return fmt.Errorf("open in the point: %w", err)
	}
	defer func() { err = closing(err, src.Close) }()
	tmp := to + ".kvart-new"
	dst, err := os.OpenFile(tmp, os.O_WRONLY|os.O_CREATE|os.O_TRUNC, 0o600)
	if err != nil {
		return err
	}
	n, err := io.Copy(dst, &counted{r: src, ctx: ctx, p: p})
	if err == nil && n != f.size {
		err = app.Errorf(app.CodeCheckFailed, opRestore, "%s has %d bytes in the point and %d were read", f.name, f.size, n).With("path", f.name)
	}
	if err == nil && !volume.SyncsWhole {
		err = dst.Sync()
	}
	if err = errors.Join(err, dst.Close()); err == nil {
		err = os.Rename(tmp, to)
	}
	if err != nil {
		return errors.Join(err, os.Remove(tmp))
	}
	return nil
}

func sameFile(ctx context.Context, from fs.FS, name, to string) (same bool, err error) {
	a, err := from.Open(name)
	if err != nil {
		return false, fmt.Errorf("open in the point: %w", err)
	}
	defer func() { err = closing(err, a.Close) }()
	b, err := os.Open(to)
	if err != nil {
		return false, err
	}
	defer func() { err = closing(err, b.Close) }()
	bufA, bufB := make([]byte, 64<<10), make([]byte, 64<<10)
	for {
		if err := ctx.Err(); err != nil {
			return false, err
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

// verifyFolder compares the files with the point's.
func verifyFolder(ctx context.Context, r app.Restore) ([]app.Check, error) {
	list, err := chosen(r)
	if err != nil {
		return nil, err
	}
	check := app.Check{Code: checkFiles}
	var total int64
	var wrong []string
	for _, f := range list {
		same, err := sameFile(ctx, r.From, f.name, filepath.Join(r.Target.Dir, filepath.FromSlash(f.name)))
		switch {
		case ctx.Err() != nil:
			return nil, &app.Error{Code: app.CodeCanceled, Op: "postgres: verify", Err: ctx.Err()}
		case err != nil:
			wrong = append(wrong, err.Error())
			check.See(app.Named(app.SeenFilesUnread, f.name))
		case !same:
			wrong = append(wrong, f.name+" differs")
			check.See(app.Named(app.SeenFilesDiffer, f.name))
		}
		total += f.size
	}
	detail := fmt.Sprintf("%d files, %s bytes", len(list), spaced(total))
	check.OK, check.Detail = len(wrong) == 0, strings.Join(append([]string{detail}, wrong...), "; ")
	check.Counted = app.Counted{Files: int64(len(list)), Bytes: total}
	return []app.Check{check}, nil
}
