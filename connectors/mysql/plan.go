package mysql

import (
	"bufio"
	"context"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"path"
	"slices"
	"strings"

	"kvart/app"
)

// job is what a restore comes down to.
type job struct {
	op     string
	cfg    config // its database is the target's
	dir    string // instead of a database
	from   fs.FS
	about  about
	files  []pointFile // of the point, in the order of their names; of Paths only
	whole  bool        // everything, not single tables
	tables []string    // of the point, to be restored
	gone   []string    // tables that an undo takes away
	drop   bool        // an undo to where there was no database
	events bool        // to be enabled
	stats  app.Stats
	id     string // tells this restore from others
}

type pointFile struct {
	path string
	size int64
}

// job finds what a restore puts where.
func (c *Connector) job(r app.Restore) (j job, err error) {
	j = job{op: "mysql: restore", from: r.From, stats: r.Stats, dir: r.Target.Dir, events: r.Target.Database == ""}
	if j.cfg, err = readConfig(r.Access); err != nil {
		return j, err
	}
	if name := r.Target.Database; name != "" {
		if err := checkName("to", name); err != nil {
			return j, err
		}
		if strings.EqualFold(name, j.cfg.database) {
			return j, app.Errorf(app.CodeUsage, j.op, "%q is the database itself", name).With("field", "to")
		}
		j.cfg.database = name
	}
	if err := j.list(); err != nil {
		return j, err
	}
	if err := j.choose(r); err != nil {
		return j, err
	}
	j.id = j.name()
	return j, nil
}

// list reads what the point holds.
func (j *job) list() error {
	err := fs.WalkDir(j.from, ".", func(p string, d fs.DirEntry, err error) error {
		if errors.Is(err, fs.ErrNotExist) && p == "." {
			return nil // nothing
		}
		if err != nil {
			return err
		}
		if d.IsDir() || !isOurs(p) {
			return nil
		}
		fi, err := d.Info()
		if err != nil {
			return err
		}
		j.files = append(j.files, pointFile{p, fi.Size()})
		return nil
	})
	if err != nil {
		return fmt.Errorf("%s: read the point: %w", j.op, err)
	}
	slices.SortFunc(j.files, func(a, b pointFile) int { return strings.Compare(a.path, b.path) })
	if !j.holds(fileDatabase) {
		return nil
	}
	j.about, err = readAbout(j.from)
	return err
}

func isOurs(p string) bool {
	switch p {
	case fileDatabase, fileRoutines, fileSequences, fileTriggers, fileViews, fileEvents, fileEnd:
		return true
	}
	return tableName(p) != ""
}

func (j *job) holds(name string) bool {
	return slices.ContainsFunc(j.files, func(f pointFile) bool { return f.path == name })
}

func readAbout(from fs.FS) (a about, err error) {
	f, err := from.Open(fileDatabase)
	if err != nil {
		return a, fmt.Errorf("open %s in the point: %w", fileDatabase, err)
	}
	line, err := bufio.NewReader(f).ReadString('\n')
	if err := errors.Join(err, f.Close()); err != nil {
		return a, fmt.Errorf("read %s in the point: %w", fileDatabase, err)
	}
	text, ok := strings.CutPrefix(line, aboutMark)
	if !ok {
		return a, fmt.Errorf("%s in the point is none of Kvart's", fileDatabase)
	}
	if err := json.Unmarshal([]byte(text), &a); err != nil {
		return a, fmt.Errorf("read %s in the point: %w", fileDatabase, err)
	}
	return a, nil
}

// choose narrows the job down to what the owner asked for.
func (j *job) choose(r app.Restore) error {
	var chosen []string
	j.whole = true
	for _, p := range r.Paths {
		if p = path.Clean(p); p == "." {
			chosen = nil
			break
		}
		chosen = append(chosen, p)
	}
	for _, p := range r.Remove {
		if name := tableName(p); name != "" {
			j.gone = append(j.gone, name)
		}
	}
	if len(chosen) > 0 {
		j.whole = false
		if err := j.narrow(chosen); err != nil {
			return err
		}
	}
	for _, f := range j.files {
		if name := tableName(f.path); name != "" {
			j.tables = append(j.tables, name)
		}
	}
	if j.whole && !j.holds(fileDatabase) {
		if !r.Raw || len(j.files) > 0 || !r.Target.Original() {
			return app.Errorf(app.CodePathUnknown, j.op, "the point holds no database").With("path", fileDatabase)
		}
		j.drop = slices.Contains(r.Remove, fileDatabase)
	}
	return nil
}

func (j *job) narrow(chosen []string) error {
	all := j.files
	j.files = nil
	for _, p := range chosen {
		found := false
		for _, f := range all {
			if f.path == p || strings.HasPrefix(f.path, p+"/") {
				found = true
				j.files = append(j.files, f)
			}
		}
		switch {
		case j.dir == "" && p != tablesDir && tableName(p) == "":
			return app.Errorf(app.CodeUsage, j.op, "%s can only be restored to a folder", p).With("path", p)
		case !found && !slices.Contains(j.gone, tableName(p)):
			return app.Errorf(app.CodePathUnknown, j.op, "%s is not in the point", p).With("path", p)
		}
	}
	slices.SortFunc(j.files, func(a, b pointFile) int { return strings.Compare(a.path, b.path) })
	j.files = slices.Compact(j.files)
	return nil
}

// name tells restores of the same from the same to the same.
func (j *job) name() string {
	sum := sha256.New()
	fmt.Fprintf(sum, "%q %v %v %q\n", j.cfg.database, j.whole, j.events, j.gone)
	for _, f := range j.files {
		fmt.Fprintf(sum, "%q %d\n", f.path, f.size)
		if fi, err := fs.Stat(j.from, f.path); err == nil {
			fmt.Fprintf(sum, "%d\n", fi.ModTime().UnixNano())
		}
	}
	return hex.EncodeToString(sum.Sum(nil)[:16])
}

func (j *job) bytes() (n int64) {
	for _, f := range j.files {
		n += f.size
	}
	return n
}

// Plan implements [app.Restorer].
func (c *Connector) Plan(ctx context.Context, r app.Restore) (plan app.TargetPlan, err error) {
	const op = "mysql: plan restore"
	if err := ctx.Err(); err != nil {
		return plan, &app.Error{Code: app.CodeCanceled, Op: op, Err: err}
	}
	j, err := c.job(r)
	if err != nil {
		return plan, err
	}
	if j.dir != "" {
		return c.planDir(ctx, j)
	}
	plan = app.TargetPlan{Where: j.cfg.database + " (" + j.cfg.where() + ")", Bytes: j.bytes(), Files: int64(len(j.files))}
	s, err := c.dial(ctx, j.cfg)
	if err != nil {
		return plan, err
	}
	defer func() { c.warn("Could not end connection", s.Close()) }()
	defer func() { err = j.cfg.codeOf(ctx, op, err) }()
	_, _, exists, err := s.exists(ctx, j.cfg.database)
	if err != nil {
		return plan, err
	}
	present, err := s.tables(ctx, j.cfg.database)
	if err != nil {
		return plan, err
	}
	plan.Exists = exists && r.Target.Original()
	j.count(&plan, survey{tables: present}.stored(false))
	blockers, err := c.blockers(ctx, s, j)
	if err != nil {
		return plan, err
	}
	plan.Blockers = blockers
	if plan.Exists {
		if plan.Warnings, err = s.openBy(ctx, op, j.cfg.database); err != nil {
			return plan, err
		}
	}
	if !r.Target.Original() && len(present) > 0 && len(blockers) == 0 {
		same, err := c.sameAsPoint(ctx, s, j)
		if err != nil {
			return plan, err
		}
		if !same {
			plan.Blockers = append(plan.Blockers, j.inTheWay())
		}
	}
	return plan, nil
}

// count counts what a restore would do to the tables that are there.
func (j *job) count(plan *app.TargetPlan, present []string) {
	for _, name := range j.tables {
		if slices.Contains(present, name) {
			plan.Overwrite++
		} else {
			plan.Create++
		}
	}
	for _, name := range present {
		if !slices.Contains(j.tables, name) && (j.whole || slices.Contains(j.gone, name)) {
			plan.Remove++
		}
	}
}

func (j *job) inTheWay() *app.Error {
	return app.Errorf(app.CodeTargetExists, j.op, "there is a database %q with something else in it", j.cfg.database).With("path", j.cfg.database)
}
