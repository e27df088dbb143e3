package main

import (
	"context"

	"kvart/app"
	"kvart/assets"
)

func setupReady(c *command) func(context.Context) error {
	return func(ctx context.Context) error {
		return c.with(ctx, func(ctx context.Context, s app.Service) error {
			st, err := s.Status(ctx)
			if err != nil {
				return err
			}
			r, err := s.Readiness(ctx)
			if err != nil {
				return err
			}
			if r.Peak != nil {
				c.line("%s", c.words.T("cli.ready_peak", assets.Args{"Day": assets.PeakName(c.words, *r.Peak), "When": r.Peak.From.Local().Format("2006-01-02")}))
			} else {
				c.line("%s", c.words.T("cli.ready_no_peak"))
			}
			for _, it := range r.Items {
				title, fact, do := assets.ReadyWords(c.words, it, st.Now)
				c.line("%s", c.words.T("cli.ready_line", assets.Args{"Title": title, "State": c.words.T("ready.state." + string(it.State))}))
				c.line("  %s", fact)
				for _, a := range it.Asks {
					c.line("  - %s", c.words.T("ready.ask."+a))
				}
				if do != "" && len(it.Asks) == 0 {
					c.line("  → %s", do)
				}
			}
			return c.document(r)
		})
	}
}

func setupCapacityProve(c *command) func(context.Context) error {
	return func(ctx context.Context) error {
		return c.with(ctx, func(ctx context.Context, s app.Service) error {
			p, err := s.ProveShop(ctx)
			if err != nil {
				return err
			}
			if !p.Proven.IsZero() {
				c.line("%s", c.words.T("cli.capacity_proven", assets.Args{"Where": p.URL}))
				return c.document(p)
			}
			c.line("%s", c.words.T("cli.capacity_place"))
			c.line("  %s", c.words.T("cli.capacity_file", assets.Args{"File": p.File, "Token": p.Token}))
			c.line("  %s", c.words.T("cli.capacity_meta", assets.Args{"Meta": p.Meta}))
			return c.document(p)
		})
	}
}

func setupCapacityStart(c *command) func(context.Context) error {
	var r app.CapacityRequest
	c.flags.IntVar(&r.Ceiling, "ceiling", app.CapacityUsual, "most visitors a minute")
	c.flags.BoolVar(&r.Agreed, "agree", false, "yes, send visitors to my own shop now")
	return func(ctx context.Context) error {
		if !r.Agreed {
			c.line("%s", c.words.T("cli.capacity_agree"))
		}
		return c.with(ctx, func(ctx context.Context, s app.Service) error {
			id, err := s.StartCapacity(ctx, r)
			if err != nil {
				return err
			}
			j, err := c.wait(ctx, s, id)
			if j.Capacity == nil {
				return err
			}
			c.capacity(*j.Capacity)
			if c.json {
				c.print(j.Capacity)
			}
			return c.quietly(err)
		})
	}
}

// capacity prints what a rehearsal showed.
func (c *command) capacity(r app.CapacityResult) {
	for _, s := range r.Steps {
		c.line("%s", c.words.T("cli.capacity_step", assets.Args{"Visitors": s.Visitors, "P95": c.words.Number(s.P95), "Errors": s.Errors}))
	}
	switch {
	case r.Slow > 0:
		c.line("%s", c.words.N("capacity.slow", int64(r.Slow)))
	case r.Stood > 0 && r.End == app.CapacityEndCeiling:
		c.line("%s", c.words.N("capacity.not_reached", int64(r.Stood)))
	case r.Stood > 0:
		c.line("%s", c.words.N("capacity.stood", int64(r.Stood)))
	}
	if r.End != "" {
		c.line("%s", c.words.T("cli.capacity_end", assets.Args{"End": c.words.T("capacity.end." + string(r.End))}))
	}
}

func setupCapacityResult(c *command) func(context.Context) error {
	out := c.flags.String("out", "", "where to write the report: FILE.pdf or FILE.md")
	var r app.CapacityReportRequest
	c.flags.StringVar(&r.Language, "language", "", "en or sv")
	return func(ctx context.Context) (err error) {
		if *out != "" {
			if r.Format, err = formatOf(*out); err != nil {
				return err
			}
		}
		return c.with(ctx, func(ctx context.Context, s app.Service) error {
			if *out != "" {
				b, err := s.CapacityReport(ctx, r)
				if err != nil {
					return err
				}
				if err := app.WriteDocument(*out, b); err != nil {
					return err
				}
				c.result(reportDocument{*out, r.Format, len(b)}, "%s", *out)
				return nil
			}
			all, err := s.Capacities(ctx)
			if err != nil {
				return err
			}
			if len(all) == 0 && !c.json {
				return app.Errorf(app.CodeCapacityNone, "show capacity", "there is none")
			}
			for _, res := range all {
				c.line("%s  %s", when(res.Started), res.URL)
				c.capacity(res)
			}
			return c.document(all)
		})
	}
}
