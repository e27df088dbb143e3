package main

import (
	"context"
	"strings"

	"kvart/app"
)

// shelfDocument is what browse prints of a shelf with --json.
type shelfDocument struct {
	Shelf   string       `json:"shelf"`
	Total   int64        `json:"total"`
	Records []app.Record `json:"records"`
}

func setupBrowse(c *command) func(context.Context) error {
	at := place(c)
	record := c.flags.String("record", "", "one record, by its path")
	with := c.flags.String("with", "", "hold the record against another backup, or live")
	from := c.flags.Int("from", 0, "leave out so many")
	limit := c.flags.Int("limit", 100, "so many at most")
	return func(ctx context.Context) error {
		if len(c.args) > 2 || *record != "" && len(c.args) > 0 || *record == "" && *with != "" {
			return app.Errorf(app.CodeUsage, "read flags", "a shelf and a text, or --record and perhaps --with").With("field", "SHELF")
		}
		return c.with(ctx, func(ctx context.Context, s app.Service) error {
			switch {
			case *record != "":
				return c.showRecord(ctx, s, app.RecordRequest{Source: at.Source, Point: at.Point, Path: *record, With: app.PointID(*with)})
			case len(c.args) == 0:
				return c.showShelves(ctx, s, *at)
			}
			r := app.RecordsRequest{Source: at.Source, Point: at.Point, Shelf: c.args[0], Offset: *from, Limit: *limit}
			if len(c.args) == 2 {
				r.Text = c.args[1]
			}
			return c.showRecords(ctx, s, r)
		})
	}
}

func (c *command) showShelves(ctx context.Context, s app.Service, r app.PathRequest) error {
	shelves, err := s.Shelves(ctx, r)
	if err != nil {
		return err
	}
	if shelves == nil {
		shelves = []app.Shelf{}
	}
	for _, sh := range shelves {
		name := sh.Code
		if key := "shop.kind." + sh.Code; sh.Known && c.words.Has(key) {
			name = c.words.T(key)
		}
		count := ""
		if sh.Count >= 0 {
			count = c.words.Number(sh.Count)
		}
		c.line("%12s  %-24s %s", count, sh.Code, name)
	}
	return c.document(shelves)
}

// showRecords waits until the whole shelf was read.
func (c *command) showRecords(ctx context.Context, s app.Service, r app.RecordsRequest) error {
	page, err := s.Records(ctx, r)
	for err == nil && page.Left > 0 {
		page, err = s.Records(ctx, r)
	}
	if err != nil {
		return err
	}
	out := shelfDocument{Shelf: r.Shelf, Total: page.Total, Records: page.Records}
	if out.Records == nil {
		out.Records = []app.Record{}
	}
	for _, rec := range out.Records {
		if rec.Cells != nil {
			c.line("%s", strings.ReplaceAll(strings.Join(rec.Cells, "  │  "), "\n", " "))
			continue
		}
		c.line("%-40s %s\n    %s", rec.Title, rec.Under, rec.Path)
	}
	return c.document(out)
}

func (c *command) showRecord(ctx context.Context, s app.Service, r app.RecordRequest) error {
	v, err := s.Record(ctx, r)
	if err != nil {
		return err
	}
	c.line("%s\n%s", v.Record.Title, v.Record.Under)
	for _, f := range v.Fields {
		name := f.Name
		if key := "field." + f.Name; c.words.Has(key) {
			name = c.words.T(key)
		}
		mark := " "
		if f.Differs {
			mark = "≠"
		}
		c.line("%s %-24s %s", mark, name, strings.ReplaceAll(f.Value, "\n", "\n"+strings.Repeat(" ", 27)))
		if f.Differs {
			c.line("  %-24s %s", "", strings.ReplaceAll(f.With, "\n", "\n"+strings.Repeat(" ", 27)))
		}
	}
	if v.Gone {
		c.line("%s", c.words.T("browse.gone"))
	}
	return c.document(v)
}
