package mysql

import (
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

// partSuffix ends the names of files that are not in place yet.
const partSuffix = ".kvart-new"

func (j *job) place(f pointFile) string { return filepath.Join(j.dir, filepath.FromSlash(f.path)) }

func openFile(path string) func() (io.ReadCloser, error) {
	return func() (io.ReadCloser, error) { return os.Open(path) }
}

// planDir plans writing the files of the point into a folder.
func (c *Connector) planDir(ctx context.Context, j job) (app.TargetPlan, error) {
	plan := app.TargetPlan{Where: j.dir, Bytes: j.bytes(), Files: int64(len(j.files))}
	for _, f := range j.files {
		if err := ctx.Err(); err != nil {
			return plan, &app.Error{Code: app.CodeCanceled, Op: j.op, Err: err}
		}
		if _, err := os.Lstat(j.place(f)); err != nil {
			plan.Create++
			continue
		}
		same, err := sameBytes(j.from, f.path, openFile(j.place(f)))
		if err != nil {
			return plan, err
		}
		if !same {
			plan.Blockers = append(plan.Blockers, taken(j, f))
		}
	}
	plan.Blockers = append(plan.Blockers, volume.Blockers(j.dir, plan.Bytes)...)
	return plan, nil
}

func taken(j job, f pointFile) *app.Error {
	return app.Errorf(app.CodeTargetExists, j.op, "%s is there already", j.place(f)).With("path", j.place(f))
}

// applyDir writes the files of the point into a folder, over nothing.
func (c *Connector) applyDir(ctx context.Context, j job, p app.Progress) error {
	for _, f := range j.files {
		to := j.place(f)
		if err := os.MkdirAll(filepath.Dir(to), 0o755); err != nil {
			return volume.TargetError(j.op, to, err)
		}
		if _, err := os.Lstat(to); err == nil {
			same, err := sameBytes(j.from, f.path, openFile(to))
			if err != nil {
				return err
			}
			if !same {
				return taken(j, f)
			}
			p.Done(1, f.size)
			continue
		}
		if err := copyOut(ctx, j, f, to+partSuffix, p); err != nil {
			return volume.TargetError(j.op, to, errors.Join(err, remove(to+partSuffix)))
		}
		if err := os.Rename(to+partSuffix, to); err != nil {
			return volume.TargetError(j.op, to, err)
		}
		if err := volume.SyncDir(filepath.Dir(to)); err != nil {
			return volume.TargetError(j.op, to, err)
		}
	}
	return nil
}

func remove(file string) error {
	if err := os.Remove(file); !errors.Is(err, fs.ErrNotExist) {
		return err
	}
	return nil
}

func copyOut(ctx context.Context, j job, f pointFile, to string, p app.Progress) (err error) {
	one := j
	one.whole = true // as it is
	src := &filesInTurn{ctx: ctx, j: one, p: p, paths: []string{f.path}}
	defer func() { err = errors.Join(err, src.Close()) }()
	if err := remove(to); err != nil {
		return err
	}
	dst, err := os.OpenFile(to, os.O_WRONLY|os.O_CREATE|os.O_EXCL, 0o600)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, dst.Close()) }()
	n, err := io.Copy(dst, src)
	if err != nil {
		return fmt.Errorf("write %s: %w", to, err)
	}
	if n != f.size {
		return app.Errorf(app.CodeCheckFailed, j.op, "%s has %d bytes in the point and %d were read", f.path, f.size, n)
	}
	return dst.Sync()
}

func (c *Connector) verifyDir(ctx context.Context, j job) ([]app.Check, error) {
	check := app.Check{Code: checkFiles, OK: true, Counted: app.Counted{Files: int64(len(j.files)), Bytes: j.bytes()}}
	details := []string{fmt.Sprintf("%d files, %s bytes", len(j.files), spaced(j.bytes()))}
	for _, f := range j.files {
		if err := ctx.Err(); err != nil {
			return nil, &app.Error{Code: app.CodeCanceled, Op: "mysql: verify", Err: err}
		}
		same, err := sameBytes(j.from, f.path, openFile(j.place(f)))
		switch {
		case err != nil:
			check.OK = false
			check.See(app.Named(app.SeenFilesUnread, f.path))
			details = append(details, err.Error())
		case !same:
			check.OK = false
			check.See(app.Named(app.SeenFilesDiffer, f.path))
			details = append(details, f.path+" differs")
		}
	}
	check.Detail = strings.Join(details, "; ")
	return []app.Check{check}, nil
}
