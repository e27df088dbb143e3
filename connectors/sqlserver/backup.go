package sqlserver

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"slices"
	"strings"

	"kvart/app"
)

// fileAbout is the file of a point that says what the other holds.
const fileAbout = "about.json"

// about is what a restore needs to know of a point before it begins.
type about struct {
	Format    int        `json:"format"`
	File      string     `json:"file"` // the backup
	Bytes     int64      `json:"bytes"`
	Database  string     `json:"database"`
	Server    string     `json:"server"` // version, "16.0.1000.6"
	Major     int        `json:"major"`
	Edition   string     `json:"edition"`
	Collation string     `json:"collation"`
	Owner     string     `json:"owner,omitempty"`
	Finished  string     `json:"finished"`
	LastLSN   string     `json:"lastLSN"`
	Damaged   bool       `json:"damaged,omitempty"` // pages were damaged when it was made
	Encrypted bool       `json:"encrypted,omitempty"`
	Files     []dataFile `json:"files"`
	Exact     bool       `json:"exact,omitempty"`    // nothing was written while it was made: Tables are of the very moment
	Features  []string   `json:"features,omitempty"` // that not every edition has
	Tables    []counts   `json:"tables"`
}

// counts are the rows of a table.
type counts struct {
	Schema string `json:"schema"`
	Name   string `json:"name"`
	Rows   int64  `json:"rows"`
	Moved  int64  `json:"moved,omitempty"` // by how many they differed before the backup
}

func (n counts) title() string { return table{schema: n.Schema, name: n.Name}.title() }

// dataBytes is the size of the data files, which Express limits.
func (ab about) dataBytes() (n int64) {
	for _, f := range ab.Files {
		if f.Type == "D" {
			n += f.Size
		}
	}
	return n
}

// fileBytes is the room a restored database takes.
func (ab about) fileBytes() (n int64) {
	for _, f := range ab.Files {
		n += f.Size
	}
	return n
}

const aboutFormat = 1

func readAbout(from fs.FS) (a about, ok bool, err error) {
	b, err := fs.ReadFile(from, fileAbout)
	if errors.Is(err, fs.ErrNotExist) {
		return a, false, nil
	}
	if err != nil {
		return a, false, fmt.Errorf("open %s in the point: %w", fileAbout, err)
	}
	if err := json.Unmarshal(b, &a); err != nil {
		return a, false, fmt.Errorf("read %s in the point: %w", fileAbout, err)
	}
	if a.Format != aboutFormat || !fs.ValidPath(a.File) || strings.Contains(a.File, "/") {
		return a, false, fmt.Errorf("%s in the point is none of Kvart's", fileAbout)
	}
	return a, true, nil
}

// backupName is what the backup is called in a point.
func backupName(db string) string {
	name := strings.Map(func(r rune) rune {
		if r < ' ' || strings.ContainsRune(`<>:"/\|?*`, r) {
			return '_'
		}
		return r
	}, db)
	return strings.Trim(name, ". ") + ".bak"
}

// back has the server back the database up into a file of the folder, and look
// whether it can be read back. With damaged, pages that are damaged are no
// reason not to.
func (s *session) back(ctx context.Context, t *stage, d database, damaged bool) (a about, err error) {
	const op = "sqlserver: capture"
	options := []string{"COPY_ONLY", "CHECKSUM", "FORMAT", "INIT"}
	if !s.server.express {
		options = append(options, "NO_COMPRESSION")
	}
	if damaged {
		options = append(options, "CONTINUE_AFTER_ERROR")
	}
	options = append(options, `NAME = N'Kvart'`)
	if err := s.exec(ctx, "back up", `BACKUP DATABASE `+quote(d.name)+` TO DISK = `+t.device()+` WITH `+strings.Join(options, ", ")); err != nil {
		return a, err
	}
	size, err := t.seen(ctx)
	if err != nil {
		return a, err
	}
	if a, err = s.inspect(ctx, t, damaged); err != nil {
		return a, err
	}
	a.Format, a.File, a.Bytes, a.Owner = aboutFormat, backupName(d.name), size, d.owner
	if !strings.EqualFold(a.Database, d.name) || size == 0 {
		return a, app.Errorf(app.CodeReadBack, op, "the backup of %q says it is of %q, with %d bytes", d.name, a.Database, size).With("path", t.cfg.serverFolder)
	}
	return a, nil
}

// inspect has the server read a backup through and tell what it holds.
func (s *session) inspect(ctx context.Context, t *stage, damaged bool) (a about, err error) {
	const op = "sqlserver: check backup"
	with := ` WITH CHECKSUM`
	if damaged {
		with += `, CONTINUE_AFTER_ERROR`
	}
	if err := s.exec(ctx, "verify backup", `RESTORE VERIFYONLY FROM DISK = `+t.device()+with); err != nil {
		return a, err
	}
	h, err := s.one(ctx, "read backup's header", `RESTORE HEADERONLY FROM DISK = `+t.device())
	if err != nil {
		return a, err
	}
	switch {
	case h.int("backuptype") != 1 || h.int("position") != 1:
		return a, app.Errorf(app.CodeReadBack, op, "the file holds a backup of type %s", h.str("backuptype"))
	case !h.yes("hasbackupchecksums"):
		return a, app.Errorf(app.CodeReadBack, op, "the backup has no checksums")
	case h.yes("isdamaged") && !damaged:
		return a, s.cfg.fail(app.CodeSourceDamaged, op, errors.New("the server says that the database was damaged"))
	}
	a = about{
		Database: h.str("databasename"), Server: fmt.Sprintf("%d.%d.%d", h.int("softwareversionmajor"), h.int("softwareversionminor"), h.int("softwareversionbuild")),
		Major: int(h.int("softwareversionmajor")), Edition: s.server.edition, Collation: h.str("collation"), Finished: h.str("backupfinishdate"),
		LastLSN: h.str("lastlsn"), Damaged: h.yes("isdamaged"),
	}
	files, err := s.rows(ctx, "list backup's files", `RESTORE FILELISTONLY FROM DISK = `+t.device())
	if err != nil {
		return a, err
	}
	for _, f := range files {
		if !f.yes("ispresent") && !f.null("ispresent") {
			return a, app.Errorf(app.CodeReadBack, op, "the file %s is not in the backup", f.str("logicalname"))
		}
		a.Files = append(a.Files, dataFile{f.str("logicalname"), f.str("physicalname"), strings.TrimSpace(f.str("type")), f.int("size")})
		a.Encrypted = a.Encrypted || f.str("tdethumbprint") != ""
	}
	if !slices.ContainsFunc(a.Files, func(f dataFile) bool { return f.Type == "D" }) {
		return a, app.Errorf(app.CodeReadBack, op, "the backup lists no data files")
	}
	return a, nil
}

// features lists what the database uses that not every edition has. Who may
// not look goes without: the server says it when the database is restored.
func (s *session) features(ctx context.Context, db string) (out []string) {
	rows, err := s.rows(ctx, "list features", `SELECT feature_name AS feature FROM `+quote(db)+`.sys.dm_db_persisted_sku_features`)
	if err != nil {
		return nil
	}
	for _, r := range rows {
		out = append(out, r.str("feature"))
	}
	slices.Sort(out)
	return out
}

// count makes the counts of a point of those before and after the backup.
func count(before, after []table) (out []counts) {
	for _, t := range after {
		n := counts{Schema: t.schema, Name: t.name, Rows: t.rows}
		if i := slices.IndexFunc(before, func(b table) bool { return b.schema == t.schema && b.name == t.name }); i >= 0 {
			n.Moved = max(t.rows-before[i].rows, before[i].rows-t.rows)
		} else {
			n.Moved = t.rows
		}
		out = append(out, n)
	}
	return out
}

// right reports whether a restored table has the rows it should: counted, or in
// the server's own words, which is what was written down when it was captured
// and which are known to be a little off at times.
func (ab about) right(n counts, got, said int64) bool {
	return n.near(got, ab.Exact) || said == n.Rows && n.near(got, false)
}

// near reports whether a restored table has the rows it should. Unless it is
// known that nothing was written meanwhile, what it had when it was captured was
// counted beside the running shop: it may differ by what moved meanwhile, and by
// what came and went again without showing, of which a hundred rows and one in a
// hundred are taken to be the most.
func (n counts) near(got int64, exact bool) bool {
	if exact {
		return got == n.Rows
	}
	return max(got-n.Rows, n.Rows-got) <= n.Moved+100+n.Rows/100 && (got > 0 || n.Rows <= n.Moved+100)
}
