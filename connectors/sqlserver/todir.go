package sqlserver

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"strings"

	"kvart/app"
	"kvart/connectors/internal/volume"
)

// partSuffix ends the names of files that are not in place yet.
const partSuffix = ".kvart-new"

func (j *job) place(f pointFile) string { return filepath.Join(j.dir, f.path) }

// planDir plans writing the files of the point into a folder.
func (c *Connector) planDir(ctx context.Context, j job) (app.TargetPlan, error) {
	plan := app.TargetPlan{Where: j.dir, Bytes: j.bytes(), Files: int64(len(j.files))}
	for _, f := range j.files {
		if _, err := os.Lstat(j.place(f)); err != nil {
			plan.Create++
			continue
		}
		same, err := j.same(ctx, f)
		if err != nil {
			return plan, err
		}
		if !same {
			plan.Blockers = append(plan.Blockers, j.taken(f))
		}
	}
	plan.Blockers = append(plan.Blockers, volume.Blockers(j.dir, plan.Bytes)...)
	return plan, nil
}

func (j *job) taken(f pointFile) *app.Error {
	return app.Errorf(app.CodeTargetExists, j.op, "%s is there already", j.place(f)).With("path", j.place(f))
}

// applyDir writes the files of the point into a folder, over nothing.
func (c *Connector) applyDir(ctx context.Context, j job, p app.Progress) error {
	if err := os.MkdirAll(j.dir, 0o755); err != nil {
		return volume.TargetError(j.op, j.dir, err)
	}
	for _, f := range j.files {
		to := j.place(f)
		if _, err := os.Lstat(to); err == nil {
			same, err := j.same(ctx, f)
			if err != nil {
				return err
			}
			if !same {
				return j.taken(f)
			}
			p.Done(1, f.size)
			continue
		}
		if err := j.copyOut(ctx, f, to+partSuffix, p); err != nil {
			return volume.TargetError(j.op, to, errors.Join(err, remove(to+partSuffix)))
		}
		if err := os.Rename(to+partSuffix, to); err != nil {
			return volume.TargetError(j.op, to, err)
		}
		if err := volume.SyncDir(j.dir); err != nil {
			return volume.TargetError(j.op, to, err)
		}
		p.Done(1, 0)
	}
	return nil
}

func (j *job) copyOut(ctx context.Context, f pointFile, to string, p app.Progress) (err error) {
	src, err := j.from.Open(f.path)
	if err != nil {
		return fmt.Errorf("open %s in the point: %w", f.path, err)
	}
	defer func() { err = errors.Join(err, src.Close()) }()
	if err := remove(to); err != nil {
		return err
	}
	dst, err := os.OpenFile(to, os.O_WRONLY|os.O_CREATE|os.O_EXCL, 0o600)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, dst.Close()) }()
	n, err := io.Copy(dst, counted{ctx, src, p})
	if err != nil {
		return fmt.Errorf("write %s: %w", to, err)
	}
	if n != f.size {
		return app.Errorf(app.CodeCheckFailed, j.op, "%s has %d bytes in the point and %d were read", f.path, f.size, n)
	}
	return dst.Sync()
}

// same compares a file of the point with the one in the folder.
func (j *job) same(ctx context.Context, f pointFile) (same bool, err error) {
	a, err := j.from.Open(f.path)
	if err != nil {
		return false, fmt.Errorf("open %s in the point: %w", f.path, err)
	}
	defer func() { err = errors.Join(err, a.Close()) }()
	b, err := os.Open(j.place(f))
	if err != nil {
		return false, volume.TargetError(j.op, j.place(f), err)
	}
	defer func() { err = errors.Join(err, b.Close()) }()
	x, y := make([]byte, 256<<10), make([]byte, 256<<10)
	for {
		if err := ctx.Err(); err != nil {
			return false, &app.Error{Code: app.CodeCanceled, Op: j.op, Err: err}
		}
		n, errA := io.ReadFull(a, x)
		m, errB := io.ReadFull(b, y)
		switch {
		case errA != nil && !ended(errA):
			return false, fmt.Errorf("read %s in the point: %w", f.path, errA)
		case errB != nil && !ended(errB):
			return false, fmt.Errorf("read %s: %w", f.path, errB)
		case !bytes.Equal(x[:n], y[:m]):
			return false, nil
		case errA != nil || errB != nil:
			return errA != nil && errB != nil, nil
		}
	}
}

func ended(err error) bool { return errors.Is(err, io.EOF) || errors.Is(err, io.ErrUnexpectedEOF) }

func (c *Connector) verifyDir(ctx context.Context, j job) ([]app.Check, error) {
	check := app.Check{Code: checkFiles, OK: true, Counted: app.Counted{Files: int64(len(j.files)), Bytes: j.bytes()}}
	details := []string{fmt.Sprintf("%d files, %s bytes", len(j.files), spaced(j.bytes()))}
	for _, f := range j.files {
		same, err := j.same(ctx, f)
		switch {
		case ctx.Err() != nil:
			return nil, err
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
