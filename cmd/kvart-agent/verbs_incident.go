package main

import (
	"context"
	"flag"
	"path/filepath"
	"strings"
	"time"

	"kvart/app"
	"kvart/assets"
)

// choice registers the flags that say what is to be brought back. It is nil
// when none of them was given.
func choice(c *command) func() (*app.Choice, error) {
	var sources, paths list
	c.flags.Var(&sources, "source", "a source; all when none is named")
	c.flags.Var(&paths, "path", "a file or folder of the backup; all when none is named")
	point := c.flags.String("point", "", "a backup; Kvart proposes one when none is named")
	before := c.flags.String("before", "", "when the trouble began, as far as is known")
	return func() (*app.Choice, error) {
		if len(sources)+len(paths) == 0 && *point+*before == "" {
			return nil, nil
		}
		t, err := parseTime(*before)
		return &app.Choice{Sources: sources, Paths: paths, Point: app.PointID(*point), Before: t}, err
	}
}

func setupIncidentStart(c *command) func(context.Context) error {
	chosen := choice(c)
	note := c.flags.String("note", "", "what happened, in your own words")
	noWait := c.flags.Bool("no-wait", false, "don't wait for what Kvart does by itself")
	return func(ctx context.Context) error {
		code, err := c.arg("PLAYBOOK")
		if err != nil {
			return app.AsError(err).With("choices", playbookChoices())
		}
		ch, err := chosen()
		if err != nil {
			return err
		}
		r := app.IncidentRequest{Playbook: app.PlaybookCode(code), Note: *note}
		if ch != nil {
			r.Choice = *ch
		}
		return c.with(ctx, func(ctx context.Context, s app.Service) error {
			i, err := s.StartIncident(ctx, r)
			if err != nil {
				return err
			}
			return c.settled(ctx, s, i, *noWait)
		})
	}
}

func playbookChoices() string {
	var names []string
	for _, c := range app.PlaybookCodes() {
		names = append(names, string(c))
	}
	return strings.Join(names, ", ")
}

// settled waits until it is the owner's turn and shows how things stand.
func (c *command) settled(ctx context.Context, s app.Service, i app.Incident, noWait bool) error {
	if !noWait {
		var err error
		if i, err = s.WaitIncident(ctx); err != nil {
			return err
		}
	}
	return c.showIncident(i)
}

func setupIncidentShow(c *command) func(context.Context) error {
	return func(ctx context.Context) error {
		return c.with(ctx, func(ctx context.Context, s app.Service) error {
			i, err := s.Incident(ctx)
			if err != nil {
				return err
			}
			return c.showIncident(i)
		})
	}
}

// showIncident prints an incident: its clock, then its steps.
func (c *command) showIncident(i app.Incident) error {
	now := i.Wall
	c.line("%s  %s", c.words.T("incident.playbook."+string(i.Playbook)), c.words.Stopwatch(time.Duration(i.Seconds*float64(time.Second))))
	if d := i.Deadline; d != nil && d.Met.IsZero() {
		c.line("  %s", c.words.T("incident.deadline", assets.Args{"When": c.words.When(d.Until, now), "Left": c.words.Span(d.Until.Sub(now))}))
	}
	for _, s := range i.Steps {
		title, why, _ := assets.StepWords(c.words, s.Code)
		mark := map[app.StepState]string{app.StepDone: "✓", app.StepRunning: "…", app.StepFailed: "✗", app.StepSkipped: "–"}[s.State]
		if mark == "" {
			mark = " "
		}
		c.line("%s %-14s %-5s %s", mark, s.Code, c.words.T("incident.actor."+string(s.Actor)), title)
		if s.State == app.StepOpen && s.Ready {
			c.line("  %-20s %s", "", why)
		}
		for _, f := range s.Facts {
			c.line("  %-20s %s", "", assets.FactWords(c.words, f, now))
		}
		if s.Error != nil {
			errTitle, _, next := assets.ErrorWords(c.words, s.Error)
			c.line("  %-20s %s. %s", "", errTitle, hint(next, s.Error))
		}
		if s.Reason != "" {
			c.line("  %-20s %s", "", s.Reason)
		}
	}
	return c.document(i)
}

func setupIncidentTick(c *command) func(context.Context) error {
	chosen := choice(c)
	var r app.TickRequest
	skip := c.flags.String("skip", "", "don't do it, for this reason")
	fail := c.flags.String("failed", "", "it did not work, for this reason")
	undo := c.flags.Bool("undo", false, "it is open again")
	c.flags.StringVar(&r.Reason, "note", "", "something to remember about it")
	c.flags.BoolVar(&r.EvenInfected, "even-infected", false, "restore although this computer may be infected")
	noWait := c.flags.Bool("no-wait", false, "don't wait for what Kvart does by itself")
	return func(ctx context.Context) error {
		code, err := c.arg("STEP")
		if err != nil {
			return err
		}
		r.Step = app.StepCode(code)
		c.flags.Visit(func(f *flag.Flag) {
			switch f.Name {
			case "skip":
				r.Tick, r.Reason = app.TickSkip, *skip
			case "failed":
				r.Tick, r.Reason = app.TickFailed, *fail
			}
		})
		if *undo {
			r.Tick = app.TickUndo
		}
		if r.Choice, err = chosen(); err != nil {
			return err
		}
		return c.with(ctx, func(ctx context.Context, s app.Service) error {
			i, err := s.TickStep(ctx, r)
			if err != nil {
				return err
			}
			return c.settled(ctx, s, i, *noWait)
		})
	}
}

func setupIncidentClose(c *command) func(context.Context) error {
	return func(ctx context.Context) error {
		return c.with(ctx, func(ctx context.Context, s app.Service) error {
			i, err := s.CloseIncident(ctx)
			if err != nil {
				return err
			}
			c.line("%s", c.words.T("incident.log.closed"))
			return c.document(i)
		})
	}
}

func setupIncidentList(c *command) func(context.Context) error {
	return func(ctx context.Context) error {
		return c.with(ctx, func(ctx context.Context, s app.Service) error {
			all, err := s.Incidents(ctx)
			if err != nil {
				return err
			}
			if all == nil {
				all = []app.Incident{}
			}
			for _, i := range all {
				c.line("%s  %s  %-28s %s", i.ID, i.Started.Local().Format("2006-01-02 15:04"),
					c.words.T("incident.playbook."+string(i.Playbook)), c.words.Stopwatch(time.Duration(i.Seconds*float64(time.Second))))
			}
			return c.document(all)
		})
	}
}

// reportDocument is what incident report prints with --json.
type reportDocument struct {
	Path   string           `json:"path"`
	Format app.ReportFormat `json:"format"`
	Bytes  int              `json:"bytes"`
}

func setupIncidentReport(c *command) func(context.Context) error {
	out := c.flags.String("out", "", "where to write it: FILE.pdf or FILE.md")
	var r app.ReportRequest
	c.flags.Func("incident", "a past incident; the open or else the newest one when none is named", func(s string) error {
		r.Incident = app.IncidentID(s)
		return nil
	})
	c.flags.StringVar(&r.Language, "language", "", "en or sv")
	return func(ctx context.Context) (err error) {
		if r.Format, err = formatOf(*out); err != nil {
			return err
		}
		return c.with(ctx, func(ctx context.Context, s app.Service) error {
			b, err := s.IncidentReport(ctx, r)
			if err != nil {
				return err
			}
			if err := app.WriteDocument(*out, b); err != nil {
				return err
			}
			c.result(reportDocument{*out, r.Format, len(b)}, "%s", *out)
			return nil
		})
	}
}

func setupIncidentChecklist(c *command) func(context.Context) error {
	out := c.flags.String("out", "", "where to write it: FILE.pdf or FILE.md")
	var r app.PaperRequest
	c.flags.StringVar(&r.Language, "language", "", "en or sv")
	return func(ctx context.Context) error {
		code, err := c.arg("PLAYBOOK")
		if err != nil {
			return app.AsError(err).With("choices", playbookChoices())
		}
		r.Playbook = app.PlaybookCode(code)
		if r.Format, err = formatOf(*out); err != nil {
			return err
		}
		return c.with(ctx, func(ctx context.Context, s app.Service) error {
			b, err := s.PlaybookPaper(ctx, r)
			if err != nil {
				return err
			}
			if err := app.WriteDocument(*out, b); err != nil {
				return err
			}
			c.result(reportDocument{*out, r.Format, len(b)}, "%s", *out)
			return nil
		})
	}
}

// formatOf tells by a file's name how a paper is to be written.
func formatOf(out string) (app.ReportFormat, error) {
	if out == "" {
		return "", app.Errorf(app.CodeUsage, "read flags", "--out is missing").With("field", "out")
	}
	switch ext := strings.ToLower(filepath.Ext(out)); ext {
	case ".pdf", ".md":
		return app.ReportFormat(ext[1:]), nil
	default:
		return "", app.Errorf(app.CodeUsage, "read flags", "no paper is written as %q", ext).With("field", "out").With("choices", "FILE.pdf, FILE.md")
	}
}

func setupIncidentMessages(c *command) func(context.Context) error {
	language := c.flags.String("language", "", "en or sv")
	return func(ctx context.Context) error {
		return c.with(ctx, func(ctx context.Context, s app.Service) error {
			all, err := s.Messages(ctx, *language)
			if err != nil {
				return err
			}
			for _, m := range all {
				c.line("== %s (%s)\n\n%s\n", m.Title, m.Code, m.Text)
			}
			return c.document(all)
		})
	}
}

func setupIncidentPlaybooks(c *command) func(context.Context) error {
	return func(ctx context.Context) error {
		return c.with(ctx, func(ctx context.Context, s app.Service) error {
			books, err := s.Playbooks(ctx)
			if err != nil {
				return err
			}
			for _, b := range books {
				c.line("%s: %s\n%s", b.Code, c.words.T("incident.playbook."+string(b.Code)), c.words.T("incident.playbook."+string(b.Code)+".text"))
				for n, st := range b.Steps {
					title, _, result := assets.StepWords(c.words, st.Code)
					c.line("  %2d. %-5s %s. %s", n+1, c.words.T("incident.actor."+string(st.Actor)), title, result)
				}
				c.line("")
			}
			return c.document(books)
		})
	}
}
