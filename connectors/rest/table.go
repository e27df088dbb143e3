package rest

import (
	"context"
	"encoding/csv"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"path"
	"regexp"
	"slices"
	"strings"
	"unicode/utf8"

	"kvart/app"
)

var _ app.Exporter = (*Engine)(nil)

// Exporter is a [Platform] whose records people can take along as tables.
type Exporter interface {
	Tables() []Table
}

// Table is one export. Its columns come in an order that never changes, so that
// two exports can be laid side by side.
type Table struct {
	Name string
	// Kinds are those whose records it reads. Without the first there is no
	// table.
	Kinds []string
	// Mark begins the file with a byte order mark. Excel takes UTF-8 without one
	// for the computer's old character set, and "å" for "Ã¥"; of the importers,
	// WooCommerce's own files have it and Shopify's have not.
	Mark  bool
	Write func(from *Reading, to *Rows) error
}

// Exports implements [app.Exporter].
func (e *Engine) Exports() (names []string) {
	for _, t := range e.tables() {
		names = append(names, t.Name)
	}
	return names
}

func (e *Engine) tables() []Table {
	if x, ok := e.platform.(Exporter); ok {
		return x.Tables()
	}
	return nil
}

// Export implements [app.Exporter].
func (e *Engine) Export(ctx context.Context, from fs.FS, what string, w io.Writer) error {
	all := e.tables()
	i := slices.IndexFunc(all, func(t Table) bool { return t.Name == what })
	if i < 0 {
		return app.Errorf(app.CodeUsage, "shop: export", "no table %q", what).With("choices", strings.Join(e.Exports(), ", "))
	}
	t := all[i]
	r := &Reading{ctx: ctx, e: e, point: from}
	if err := r.begin(t); err != nil {
		return canceled(ctx, err)
	}
	if t.Mark {
		if _, err := io.WriteString(w, "\ufeff"); err != nil {
			return fmt.Errorf("write table: %w", err)
		}
	}
	rows := &Rows{w: csv.NewWriter(w)}
	if err := t.Write(r, rows); err != nil {
		return canceled(ctx, fmt.Errorf("export %s: %w", what, err))
	}
	rows.w.Flush()
	if err := rows.w.Error(); err != nil {
		return fmt.Errorf("write table: %w", err)
	}
	return nil
}

// Reading is a point that a table is made of. It holds one record at a time.
type Reading struct {
	ctx   context.Context
	e     *Engine
	point fs.FS
}

// begin brings what is needed near, and refuses a table of what the point has
// not: an empty file would say that the shop was empty.
func (r *Reading) begin(t Table) error {
	if err := r.captured(t.Kinds[0]); err != nil {
		return err
	}
	near, ok := r.point.(app.Prefetcher)
	if !ok {
		return nil
	}
	var paths []string
	for _, k := range t.Kinds {
		if _, err := fs.Stat(r.point, k); err == nil {
			paths = append(paths, k)
		}
	}
	if len(paths) == 0 {
		return nil
	}
	return near.Prefetch(r.ctx, quiet{}, paths...)
}

func (r *Reading) captured(kind string) error {
	text, err := fs.ReadFile(r.point, manifestFile)
	if err != nil {
		return fmt.Errorf("read %s in the point: %w", manifestFile, err)
	}
	var m struct {
		Kinds map[string]struct {
			Records int64
			Missing app.Code
			Args    map[string]string
			Absent  bool
			Pending bool
		}
	}
	if err := json.Unmarshal(text, &m); err != nil {
		return fmt.Errorf("read %s in the point: %w", manifestFile, err)
	}
	k, told := m.Kinds[kind]
	switch {
	case !told || k.Absent:
		return app.Errorf(app.CodeKindMissing, "shop: export", "the point has no %s", kind).With("kind", kind)
	case k.Records == 0 && k.Missing != "":
		bad := app.Errorf(k.Missing, "shop: export", "%s were never captured", kind).With("kind", kind)
		for n, v := range k.Args {
			bad = bad.With(n, v)
		}
		return bad
	}
	return nil
}

// Each calls fn with every record of a kind; where ids are counted up, in their
// order.
func (r *Reading) Each(kind string, fn func(record map[string]any) error) error {
	k, ok := r.e.byName[kind]
	if !ok {
		return fmt.Errorf("no kind %q", kind)
	}
	err := r.below(k.Name, fn)
	if errors.Is(err, fs.ErrNotExist) {
		if _, gone := fs.Stat(r.point, k.Name); errors.Is(gone, fs.ErrNotExist) {
			return nil
		}
	}
	return err
}

func (r *Reading) below(dir string, fn func(map[string]any) error) error {
	entries, err := fs.ReadDir(r.point, dir)
	if err != nil {
		return fmt.Errorf("read %s in the point: %w", dir, err)
	}
	slices.SortFunc(entries, func(a, b fs.DirEntry) int { return compareID(a.Name(), b.Name()) })
	for _, d := range entries {
		at := path.Join(dir, d.Name())
		if err := r.ctx.Err(); err != nil {
			return err
		}
		if d.IsDir() {
			if err := r.below(at, fn); err != nil {
				return err
			}
			continue
		}
		if path.Ext(at) != ".json" {
			continue
		}
		m, err := r.read(at)
		if err != nil {
			return err
		}
		if err := fn(m); err != nil {
			return err
		}
	}
	return nil
}

func (r *Reading) read(at string) (map[string]any, error) {
	body, err := fs.ReadFile(r.point, at)
	if err != nil {
		return nil, fmt.Errorf("read %s in the point: %w", at, err)
	}
	m, err := decode(body)
	if err != nil {
		return nil, fmt.Errorf("%s in the point: %w", at, err)
	}
	return m, nil
}

// One returns a record by its id, nil when the point has none.
func (r *Reading) One(kind, id string) (map[string]any, error) {
	k, ok := r.e.byName[kind]
	if !ok || id == "" {
		return nil, nil
	}
	m, err := r.read(k.place(id))
	if errors.Is(err, fs.ErrNotExist) {
		return nil, nil
	}
	return m, err
}

// Rows takes the rows of a table, the names of the columns first.
type Rows struct{ w *csv.Writer }

// Add writes one row.
func (r *Rows) Add(cells ...string) error {
	row := make([]string, len(cells))
	for i, c := range cells {
		row[i] = harmless(c)
	}
	if err := r.w.Write(row); err != nil {
		return fmt.Errorf("write table: %w", err)
	}
	return nil
}

// constant is a number or a telephone number: it begins as a formula may, and
// can't do anything.
var constant = regexp.MustCompile(`^[-+][0-9][0-9 ().,-]*$`)

// harmless keeps a cell from being taken for a formula: whoever can write a name
// into a shop could else run programs on the owner's computer. An apostrophe is
// what OWASP advises, what both platforms write themselves, and what
// WooCommerce's importer takes away again.
func harmless(cell string) string {
	first, _ := utf8.DecodeRuneInString(cell)
	if !strings.ContainsRune("=+-@\t\r\n＝＋－＠", first) || cell == "" || constant.MatchString(cell) {
		return cell
	}
	return "'" + cell
}

// Cell is a value of a record as it stands in a table: nothing for what is not
// there and for what is no single value.
func Cell(v any) string {
	switch x := v.(type) {
	case string:
		return x
	case json.Number:
		return x.String()
	case bool:
		if x {
			return "1"
		}
		return "0"
	}
	return ""
}

// At is the [Cell] of the first value at a path such as "billing.first_name".
func At(record map[string]any, path string) string {
	for _, v := range values(record, path) {
		return Cell(v)
	}
	return ""
}

// ListAt is the objects of a list at a path.
func ListAt(record map[string]any, path string) (out []map[string]any) {
	for _, v := range values(record, path+"[]") {
		if m, ok := v.(map[string]any); ok {
			out = append(out, m)
		}
	}
	return out
}
