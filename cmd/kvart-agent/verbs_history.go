package main

import (
	"context"
	"errors"
	"io"
	"time"

	"kvart/app"
)

// pointDocument is a point as points prints it with --json.
type pointDocument struct {
	Point      app.PointID `json:"point"`
	Source     string      `json:"source"`
	Time       time.Time   `json:"time"`
	Verified   bool        `json:"verified"`
	Pinned     bool        `json:"pinned"`
	Bytes      int64       `json:"bytes"`
	Files      int64       `json:"files"`
	Incomplete int64       `json:"incomplete,omitempty"`
	Stats      app.Stats   `json:"stats,omitempty"`
}

// parseTime reads a time as a person or a script writes it; local where no
// zone is named.
func parseTime(s string) (time.Time, error) {
	if s == "" {
		return time.Time{}, nil
	}
	if t, err := time.Parse(time.RFC3339, s); err == nil {
		return t, nil
	}
	for _, form := range []string{"2006-01-02 15:04:05", "2006-01-02 15:04", "2006-01-02T15:04", "2006-01-02"} {
		if t, err := time.ParseInLocation(form, s, time.Local); err == nil {
			return t, nil
		}
	}
	return time.Time{}, app.Errorf(app.CodeUsage, "read time", "%q is no time", s).With("choices", "2026-11-22 14:30, 2026-11-22T14:30:00+01:00")
}

func setupPoints(c *command) func(context.Context) error {
	source := c.flags.String("source", "", "a source")
	since := c.flags.String("since", "", "a time")
	safety := c.flags.Bool("safety", false, "what was saved before restores")
	return func(ctx context.Context) error {
		t, err := parseTime(*since)
		if err != nil {
			return err
		}
		return c.with(ctx, func(ctx context.Context, s app.Service) error {
			points, err := s.Points(ctx, app.PointsRequest{Source: *source, Since: t, Safety: *safety})
			if err != nil {
				return err
			}
			out := []pointDocument{}
			for _, p := range points {
				out = append(out, pointDocument{p.ID, p.Name, p.Time, p.Verified, p.Pinned, p.Bytes, p.Files, p.Incomplete, p.Stats})
				mark := " "
				if p.Verified {
					mark = "✓"
				}
				c.line("%s %s  %-24s %s %10s", mark, p.ID, p.Name, p.Time.Local().Format("2006-01-02 15:04:05"), c.words.Bytes(p.Bytes))
			}
			return c.document(out)
		})
	}
}

// place registers the flags that name a point of a source.
func place(c *command) *app.PathRequest {
	r := &app.PathRequest{}
	c.flags.StringVar(&r.Source, "source", "", "a source")
	c.flags.Func("point", "a backup; the newest when none is named", func(s string) error {
		r.Point = app.PointID(s)
		return nil
	})
	return r
}

func setupList(c *command) func(context.Context) error {
	r := place(c)
	return func(ctx context.Context) error {
		if len(c.args) > 0 {
			r.Path = c.args[0]
		}
		return c.with(ctx, func(ctx context.Context, s app.Service) error {
			entries, err := s.List(ctx, *r)
			if err != nil {
				return err
			}
			if entries == nil {
				entries = []app.Entry{}
			}
			for _, e := range entries {
				name := e.Path
				if e.Dir {
					name += "/"
				}
				size := c.words.Bytes(e.Size)
				if e.Rows > 0 {
					size = c.words.N("cli.rows", e.Rows)
				}
				c.line("%12s  %s  %s", size, e.ModTime.Local().Format("2006-01-02 15:04"), name)
			}
			return c.document(entries)
		})
	}
}

func setupCat(c *command) func(context.Context) error {
	r := place(c)
	return func(ctx context.Context) error {
		var err error
		if r.Path, err = c.arg("PATH"); err != nil {
			return err
		}
		return c.with(ctx, func(ctx context.Context, s app.Service) error {
			f, err := s.Cat(ctx, *r)
			if err != nil {
				return err
			}
			_, err = io.CopyBuffer(struct{ io.Writer }{c.out}, struct{ io.Reader }{f}, make([]byte, 256<<10))
			return errors.Join(err, f.Close())
		})
	}
}

func setupDiff(c *command) func(context.Context) error {
	r := place(c)
	with := c.flags.String("with", "live", "another backup, or live")
	return func(ctx context.Context) error {
		return c.with(ctx, func(ctx context.Context, s app.Service) error {
			changes, err := s.Diff(ctx, app.DiffRequest{Source: r.Source, Point: r.Point, With: app.PointID(*with)})
			if err != nil {
				return err
			}
			if changes == nil {
				changes = []app.Change{}
			}
			for _, ch := range changes {
				who := ""
				if ch.By != "" && ch.At != nil {
					who = "  " + c.words.T("diff.by", map[string]any{"By": ch.By, "Time": ch.At.Local().Format("2006-01-02 15:04")})
				}
				if ch.Added+ch.Removed+ch.Changed > 0 {
					c.line("%-8s %s  +%d −%d ~%d%s", ch.Kind, ch.Path, ch.Added, ch.Removed, ch.Changed, who)
				} else {
					c.line("%-8s %s  %s → %s%s", ch.Kind, ch.Path, c.words.Bytes(ch.Before), c.words.Bytes(ch.After), who)
				}
			}
			return c.document(changes)
		})
	}
}
