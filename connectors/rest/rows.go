package rest

import (
	"context"
	"crypto/sha256"
	"database/sql"
	"errors"
	"fmt"
	"runtime"
	"slices"
	"strings"
	"time"

	"golang.org/x/sync/errgroup"

	"kvart/app"
)

// queryer is a database, a connection or a transaction.
type queryer interface {
	QueryContext(ctx context.Context, query string, args ...any) (*sql.Rows, error)
	QueryRowContext(ctx context.Context, query string, args ...any) *sql.Row
}

// each calls fn for every row of a query's answer.
func each(ctx context.Context, q queryer, fn func(scan func(...any) error) error, query string, args ...any) (err error) {
	rows, err := q.QueryContext(ctx, query, args...)
	if err != nil {
		return wrap("read mirror", err)
	}
	defer func() { err = errors.Join(err, rows.Close()) }()
	for rows.Next() {
		if err := fn(rows.Scan); err != nil {
			return err
		}
	}
	return wrap("read mirror", rows.Err())
}

// stamps returns when each record of a kind changed, as the shop told.
func (m *mirror) stamps(ctx context.Context, kind string) (map[string]time.Time, error) {
	out := map[string]time.Time{}
	err := each(ctx, m.db, func(scan func(...any) error) error {
		var id string
		var at int64
		err := scan(&id, &at)
		out[id] = fromUnix(at)
		return err
	}, `SELECT id, stamp FROM record WHERE kind = ?`, kind)
	return out, err
}

// stamp returns when a record changed, as the shop told; zero when it is unknown.
func (m *mirror) stamp(ctx context.Context, kind, id string) (time.Time, error) {
	var at int64
	err := m.db.QueryRowContext(ctx, `SELECT stamp FROM record WHERE kind = ? AND id = ?`, kind, id).Scan(&at)
	if errors.Is(err, sql.ErrNoRows) {
		return time.Time{}, nil
	}
	return fromUnix(at), wrap("read mirror", err)
}

// ids lists what a query yields in one column.
func (m *mirror) ids(ctx context.Context, query string, args ...any) (out []string, err error) {
	err = each(ctx, m.db, func(scan func(...any) error) error {
		var id string
		err := scan(&id)
		out = append(out, id)
		return err
	}, query, args...)
	return out, err
}

// unseen lists the records of a kind that were not in its last whole list.
func (m *mirror) unseen(ctx context.Context, kind string, gen int64) ([]string, error) {
	return m.ids(ctx, `SELECT id FROM record WHERE kind = ? AND gen < ?`, kind, gen)
}

func (m *mirror) held(ctx context.Context, kind string) ([]string, error) {
	return m.ids(ctx, `SELECT h.id FROM held h JOIN record r ON r.kind = h.kind AND r.id = h.id WHERE h.kind = ?`, kind)
}

func (m *mirror) count(ctx context.Context, q queryer, kind string) (n int, err error) {
	err = q.QueryRowContext(ctx, `SELECT count(*) FROM record WHERE kind = ?`, kind).Scan(&n)
	return n, wrap("read mirror", err)
}

const recordQuery = `SELECT json FROM record WHERE kind = ? AND id = ?`

// record returns one record, nil when there is none.
func record(ctx context.Context, q queryer, kind, id string) ([]byte, error) {
	return textOf(q.QueryRowContext(ctx, recordQuery, kind, id))
}

func textOf(row *sql.Row) ([]byte, error) {
	var text []byte
	err := row.Scan(&text)
	if errors.Is(err, sql.ErrNoRows) {
		return nil, nil
	}
	return text, wrap("read mirror", err)
}

// parentOf returns the parent of a record, "" when it is not known.
func (m *mirror) parentOf(ctx context.Context, kind, id string) (string, error) {
	var p string
	err := m.db.QueryRowContext(ctx, `SELECT parent FROM record WHERE kind = ? AND id = ?`, kind, id).Scan(&p)
	if errors.Is(err, sql.ErrNoRows) {
		return "", nil
	}
	return p, wrap("read mirror", err)
}

// delete takes records out, with all that belongs to them.
func (m *mirror) delete(ctx context.Context, k Kind, ids []string, below []Kind) error {
	return m.write(ctx, func(tx *sql.Tx) error {
		for _, id := range ids {
			if _, err := tx.ExecContext(ctx, `DELETE FROM record WHERE kind = ? AND id = ?`, k.Name, id); err != nil {
				return wrap("write mirror", err)
			}
			for _, b := range below {
				if _, err := tx.ExecContext(ctx, `DELETE FROM record WHERE kind = ? AND parent = ?`, b.Name, id); err != nil {
					return wrap("write mirror", err)
				}
			}
		}
		_, err := tx.ExecContext(ctx, `DELETE FROM held WHERE kind = ?`, k.Name)
		return wrap("write mirror", err)
	})
}

// hold keeps records that seem to be gone until the owner has answered.
func (m *mirror) hold(ctx context.Context, k Kind, ids []string) error {
	return m.write(ctx, func(tx *sql.Tx) error {
		for _, id := range ids {
			if _, err := tx.ExecContext(ctx, `INSERT OR IGNORE INTO held VALUES (?, ?)`, k.Name, id); err != nil {
				return wrap("write mirror", err)
			}
		}
		return nil
	})
}

// release lets go of records held as gone that are there: all but those absent.
func (m *mirror) release(ctx context.Context, k Kind, absent map[string]time.Time) error {
	held, err := m.held(ctx, k.Name)
	if err != nil {
		return err
	}
	return m.write(ctx, func(tx *sql.Tx) error {
		for _, id := range held {
			if _, gone := absent[id]; gone {
				continue
			}
			if _, err := tx.ExecContext(ctx, `DELETE FROM held WHERE kind = ? AND id = ?`, k.Name, id); err != nil {
				return wrap("write mirror", err)
			}
		}
		return nil
	})
}

// listed is a record less its content.
type listed struct {
	kind, id string
	hash     [sha256.Size]byte
	size     int64
	modified time.Time
}

// list yields all records by kind and id, without those held as gone when
// present asks for the shop as it is; of one kind only, where it is named.
func list(ctx context.Context, q queryer, present bool, of string, fn func(listed) error) error {
	query, args := `SELECT kind, id, hash, size, modified FROM record WHERE TRUE`, []any{}
	if of != "" {
		query, args = query+` AND kind = ?`, append(args, of)
	}
	if present {
		query += ` AND NOT EXISTS (SELECT 1 FROM held WHERE held.kind = record.kind AND held.id = record.id)`
	}
	last := ""
	var kind, hash sql.RawBytes // of which there are as many as records
	return each(ctx, q, func(scan func(...any) error) error {
		var l listed
		var at int64
		if err := scan(&kind, &l.id, &hash, &l.size, &at); err != nil {
			return err
		}
		if string(kind) != last {
			last = string(kind)
		}
		l.kind = last
		if copy(l.hash[:], hash) != sha256.Size {
			return fmt.Errorf("read mirror: %s %s has no hash", l.kind, l.id)
		}
		l.modified = fromUnix(at)
		return fn(l)
	}, query+` ORDER BY kind, id`, args...)
}

// rows makes rows of records, less those in the trash: on as many processors as
// there are, since writing records in their form is most of what a list costs.
func (k Kind) rows(batch []Record) ([]row, error) {
	batch = slices.DeleteFunc(slices.Clone(batch), func(r Record) bool { return r.Trashed })
	rows := make([]row, len(batch))
	var g errgroup.Group
	size := max(1, (len(batch)+runtime.GOMAXPROCS(0)-1)/runtime.GOMAXPROCS(0))
	for from := 0; from < len(batch); from += size {
		g.Go(func() (err error) {
			for i := from; i < min(from+size, len(batch)) && err == nil; i++ {
				rows[i], err = k.row(batch[i])
			}
			return err
		})
	}
	if err := g.Wait(); err != nil {
		return nil, app.Errorf(app.CodeShopAnswer, "shop: read record", "%w", err)
	}
	return rows, nil
}

// row makes a row of a record.
func (k Kind) row(r Record) (row, error) {
	m, err := k.canonical(r)
	if err != nil {
		return row{}, fmt.Errorf("%s %s: %w", k.Name, r.ID, err)
	}
	text, err := encode(m)
	if err != nil {
		return row{}, fmt.Errorf("%s %s: %w", k.Name, r.ID, err)
	}
	return row{Key: r.Key, hash: hashOf(text), size: int64(len(text)), modified: r.Modified, json: text, files: k.media(m)}, nil
}

// media lists the addresses of the files a record shows.
func (k Kind) media(m map[string]any) (urls []string) {
	for _, f := range k.Media {
		for _, v := range values(m, f) {
			if u, ok := v.(string); ok && (strings.HasPrefix(u, "https://") || strings.HasPrefix(u, "http://")) {
				urls = append(urls, u)
			}
		}
	}
	return urls
}
