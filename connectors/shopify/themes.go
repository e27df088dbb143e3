package shopify

import (
	"context"
	"encoding/base64"
	"errors"
	"fmt"
	"io"
	"maps"
	"slices"
	"time"

	"kvart/app"
	"kvart/connectors/rest"
)

// themeFiles reads the files of every theme that changed since a time.
func (s *shop) themeFiles(ctx context.Context, sp spec, since time.Time, yield func(rest.Record) error) error {
	return s.eachThemeFile(ctx, since, func(theme string, files []map[string]any) error {
		var names []string
		for _, f := range files {
			if t := modified(f); since.IsZero() || t.IsZero() || !t.Before(since) {
				name, _ := f["filename"].(string)
				names = append(names, name)
			}
		}
		records, err := s.themeBodies(ctx, sp, theme, names)
		if err != nil {
			return err
		}
		for _, r := range records {
			if err := yield(r); err != nil {
				return err
			}
		}
		return nil
	})
}

// eachThemeFile calls fn with a page of files, without their content, of each
// theme that changed since a time.
func (s *shop) eachThemeFile(ctx context.Context, since time.Time, fn func(theme string, files []map[string]any) error) error {
	return s.eachTheme(ctx, func(r rest.Record) error {
		if !since.IsZero() && !r.Modified.IsZero() && r.Modified.Before(since) {
			return nil
		}
		vars := map[string]any{"id": r.ID, "first": 250}
		for {
			conn, err := s.filesOf(ctx, s.l["theme_files"], vars)
			if err != nil {
				return err
			}
			files, follows, cursor, err := pageOf(conn)
			if err != nil {
				return err
			}
			if err := fn(r.ID, files); err != nil || !follows {
				return err
			}
			vars["after"] = cursor
		}
	})
}

// eachTheme reads the list of themes, once for one piece of work.
func (s *shop) eachTheme(ctx context.Context, fn func(rest.Record) error) error {
	s.mu.Lock()
	themes := s.themes
	s.mu.Unlock()
	if themes == nil {
		if err := s.list(ctx, s.p.spec(kindThemes), rest.Query{}, func(rest.Record) error { return nil }); err != nil {
			return err
		}
		s.mu.Lock()
		themes = s.themes
		s.mu.Unlock()
	}
	for _, r := range themes {
		if err := fn(r); err != nil {
			return err
		}
	}
	return nil
}

// listThemes reads the list of themes and keeps it for their files.
func (s *shop) listThemes(ctx context.Context, sp spec, yield func(rest.Record) error) error {
	themes := []rest.Record{}
	err := s.paged(ctx, sp, rest.Query{}, nil, func(r rest.Record) error {
		themes = append(themes, r)
		return yield(r)
	})
	if err == nil {
		s.mu.Lock()
		s.themes = themes
		s.mu.Unlock()
	}
	return err
}

func (s *shop) filesOf(ctx context.Context, d document, vars map[string]any) (map[string]any, error) {
	var got struct {
		Theme struct {
			Files map[string]any `json:"files"`
		} `json:"theme"`
	}
	if err := s.c.run(ctx, d, vars, &got); err != nil {
		return nil, err
	}
	if complaints, _ := got.Theme.Files["userErrors"].([]any); len(complaints) > 0 {
		return nil, app.Errorf(app.CodeShopAnswer, "shopify: read theme", "%v: %v", vars["id"], complaints)
	}
	return got.Theme.Files, nil
}

// bodiesAtOnce is how many files of a theme are read at once: what Shopify
// gives out in one answer is bounded by bytes too.
const bodiesAtOnce = 40

func (s *shop) themeBodies(ctx context.Context, sp spec, theme string, names []string) ([]rest.Record, error) {
	var out []rest.Record
	for chunk := range slices.Chunk(names, bodiesAtOnce) {
		want := map[string]bool{}
		for _, n := range chunk {
			want[n] = true
		}
		for len(want) > 0 {
			asked := slices.Sorted(maps.Keys(want))
			conn, err := s.filesOf(ctx, s.l["theme_bodies"], map[string]any{"id": theme, "names": asked, "first": len(asked)})
			if err != nil {
				return nil, err
			}
			files, follows, _, err := pageOf(conn)
			if err != nil {
				return nil, err
			}
			for _, f := range files {
				name, _ := f["filename"].(string)
				delete(want, name)
				r, err := s.themeFile(ctx, sp, theme, f)
				if err != nil {
					return nil, err
				}
				out = append(out, r)
			}
			if !follows || len(files) == 0 {
				break // those that are left have gone since they were listed
			}
		}
	}
	return out, nil
}

// themeFile makes a record of a file: its content lies in it, as text or base64.
func (s *shop) themeFile(ctx context.Context, sp spec, theme string, f map[string]any) (rest.Record, error) {
	f["id"] = themeFileID(theme, f["filename"])
	if body, _ := f["body"].(map[string]any); body["url"] != nil {
		address, _ := body["url"].(string)
		from, err := s.c.open(ctx, address)
		if err != nil {
			return rest.Record{}, err
		}
		content, err := io.ReadAll(io.LimitReader(from, longestLine))
		if err := errors.Join(err, from.Close()); err != nil {
			return rest.Record{}, fmt.Errorf("read theme file: %w", err)
		}
		f["body"] = map[string]any{"__typename": "OnlineStoreThemeFileBodyBase64", "contentBase64": base64.StdEncoding.EncodeToString(content)}
	}
	r, err := s.record(sp, f)
	r.Parent = theme
	return r, err
}

func themeFileID(theme string, name any) string { return fmt.Sprintf("%s#%v", theme, name) }
