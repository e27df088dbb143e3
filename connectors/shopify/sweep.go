package shopify

import (
	"context"
	"errors"
	"iter"
	"maps"
	"slices"
	"strings"
	"time"

	"kvart/connectors/rest"
)

// sweep is what a sweep of a kind has read.
type sweep struct {
	came  time.Time          // when all of it had
	found map[string]sweptAt // by id
	read  *bulkRead          // that all of it lies in
}

// sweptAt is where a sweep found a record.
type sweptAt struct {
	read *bulkRead
	line int
}

// longAgo is a time that no record of the engine's has: a stamp with it makes
// the engine fetch the record and compare its content.
var longAgo = time.Unix(1, 0).UTC()

// IDs implements [rest.Shop]. Kinds that bulk operations can read are read
// whole: their times don't tell of every change, so all are given out as
// changed, and what the engine then fetches has come already.
func (s *shop) IDs(ctx context.Context, k rest.Kind) iter.Seq2[rest.Stamp, error] {
	return func(yield func(rest.Stamp, error) bool) {
		err := s.ids(ctx, s.p.spec(k.Name), func(st rest.Stamp) error {
			if !yield(st, nil) {
				return errStop
			}
			return nil
		})
		if err != nil && !errors.Is(err, errStop) {
			yield(rest.Stamp{}, about(k, s.c.coded(ctx, err)))
		}
	}
}

func (s *shop) ids(ctx context.Context, sp spec, yield func(rest.Stamp) error) error {
	switch {
	case sp.bulk:
		return s.sweepBulk(ctx, sp, yield)
	case sp.Name == kindThemeFiles:
		return s.eachThemeFile(ctx, time.Time{}, func(theme string, files []map[string]any) error {
			for _, f := range files {
				key := rest.Key{ID: themeFileID(theme, f["filename"]), Parent: theme}
				if err := yield(rest.Stamp{Key: key, Modified: modified(f)}); err != nil {
					return err
				}
			}
			return nil
		})
	case sp.Name == kindMetaobjects:
		return s.metaobjects(ctx, sp, rest.Query{}, func(r rest.Record) error {
			return yield(rest.Stamp{Key: r.Key, Modified: r.Modified})
		})
	}
	slim := sp
	slim.page = 250
	d := idsOnly(s.l[sp.list])
	vars := map[string]any{}
	if _, ok := d.vars["sort"]; ok {
		vars["sort"] = "ID"
	}
	for {
		conn, err := s.pageOfList(ctx, slim, d, vars)
		if err != nil {
			return err
		}
		elements, follows, cursor, err := pageOf(conn)
		if err != nil {
			return err
		}
		for _, m := range elements {
			id, _ := m["id"].(string)
			if err := yield(rest.Stamp{Key: rest.Key{ID: id}, Modified: modified(m)}); err != nil {
				return err
			}
		}
		if !follows {
			return nil
		}
		vars["after"] = cursor
	}
}

func (s *shop) sweepBulk(ctx context.Context, sp spec, yield func(rest.Stamp) error) error {
	b, err := s.readBulk(ctx, sp, "", nil)
	if err != nil {
		return err
	}
	found := map[string]sweptAt{}
	for _, line := range b.main.spool.roots {
		m, err := b.main.spool.line(line)
		if err != nil {
			return errors.Join(err, b.close())
		}
		id, _ := m["id"].(string)
		found[id] = sweptAt{b, line}
	}
	s.keepSwept(sp, found, b)
	for id := range found {
		if err := yield(rest.Stamp{Key: rest.Key{ID: id}, Modified: longAgo}); err != nil {
			return err
		}
	}
	return nil
}

// keepSwept has Fetch give out what was found.
func (s *shop) keepSwept(sp spec, found map[string]sweptAt, read *bulkRead) {
	s.release(sp.Name)
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.swept == nil {
		s.swept = map[string]sweep{}
	}
	s.swept[sp.Name] = sweep{s.c.meter.time(), found, read}
}

// release forgets what a sweep of a kind has read. It tells when that had come,
// zero when there was none.
func (s *shop) release(kind string) time.Time {
	s.mu.Lock()
	swept := s.swept[kind]
	delete(s.swept, kind)
	s.mu.Unlock()
	if swept.read != nil {
		if err := swept.read.close(); err != nil {
			s.log.Warn("Temporary file not deleted", "error", err)
		}
	}
	return swept.came
}

// Fetch implements [rest.Shop].
func (s *shop) Fetch(ctx context.Context, k rest.Kind, keys []rest.Key) ([]rest.Record, error) {
	records, err := s.fetch(ctx, s.p.spec(k.Name), keys)
	return records, about(k, s.c.coded(ctx, err))
}

func (s *shop) fetch(ctx context.Context, sp spec, keys []rest.Key) (out []rest.Record, err error) {
	keys, out, err = s.alreadySwept(ctx, sp, keys)
	if err != nil || len(keys) == 0 {
		return out, err
	}
	switch {
	case sp.Name == kindThemeFiles:
		return s.fetchThemeFiles(ctx, sp, keys)
	case sp.Name == kindTranslations:
		return s.fetchTranslations(ctx, sp, keys)
	case sp.typ == "" || sp.Name == kindPolicies:
		return s.fetchListed(ctx, sp, keys)
	}
	d := byID(slim(s.l[sp.list], sp.apart), sp.typ)
	var elements []map[string]any
	for len(keys) > 0 {
		size := min(s.p.pageSize(sp), len(keys))
		ids := make([]string, size)
		for i, key := range keys[:size] {
			ids[i] = key.ID
		}
		found, err := s.nodes(ctx, d, ids)
		if tooCostly(err) && size > 1 {
			s.p.smaller(sp, size)
			continue
		}
		if err != nil {
			return nil, err
		}
		keys = keys[size:]
		for _, id := range ids {
			if m := found[id]; m != nil {
				elements = append(elements, m)
			}
		}
	}
	if err := s.unfold(ctx, sp, elements); err != nil {
		return nil, err
	}
	if sp.Name == kindInventory {
		s.knowItems(elements)
	}
	records, err := s.records(ctx, sp, elements)
	return append(out, records...), err
}

// alreadySwept serves what a sweep has just read, and returns the rest.
func (s *shop) alreadySwept(ctx context.Context, sp spec, keys []rest.Key) (left []rest.Key, out []rest.Record, err error) {
	s.mu.Lock()
	swept := s.swept[sp.Name].found
	s.mu.Unlock()
	var lines []int
	var read *bulkRead
	for _, key := range keys {
		at, ok := swept[key.ID]
		if !ok {
			left = append(left, key)
			continue
		}
		read, lines = at.read, append(lines, at.line)
	}
	if len(lines) > 0 {
		out, err = s.assembled(ctx, read, lines)
	}
	if err == nil && sp.Name == kindInventory {
		for _, r := range out { // setting it takes this
			s.knowItems([]map[string]any{r.Fields})
		}
	}
	return left, out, err
}

// dropSwept forgets what a sweep of a kind has read, and what was seen before it.
func (s *shop) dropSwept(kind string) {
	came := s.release(kind)
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.beat != nil && s.beat.at.Before(came) {
		s.beat = nil
	}
}

// fetchListed finds records in lists that are short and can't be asked by id.
func (s *shop) fetchListed(ctx context.Context, sp spec, keys []rest.Key) (out []rest.Record, err error) {
	want := map[string]bool{}
	for _, k := range keys {
		want[k.ID] = true
	}
	err = s.list(ctx, sp, rest.Query{}, func(r rest.Record) error {
		if want[r.ID] {
			out = append(out, r)
		}
		return nil
	})
	return out, err
}

func (s *shop) fetchThemeFiles(ctx context.Context, sp spec, keys []rest.Key) (out []rest.Record, err error) {
	names := map[string][]string{}
	for _, k := range keys {
		theme, name, _ := strings.Cut(k.ID, "#")
		names[theme] = append(names[theme], name)
	}
	for _, theme := range slices.Sorted(maps.Keys(names)) {
		records, err := s.themeBodies(ctx, sp, theme, names[theme])
		if err != nil {
			return nil, err
		}
		out = append(out, records...)
	}
	return out, nil
}
