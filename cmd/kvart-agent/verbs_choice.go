package main

import (
	"context"
	"encoding/json"
	"os"
	"path/filepath"
	"strings"
	"time"

	"kvart/app"
)

// findDocument is what find prints with --json.
type findDocument struct {
	Hits   []findHit `json:"hits"`
	Looked int       `json:"looked"`
	Points int       `json:"points"`
	All    bool      `json:"all"`
}

type findHit struct {
	Path  string      `json:"path"`
	First time.Time   `json:"first"`
	Last  time.Time   `json:"last"`
	Point app.PointID `json:"point"` // the last that had it
	Now   bool        `json:"now"`
	Size  int64       `json:"size"`
	Shelf string      `json:"shelf,omitempty"` // of a record
	Title string      `json:"title,omitempty"`
	Under string      `json:"under,omitempty"`
}

func setupFind(c *command) func(context.Context) error {
	source := c.flags.String("source", "", "a source")
	since := c.flags.String("since", "", "a time")
	limit := c.flags.Int("limit", 0, "so many names at most")
	return func(ctx context.Context) error {
		name, err := c.arg("NAME")
		if err != nil {
			return err
		}
		t, err := parseTime(*since)
		if err != nil {
			return err
		}
		return c.with(ctx, func(ctx context.Context, s app.Service) error {
			res, err := s.Search(ctx, app.SearchRequest{Source: *source, Text: name, Since: t, Limit: *limit})
			if err != nil {
				return err
			}
			out := findDocument{Hits: []findHit{}, Looked: res.Looked, Points: res.Points, All: res.All}
			for _, h := range res.Hits {
				out.Hits = append(out.Hits, findHit{h.Path, h.First.Time, h.Last.Time, h.Last.ID, h.Now, h.Size, h.Shelf, h.Title, h.Under})
				key := "cli.find.last"
				if h.Now {
					key = "cli.find.now"
				}
				if h.Title != "" {
					c.line("%s  %s", h.Title, h.Under)
				}
				c.line("%s\n    %s", h.Path, c.words.T(key, map[string]any{"When": c.words.When(h.Last.Time, time.Now()), "Point": h.Last.ID}))
			}
			if !res.All {
				c.line("%s", c.words.T("cli.find.part", map[string]any{"Looked": res.Looked, "Points": res.Points}))
			}
			return c.document(out)
		})
	}
}

func setupCandidates(c *command) func(context.Context) error {
	source := c.flags.String("source", "", "a source")
	before := c.flags.String("before", "", "when the trouble began")
	return func(ctx context.Context) error {
		t, err := parseTime(*before)
		if err != nil {
			return err
		}
		return c.with(ctx, func(ctx context.Context, s app.Service) error {
			list, err := s.Candidates(ctx, app.CandidatesRequest{Source: *source, Before: t})
			if err != nil {
				return err
			}
			for _, k := range list {
				mark := " "
				switch {
				case k.Proposed:
					mark = "→"
				case k.Point.Verified:
					mark = "✓"
				}
				counts := c.words.Bytes(k.Point.Bytes)
				if k.Rows >= 0 {
					counts += "  " + c.words.N("cli.rows", k.Rows)
				}
				if k.NewestOrder != "" {
					counts += "  #" + k.NewestOrder
				}
				c.line("%s %s  %s  %s", mark, k.Point.ID, k.Point.Time.Local().Format("2006-01-02 15:04:05"), counts)
			}
			return c.document(list)
		})
	}
}

func setupPage(c *command) func(context.Context) error {
	var publish, withdraw list
	c.flags.Var(&publish, "publish", "put it up in a web hotel's place")
	c.flags.Var(&withdraw, "withdraw", "take it down there")
	out := c.flags.String("out", "", "write it here too")
	set := pairs{}
	c.flags.Var(set, "set", "shop, color, text, language, phone or mail; kept from now on")
	return func(ctx context.Context) error {
		return c.with(ctx, func(ctx context.Context, s app.Service) error {
			r := app.PageRequest{Publish: publish, Withdraw: withdraw}
			if len(set) > 0 {
				p, err := s.PageSettings(ctx)
				if err != nil {
					return err
				}
				if err := setPage(&p, set); err != nil {
					return err
				}
				r.Settings = &p
			}
			f, err := s.WritePage(ctx, r)
			if err != nil {
				return err
			}
			if *out != "" {
				if err := app.WriteDocument(*out, []byte(f.HTML)); err != nil {
					return err
				}
				if f.Path, err = filepath.Abs(*out); err != nil {
					return err
				}
			}
			c.result(f, "%s", f.Path)
			return nil
		})
	}
}

// setPage changes the page's settings by their names.
func setPage(p *app.PageSettings, set pairs) error {
	fields := map[string]*string{"shop": &p.Shop, "color": &p.Color, "text": &p.Text, "language": &p.Language, "phone": &p.Phone, "mail": &p.Mail}
	for k, v := range set {
		f, ok := fields[k]
		if !ok {
			return app.Errorf(app.CodeUsage, "read flags", "the page has no %q", k).With("field", k).With("choices", "shop, color, text, language, phone, mail")
		}
		*f = strings.ReplaceAll(v, `\n`, "\n")
	}
	return nil
}

func setupContacts(c *command) func(context.Context) error {
	file := c.flags.String("from", "", "a JSON file with a list of role, name, phone and mail")
	return func(ctx context.Context) error {
		return c.with(ctx, func(ctx context.Context, s app.Service) error {
			if *file != "" {
				b, err := os.ReadFile(*file)
				if err != nil {
					return app.Errorf(app.CodeUsage, "read contacts", "%w", err).With("field", "from").With("path", *file)
				}
				var all []app.Contact
				if err := json.Unmarshal(b, &all); err != nil {
					return app.Errorf(app.CodeUsage, "read contacts", "%w", err).With("field", "from")
				}
				if err := s.SetContacts(ctx, all); err != nil {
					return err
				}
			}
			all, err := s.Contacts(ctx)
			if err != nil {
				return err
			}
			if all == nil {
				all = []app.Contact{}
			}
			for _, k := range all {
				c.line("%-12s %-24s %-18s %s", k.Role, k.Name, k.Phone, k.Mail)
			}
			return c.document(all)
		})
	}
}
