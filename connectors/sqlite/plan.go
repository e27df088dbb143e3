package sqlite

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"maps"
	"os"
	"path"
	"path/filepath"
	"slices"
	"strings"

	"kvart/app"
	"kvart/connectors/internal/volume"
)

// placing is one file of a restore: where it is in the point and where it goes.
type placing struct {
	from string
	to   string
	size int64
	mode fs.FileMode
}

// unit is one database of a restore with its journals.
type unit struct {
	name   string // in the point
	file   string // its place, original or not
	places []placing
	remove bool // nothing was there when the safety point was made
	sealed bool // under encryption
	over   bool // what lies at its place is under encryption
}

// job is what a restore comes down to: the database, and after it those that
// its program attaches.
type job struct{ units []unit }

// file is the place of the first database, which the source is known by.
func (j job) file() string { return j.units[0].file }

// places lists the files of all databases.
func (j job) places() (out []placing) {
	for _, u := range j.units {
		out = append(out, u.places...)
	}
	return out
}

func (j job) bytes() (n int64) {
	for _, p := range j.places() {
		n += p.size
	}
	return n
}

// job finds what a restore puts where. The journals of a database are in a
// safety point, and in the point of one under encryption.
func (c *Connector) job(r app.Restore) (j job, err error) {
	const op = "sqlite: plan restore"
	all, err := members(r.Access)
	if err != nil {
		return j, err
	}
	if err := onlyWhole(r); err != nil {
		return j, err
	}
	main := all[0]
	at := func(m member) string {
		if r.Target.Original() {
			return m.file
		}
		return filepath.Join(r.Target.Dir, filepath.FromSlash(m.name))
	}
	base, err := mainFile(r.From, main.name)
	if errors.Is(err, fs.ErrNotExist) && r.Raw {
		j.units = append(j.units, unit{name: main.name, file: at(main), remove: true})
	} else if err != nil {
		return j, app.Errorf(app.CodePathUnknown, op, "find the database in the point: %w", err).With("path", main.name)
	} else if j.units, err = c.unit(r, j.units, base, at(main)); err != nil {
		return j, err
	}
	inside, err := withIn(r.From)
	if err != nil {
		return j, err
	}
	for _, m := range all[1:] {
		if !slices.Contains(inside, m.name) && r.Raw {
			j.units = append(j.units, unit{name: m.name, file: at(m), remove: true})
		}
	}
	for _, name := range inside {
		m := member{name: name}
		if i := slices.IndexFunc(all, func(o member) bool { return o.name == name }); i >= 0 {
			m = all[i]
		} else if r.Target.Original() {
			return j, app.Errorf(app.CodePathUnknown, op, "the source no longer says where %s belongs", name).With("path", name)
		}
		if j.units, err = c.unit(r, j.units, name, at(m)); err != nil {
			return j, err
		}
	}
	return j, nil
}

// unit adds a database of the point.
func (c *Connector) unit(r app.Restore, units []unit, name, file string) (_ []unit, err error) {
	u := unit{name: name, file: file}
	if u.sealed, err = sealedIn(r.From, name); err != nil {
		return units, fmt.Errorf("look at %s in the point: %w", name, err)
	}
	if present, err := c.state(file); err != nil {
		u.over = present.sealed
	}
	for _, suffix := range append([]string{""}, companions[:]...) {
		fi, err := fs.Stat(r.From, name+suffix)
		if errors.Is(err, fs.ErrNotExist) {
			continue
		}
		if err != nil {
			return units, fmt.Errorf("look at %s in the point: %w", name+suffix, err)
		}
		u.places = append(u.places, placing{from: name + suffix, to: file + suffix, size: fi.Size(), mode: fi.Mode().Perm()})
	}
	return append(units, u), nil
}

// withIn lists the attached databases of a point.
func withIn(from fs.FS) (names []string, err error) {
	list, err := fs.ReadDir(from, withDir)
	if errors.Is(err, fs.ErrNotExist) {
		return nil, nil
	}
	for _, e := range list {
		if e.Type().IsRegular() && !isCompanion(e.Name()) {
			names = append(names, path.Join(withDir, e.Name()))
		}
	}
	return names, err
}

// onlyWhole refuses single tables for the original place: SQLite has no way
// to put a table back under a till without touching the others.
func onlyWhole(r app.Restore) error {
	for _, p := range r.Paths {
		if isTable(p) && r.Target.Original() {
			return app.Errorf(app.CodeUsage, "sqlite: plan restore", "%s can only be restored to a folder", p).With("path", p)
		}
	}
	return nil
}

func isTable(p string) bool { return strings.HasPrefix(p, tablesDir+"/") }

// mainFile finds the database in a point. The source's file may have had
// another name when the point was made; then it is the only one there.
func mainFile(from fs.FS, base string) (string, error) {
	if fi, err := fs.Stat(from, base); err == nil && fi.Mode().IsRegular() {
		return base, nil
	}
	list, err := fs.ReadDir(from, ".")
	if err != nil && !errors.Is(err, fs.ErrNotExist) {
		return "", err
	}
	found := ""
	for _, e := range list {
		if !e.Type().IsRegular() || isCompanion(e.Name()) {
			continue
		}
		if found != "" {
			return "", fmt.Errorf("%s: several files and none of that name", base)
		}
		found = e.Name()
	}
	if found == "" {
		return "", &fs.PathError{Op: "find", Path: base, Err: fs.ErrNotExist}
	}
	return found, nil
}

func isCompanion(name string) bool {
	for _, suffix := range companions {
		if strings.HasSuffix(name, suffix) {
			return true
		}
	}
	return strings.HasSuffix(name, "-shm")
}

// Plan implements [app.Restorer].
func (c *Connector) Plan(ctx context.Context, r app.Restore) (app.TargetPlan, error) {
	if err := ctx.Err(); err != nil {
		return app.TargetPlan{}, codeOf(ctx, "sqlite: plan restore", "", err)
	}
	if tables(r.Paths) != nil {
		return c.planTables(r)
	}
	j, err := c.job(r)
	if err != nil {
		return app.TargetPlan{}, err
	}
	plan := app.TargetPlan{Where: j.file(), Bytes: j.bytes(), Files: int64(len(j.places()))}
	for _, p := range j.places() {
		if _, err := os.Lstat(p.to); err == nil {
			plan.Overwrite++
		} else {
			plan.Create++
		}
	}
	plan.Blockers = j.room()
	if !r.Target.Original() {
		for _, p := range j.places() {
			plan.Blockers = append(plan.Blockers, exists(p.to)...)
		}
		return plan, nil
	}
	for _, u := range j.units {
		if plan, err = c.planOriginal(ctx, u, plan); err != nil {
			return plan, err
		}
	}
	return plan, nil
}

// room tells what keeps the databases from being written where they go.
func (j job) room() (out []*app.Error) {
	need := map[string]int64{}
	for _, u := range j.units {
		for _, p := range u.places {
			need[filepath.Dir(u.file)] += p.size
		}
	}
	for _, dir := range slices.Sorted(maps.Keys(need)) {
		for _, b := range volume.Blockers(dir, need[dir]) {
			if !slices.ContainsFunc(out, func(o *app.Error) bool { return o.Code == b.Code && o.Args["path"] == b.Args["path"] }) {
				out = append(out, b)
			}
		}
	}
	return out
}

// planOriginal looks at what lies at the original place and who uses it.
func (c *Connector) planOriginal(ctx context.Context, u unit, plan app.TargetPlan) (app.TargetPlan, error) {
	gone, err := absent(u.file)
	if err != nil || gone {
		// A disk that is not there is among the blockers already.
		return plan, nil
	}
	plan.Exists = true
	if u.remove {
		plan.Remove++
	}
	user, err := c.user(ctx, u.file)
	if err != nil {
		return plan, err
	}
	if user != nil {
		plan.Blockers = append([]*app.Error{user}, plan.Blockers...)
	}
	return plan, nil
}

// user returns the blocker for a program that has the database open, nil when
// none is seen. It changes nothing.
func (c *Connector) user(ctx context.Context, file string) (*app.Error, error) {
	program, err := holder(file, file+"-wal", file+"-shm", file+"-journal")
	if err != nil {
		return nil, fmt.Errorf("look for programs that use %s: %w", file, err)
	}
	if program != "" {
		return inUse(file, program), nil
	}
	st, err := c.state(file)
	if err != nil || st.size == 0 || st.head.wal() {
		return nil, nil // not a database, or asking for its lock would make files
	}
	if _, err := os.Lstat(file + "-journal"); err == nil {
		return nil, nil // asking could roll a crashed commit back
	}
	release, err := c.files.Hold(file)
	if err != nil {
		return nil, err
	}
	defer func() { c.warn("Could not close descriptors", release()) }()
	db, err := open(ctx, file, readWrite)
	if err == nil {
		if err = db.exec(ctx, `BEGIN EXCLUSIVE`); err == nil {
			err = db.exec(ctx, `ROLLBACK`)
		}
		err = closing(err, db.Close)
	}
	if locked(err) {
		return inUse(file, ""), nil
	}
	return nil, nil // damaged or read only: that is no program's doing
}

func inUse(file, program string) *app.Error {
	e := app.Errorf(app.CodeTargetInUse, "sqlite: look at target", "%s is used by %q", file, program).With("path", file)
	if program != "" {
		e = e.With("program", program)
	}
	return e
}

// exists returns the blocker for a file that is in the way in a folder that
// nobody saved.
func exists(file string) []*app.Error {
	if _, err := os.Lstat(file); err != nil {
		return nil
	}
	return []*app.Error{app.Errorf(app.CodeTargetExists, "sqlite: look at target", "%s is there already", file).With("path", file)}
}

// tables returns the paths that name tables.
func tables(paths []string) (out []string) {
	for _, p := range paths {
		if p = path.Clean(p); isTable(p) {
			out = append(out, p)
		}
	}
	return out
}

// planTables plans writing single tables as SQL.
func (c *Connector) planTables(r app.Restore) (app.TargetPlan, error) {
	if err := onlyWhole(r); err != nil {
		return app.TargetPlan{}, err
	}
	plan := app.TargetPlan{Where: r.Target.Dir}
	for _, p := range r.Paths {
		to := filepath.Join(r.Target.Dir, filepath.Base(filepath.FromSlash(p)))
		plan.Files++
		plan.Create++
		plan.Blockers = append(plan.Blockers, exists(to)...)
	}
	plan.Blockers = append(plan.Blockers, volume.Blockers(r.Target.Dir, plan.Bytes)...)
	return plan, nil
}
