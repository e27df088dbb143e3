package rest

import (
	"bytes"
	"cmp"
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"strings"

	"kvart/app"
)

// eachFile calls fn for every file that is picked, records and pictures.
func (s selection) eachFile(ctx context.Context, fn func(at string, fi fs.FileInfo) error) error {
	err := fs.WalkDir(s.point, ".", func(at string, d fs.DirEntry, err error) error {
		if err == nil {
			err = ctx.Err()
		}
		if err != nil || d.IsDir() || !s.picks(at) {
			return err
		}
		fi, err := d.Info()
		if err != nil {
			return err
		}
		return fn(at, fi)
	})
	if err != nil {
		return canceled(ctx, fmt.Errorf("read point: %w", err))
	}
	return nil
}

// planToDir plans the writing of a point's files to a folder: an export for
// people, and what a drill does.
func (e *Engine) planToDir(ctx context.Context, r app.Restore) (plan app.TargetPlan, err error) {
	s, err := selected(r)
	if err != nil {
		return plan, err
	}
	if plan.Where, err = filepath.Abs(r.Target.Dir); err != nil {
		return plan, fmt.Errorf("find %s: %w", r.Target.Dir, err)
	}
	return plan, s.eachFile(ctx, func(at string, fi fs.FileInfo) error {
		plan.Files++
		plan.Bytes += fi.Size()
		to := filepath.Join(plan.Where, filepath.FromSlash(at))
		if _, err := os.Lstat(to); err != nil {
			plan.Create++
			return nil
		}
		same, err := s.equalFile(at, to)
		if err != nil || same {
			return err
		}
		plan.Overwrite++
		if len(plan.Blockers) == 0 {
			plan.Blockers = append(plan.Blockers, inTheWay(to))
		}
		return nil
	})
}

func inTheWay(at string) *app.Error {
	return app.Errorf(app.CodeTargetExists, "shop: restore to folder", "%s is there already", at).With("path", at)
}

// equalFile compares a file of the point with one in a folder.
func (s selection) equalFile(at, to string) (bool, error) {
	want, err := fs.ReadFile(s.point, at)
	if err != nil {
		return false, fmt.Errorf("read %s in the point: %w", at, err)
	}
	have, err := os.ReadFile(to)
	return err == nil && bytes.Equal(want, have), nil
}

func (e *Engine) applyToDir(ctx context.Context, r app.Restore, p app.Progress) error {
	s, err := selected(r)
	if err != nil {
		return err
	}
	return s.eachFile(ctx, func(at string, fi fs.FileInfo) error {
		p.Expect(1, fi.Size())
		to := filepath.Join(r.Target.Dir, filepath.FromSlash(at))
		if _, err := os.Lstat(to); err == nil {
			if same, err := s.equalFile(at, to); err != nil {
				return err
			} else if !same {
				return inTheWay(to)
			}
		} else if err := s.copyFile(at, to, fi); err != nil {
			return err
		}
		p.Done(1, fi.Size())
		return nil
	})
}

// copyFile writes one file, whole or not at all.
func (s selection) copyFile(at, to string, fi fs.FileInfo) (err error) {
	if err := os.MkdirAll(filepath.Dir(to), 0o700); err != nil {
		return fmt.Errorf("make folder: %w", err)
	}
	from, err := s.point.Open(at)
	if err != nil {
		return fmt.Errorf("read %s in the point: %w", at, err)
	}
	defer func() { err = errors.Join(err, from.Close()) }()
	tmp, err := os.CreateTemp(filepath.Dir(to), ".kvart-*")
	if err != nil {
		return fmt.Errorf("write %s: %w", to, err)
	}
	_, err = io.Copy(tmp, from)
	err = errors.Join(err, tmp.Close())
	if err == nil {
		err = os.Chtimes(tmp.Name(), fi.ModTime(), fi.ModTime())
	}
	if err == nil {
		err = os.Rename(tmp.Name(), to)
	}
	if err != nil {
		return errors.Join(fmt.Errorf("write %s: %w", to, err), os.Remove(tmp.Name()))
	}
	return nil
}

// verifyDir reads every record back, and counts them against the point.
func (e *Engine) verifyDir(ctx context.Context, r app.Restore) ([]app.Check, error) {
	s, err := selected(r)
	if err != nil {
		return nil, err
	}
	files := app.Check{Source: r.Access.Source.Name, Code: "files"}
	count, bad := map[string]int64{}, ""
	err = s.eachFile(ctx, func(at string, _ fs.FileInfo) error {
		name, _, _ := strings.Cut(at, "/")
		to := filepath.Join(r.Target.Dir, filepath.FromSlash(at))
		same, err := s.equalFile(at, to)
		if err != nil {
			return err
		}
		_, isKind := e.byName[name]
		if isKind && strings.HasSuffix(at, ".json") {
			count[name]++
			body, err := os.ReadFile(to)
			if err == nil {
				_, err = decode(body)
			}
			same = same && err == nil
		}
		files.Counted.Files++
		if !same {
			bad = cmp.Or(bad, at)
			files.See(app.Named(app.SeenFilesDiffer, at))
		}
		return nil
	})
	if err != nil {
		return nil, err
	}
	files.OK, files.Detail = bad == "", bad
	checks := []app.Check{files}
	for _, k := range e.kinds {
		n, told := r.Stats["kind."+k.Name]
		if !told || !s.all() {
			continue
		}
		check := app.Check{
			Source: r.Access.Source.Name, Code: "records", OK: n == count[k.Name],
			Detail: fmt.Sprintf("%s: %d of %d", k.Name, count[k.Name], n),
		}
		check.Seen = []app.Seen{{Code: app.SeenRecordsSame, Kind: k.Name, Count: n}}
		if !check.OK {
			check.Seen = []app.Seen{{Code: app.SeenRecordsNumber, Kind: k.Name, Count: count[k.Name], Of: n}}
		}
		checks = append(checks, check)
	}
	return checks, nil
}
